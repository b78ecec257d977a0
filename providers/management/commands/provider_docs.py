"""``manage.py provider_docs``: refresh the generated tables of ``docs/providers/``."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from providers.registry.reference import refresh_pages


class Command(BaseCommand):
    """Model tables come from the adapters, so that they cannot disagree with routing."""

    help = "Refresh the model tables in docs/providers."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Change nothing; fail when a page is out of date.")

    def handle(self, *args: Any, **options: Any) -> None:
        changed = refresh_pages(Path(settings.BASE_DIR) / "docs" / "providers", check=options["check"])
        if changed and options["check"]:
            raise CommandError(f"Out of date: {', '.join(changed)}. Run manage.py provider_docs.")
        self.stdout.write(f"changed={len(changed)}")
