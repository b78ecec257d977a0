from django.db import migrations, models


class Migration(migrations.Migration):
    """Jobs that were launched before stay without a campaign: their money was not held under its cap."""

    dependencies = [("jobs", "0009_restricted_jobs")]

    operations = [migrations.AddField("job", "campaign_id", models.UUIDField(blank=True, null=True))]
