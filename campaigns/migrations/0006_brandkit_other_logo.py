import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0002_initial"),
        ("campaigns", "0005_jobs_follow_their_briefs"),
    ]

    operations = [
        migrations.AddField(
            model_name="brandkit",
            name="other_logo",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="assets.asset",
            ),
        ),
    ]
