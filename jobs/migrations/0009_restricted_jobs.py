import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Which jobs are restricted is known above: `campaigns` 0005 fills it in from their briefs."""

    dependencies = [
        ("jobs", "0008_clip_waits_for"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("job", "restricted", models.BooleanField(default=False)),
        migrations.AddField(
            "job",
            "author",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
