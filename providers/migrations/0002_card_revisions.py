import django.db.models.deletion
from django.db import migrations, models

import genengine.core.ids
from genengine.core.append_only import append_only


class Migration(migrations.Migration):
    """Model cards as append-only rows; the database itself refuses to change one."""

    dependencies = [("providers", "0001_initial"), ("workspaces", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="CardRevision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=genengine.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("model", models.CharField(max_length=64)),
                ("number", models.PositiveIntegerField()),
                ("effective_from", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("paused", "Paused"), ("retired", "Retired")],
                        default="active",
                        max_length=16,
                    ),
                ),
                ("price", models.JSONField()),
                ("rate", models.JSONField(blank=True, null=True)),
                ("volume_tiers", models.JSONField(blank=True, default=list)),
                ("off_peak", models.JSONField(blank=True, null=True)),
                ("longest_s", models.PositiveIntegerField(blank=True, null=True)),
                ("resolutions", models.JSONField(blank=True, default=list)),
                ("quality", models.PositiveSmallIntegerField()),
                ("speed_s_per_s", models.FloatField()),
                ("facts_sure", models.BooleanField(default=False)),
                (
                    "source",
                    models.CharField(
                        choices=[("shipped", "Shipped with the adapter"), ("operator", "Written by an operator")],
                        max_length=16,
                    ),
                ),
                ("source_note", models.CharField(blank=True, max_length=300)),
                ("terms_digest", models.CharField(max_length=64)),
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
                    models.Index(fields=["model", "workspace", "-effective_from", "-number"], name="card_in_force")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("model", "number"), name="one_card_revision_a_number"),
                    models.CheckConstraint(
                        condition=models.Q(("quality__gte", 1), ("quality__lte", 10)), name="card_quality_1_to_10"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ModelTest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=genengine.core.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("model", models.CharField(max_length=64)),
                ("facts_digest", models.CharField(max_length=64)),
                ("job_id", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("passed", "Passed"), ("failed", "Failed")],
                        default="running",
                        max_length=16,
                    ),
                ),
                ("price_micro", models.BigIntegerField()),
                ("cost_micro", models.BigIntegerField(blank=True, null=True)),
                ("message", models.CharField(blank=True, max_length=300)),
                ("asked_by_id", models.UUIDField(blank=True, null=True)),
                ("asked_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="workspaces.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ("-asked_at",),
                "indexes": [models.Index(fields=["state", "model"], name="model_test_by_state")],
            },
        ),
        append_only("providers_cardrevision"),
    ]
