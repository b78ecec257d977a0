"""Write a generated page, or say that the one in the repository is out of date."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser


class ReferenceCommand(BaseCommand):
    """`manage.py <name>_reference [--check]`. Subclasses give the pages by file name below docs/reference."""

    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="fail when a page is out of date, write nothing")

    def pages(self) -> dict[str, str]:
        """Return the text of each page."""
        raise AssertionError("a reference command says its pages")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        folder = Path(settings.BASE_DIR) / "docs" / "reference"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self.pages().items():
            page = folder / name
            if check and (not page.exists() or page.read_text(encoding="utf-8") != text):
                raise CommandError(f"docs/reference/{name} is out of date: run `make docs` and commit it.")
            if not check:
                page.write_text(text, encoding="utf-8")
