"""The audit trail refuses every change, in the database itself."""

from django.db import migrations

GUARD = """
CREATE FUNCTION compliance_auditentry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'compliance_auditentry is append-only: % is refused', TG_OP USING ERRCODE = '42501';
END $$;
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON compliance_auditentry
  FOR EACH ROW EXECUTE FUNCTION compliance_auditentry_is_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON compliance_auditentry
  FOR EACH STATEMENT EXECUTE FUNCTION compliance_auditentry_is_append_only();
"""

UNGUARD = """
DROP TRIGGER append_only_table ON compliance_auditentry;
DROP TRIGGER append_only_rows ON compliance_auditentry;
DROP FUNCTION compliance_auditentry_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_initial")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
