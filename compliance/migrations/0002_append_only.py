"""The audit trail refuses every change, in the database itself."""

from django.db import migrations

from genengine.core.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]
    operations = [append_only("compliance_auditentry")]
