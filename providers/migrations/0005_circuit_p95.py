"""The 95th percentile beside the others, from the durations that are kept."""

from typing import Any

from django.db import migrations, models

FROM_SIGNALS = """
UPDATE providers_circuit circuit SET p95_s = known.p95_s
  FROM (SELECT throttle_id, model, percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds) AS p95_s
          FROM (SELECT throttle_id, model, seconds,
                       row_number() OVER (PARTITION BY throttle_id, model ORDER BY at DESC) AS newest
                  FROM providers_signal
                 WHERE call = 'task' AND kind = '' AND seconds IS NOT NULL) signal
         WHERE newest <= 50 GROUP BY throttle_id, model) known
 WHERE known.throttle_id = circuit.throttle_id AND known.model = circuit.model
"""


def measure(apps: Any, editor: Any) -> None:
    """Fill it in where durations are known."""
    editor.execute(FROM_SIGNALS)


class Migration(migrations.Migration):
    dependencies = [("providers", "0004_limit_revisions")]

    operations = [
        migrations.AddField(model_name="circuit", name="p95_s", field=models.FloatField(blank=True, null=True)),
        migrations.RunPython(measure, migrations.RunPython.noop),
    ]
