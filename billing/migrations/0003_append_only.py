"""The ledger refuses every change, in the database itself."""

from django.db import migrations

from genengine.core.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_initial")]
    operations = [append_only("billing_entry")]
