"""Tables that the database itself lets nobody change: rows are only ever added."""

from django.db.migrations import RunSQL

GUARD = """
CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{table} is append-only: % is refused', TG_OP USING ERRCODE = '42501';
END $$;
CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only();
"""

UNGUARD = """
DROP TRIGGER append_only_table ON {table};
DROP TRIGGER append_only_rows ON {table};
DROP FUNCTION {table}_is_append_only();
"""


def append_only(table: str) -> RunSQL:
    """Return the migration step that guards a table by triggers: any other statement fails with 42501."""
    return RunSQL(GUARD.format(table=table), UNGUARD.format(table=table))
