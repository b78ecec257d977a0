"""The ledger refuses every change, in the database itself."""

from django.db import migrations

GUARD = """
CREATE FUNCTION billing_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'billing_entry is append-only: % is refused', TG_OP USING ERRCODE = '42501';
END $$;
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON billing_entry
  FOR EACH ROW EXECUTE FUNCTION billing_entry_is_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON billing_entry
  FOR EACH STATEMENT EXECUTE FUNCTION billing_entry_is_append_only();
"""

UNGUARD = """
DROP TRIGGER append_only_table ON billing_entry;
DROP TRIGGER append_only_rows ON billing_entry;
DROP FUNCTION billing_entry_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_initial")]
    operations = [migrations.RunSQL(GUARD, UNGUARD)]
