from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_planner_asks")]

    operations = [
        migrations.AddField(
            model_name="brief",
            name="engine_policy",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "As the workspace says"),
                    ("local_only", "Only on this installation's own machines"),
                    ("local_preferred", "Here; on the remote engine when this machine cannot"),
                    ("api_only", "Only on the remote engine"),
                ],
                default="",
                max_length=16,
            ),
        ),
    ]
