"""How every `verify` command answers: a sentence for each problem and exit 1, or one sentence and exit 0."""

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class VerifyCommand(BaseCommand):
    """`manage.py <name> verify`. Subclasses name what is checked, how, and what to do when it does not hold."""

    what = ""
    when_right = ""
    next_step = ""
    problems: Callable[[], list[str]]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["verify"])

    def handle(self, *args: Any, **options: Any) -> None:
        found = type(self).problems()
        if not found:
            self.stdout.write(self.when_right)
            return
        for sentence in found:
            self.stdout.write(sentence)
        self.stderr.write(f"{self.what}: {len(found)} problem{'s' if len(found) > 1 else ''}. {self.next_step}")
        sys.exit(1)
