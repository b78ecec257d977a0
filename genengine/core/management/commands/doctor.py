from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.checks import CheckMessage, registry
from django.core.checks.messages import ERROR
from django.core.management.base import BaseCommand, CommandError

from genengine.core.checks import DOCTOR


class Command(BaseCommand):
    help = "Say whether this machine and this installation are fit to work, and how to mend what is not."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        problems = 0
        for check in sorted(registry.registry.get_checks(include_deployment_checks=True), key=_title):
            if DOCTOR in check.tags:
                problems += self._show(_title(check), list(check(app_configs=None, databases=None)))
        others = registry.run_checks(databases=["default"])
        problems += self._show("Django's own checks", others)
        if problems:
            raise CommandError(f"{problems} to mend.")

    def _show(self, title: str, messages: list[CheckMessage]) -> int:
        self.stdout.write(f"{self.style.SUCCESS('ok    ') if not messages else self.style.ERROR('look  ')}{title}")
        for message in messages:
            hint = f" {message.hint}" if message.hint else ""
            self.stdout.write(f"      {message.id}: {message.msg}{hint}")
        return sum(message.level >= ERROR for message in messages)


def _title(check: Callable[..., Any]) -> str:
    return (check.__doc__ or "").strip()
