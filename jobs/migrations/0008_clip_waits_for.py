"""A clip may wait for another one of its job that asks the same; a report of a take says whose result was checked."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

FROM_TAKES = """
UPDATE jobs_qualityreport report SET attempt_id = take.attempt_id
  FROM jobs_take take WHERE take.quality_id = report.id AND take.attempt_id IS NOT NULL
"""


def name_attempts(apps: Any, editor: Any) -> None:
    """Reports of takes that are kept name their attempt; of results that were refused nothing tells it any more."""
    editor.execute(FROM_TAKES)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0007_reuse_and_terms"), ("workspaces", "0004_reuse_policy")]

    operations = [
        migrations.AddField(
            model_name="clip",
            name="waits_for",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="followers",
                to="jobs.clip",
            ),
        ),
        migrations.AddField(
            model_name="qualityreport",
            name="attempt_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.RunPython(name_attempts, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="qualityreport",
            index=models.Index(
                condition=models.Q(("attempt_id__isnull", False)),
                fields=["workspace", "created_at"],
                name="report_of_attempt",
            ),
        ),
    ]
