from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_ledger_words")]

    operations = [
        migrations.AlterField(
            "cap",
            "scope",
            models.CharField(
                choices=[
                    ("workspace", "Workspace, all time"),
                    ("month", "Workspace, calendar month"),
                    ("campaign", "Campaign"),
                    ("member", "Member"),
                    ("provider", "Provider"),
                    ("job", "Job"),
                ],
                max_length=16,
            ),
        ),
    ]
