from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0002_socket_ticket"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="engine_policy",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "As this installation is set up"),
                    ("local_only", "Only on this installation's own machines"),
                    ("local_preferred", "Here; on the remote engine when this machine cannot"),
                    ("api_only", "Only on the remote engine"),
                ],
                default="",
                max_length=16,
            ),
        ),
    ]
