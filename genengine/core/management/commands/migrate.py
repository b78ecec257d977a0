"""``manage.py migrate``: Django's own, which fills an empty database at once."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.migrate import Command as DjangoCommand
from django.db import connections

from genengine.core.schema import load_into_empty, read_snapshot

# With any of these somebody asks for something else than the newest schema, or only for a report.
OTHER_WISHES = ("app_label", "migration_name", "plan", "check_unapplied", "fake", "fake_initial", "prune")


class Command(DjangoCommand):
    """Migrate; an empty database gets the snapshot of this release first, and then what the snapshot lacks."""

    def handle(self, *args: Any, **options: Any) -> None:
        if not any(options.get(wish) for wish in OTHER_WISHES):
            snapshot = read_snapshot()
            if load_into_empty(connections[options["database"]], snapshot) and options["verbosity"] > 0:
                self.stdout.write(f"Empty database: {len(snapshot.migrations)} migrations loaded as one snapshot.")
        super().handle(*args, **options)
