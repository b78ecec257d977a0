from django.db import migrations, models


class Migration(migrations.Migration):
    """The newest ended attempts of a model, which routing learns from, are found without reading the others."""

    dependencies = [("jobs", "0004_plan_source")]

    operations = [
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(fields=["workspace", "model", "-finished_at"], name="attempt_ended_by_model"),
        ),
    ]
