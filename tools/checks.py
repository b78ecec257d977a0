"""What `make check` asks of the product, in one process: every start of Django costs more than most of the answers."""

import os
import sys
import warnings

CHECKS = (
    ("check", "--fail-level", "WARNING"),
    ("makemigrations", "--check", "--dry-run"),
    ("schema_snapshot", "--check"),
    ("settings_reference", "--check"),
    ("states_reference", "--check"),
    ("events_reference", "--check"),
    ("api_reference", "--check"),
)


def main() -> int:
    """Run every check, whatever the ones before it say; returns how many refused."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genengine.settings.local")
    import django

    django.setup()
    # Whether the database's own list of migrations is in order is `migrate`'s concern: no server runs here.
    warnings.filterwarnings("ignore", "Got an error checking a consistent migration history", RuntimeWarning)
    return sum(not _passes(check) for check in CHECKS)


def _passes(check: tuple[str, ...]) -> bool:
    from django.core.management import CommandError, call_command

    try:
        call_command(*check)
    except CommandError as refusal:
        print(f"manage.py {' '.join(check)}: {refusal}", file=sys.stderr)
        return False
    except SystemExit as end:
        return not end.code
    return True


if __name__ == "__main__":
    sys.exit(main())
