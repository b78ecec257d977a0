import django.db.models.deletion
from django.db import migrations, models

import genengine.core.ids
from genengine.core.append_only import append_only


class Migration(migrations.Migration):
    """Vendors' limits as append-only rows, and a bucket for models that have a rate of their own."""

    dependencies = [
        ("providers", "0003_traffic"),
        ("workspaces", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="circuit",
            name="refilled_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="circuit",
            name="tokens",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="LimitRevision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=genengine.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("model", models.CharField(blank=True, max_length=64)),
                ("number", models.PositiveIntegerField()),
                ("per_minute", models.PositiveIntegerField(blank=True, null=True)),
                ("burst", models.PositiveIntegerField(blank=True, null=True)),
                ("parallel", models.PositiveIntegerField(blank=True, null=True)),
                ("effective_from", models.DateTimeField()),
                (
                    "source",
                    models.CharField(
                        choices=[("shipped", "Shipped with the adapter"), ("operator", "Written by an operator")],
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                ("author_id", models.UUIDField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "workspace",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "ordering": ("provider", "model", "-number"),
                "indexes": [
                    models.Index(
                        fields=["workspace", "provider", "model", "-effective_from", "-number"], name="limit_in_force"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "model", "number"), name="one_limit_revision_a_number"),
                    models.CheckConstraint(
                        condition=models.Q(("per_minute__isnull", True), ("per_minute__gte", 1), _connector="OR"),
                        name="limit_per_minute_from_1",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("burst__isnull", True), ("burst__gte", 1), _connector="OR"),
                        name="limit_burst_from_1",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("parallel__isnull", True), ("parallel__gte", 1), _connector="OR"),
                        name="limit_parallel_from_1",
                    ),
                ],
            },
        ),
        append_only("providers_limitrevision"),
    ]
