from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def follow(apps: Any, schema_editor: Any) -> None:
    """Give every job of a brief that there is the brief's author and restriction."""
    brief = apps.get_model("campaigns", "Brief").objects.filter(pk=OuterRef("brief_id"))
    jobs = apps.get_model("jobs", "Job").objects.filter(
        brief_id__in=apps.get_model("campaigns", "Brief").objects.values("pk")
    )
    jobs.update(restricted=Subquery(brief.values("restricted")), author=Subquery(brief.values("author")))


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0004_brief_engine_policy"), ("jobs", "0009_restricted_jobs")]

    operations = [migrations.RunPython(follow, migrations.RunPython.noop)]
