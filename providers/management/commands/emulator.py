"""``manage.py emulator``: every vendor's wire protocol on this machine."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers.emulator.faults import BadFaultScript
from providers.emulator.server import Options, serve


class Command(BaseCommand):
    """Start the emulator. It needs no database and no settings of the product."""

    help = "Serve the emulated vendors (kling, …) with their real wire protocols."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, required=True, help="0 takes a free one and says which.")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--speed", type=float, default=1.0, help="20 makes renders twenty times as fast.")
        parser.add_argument("--faults", type=Path, help="A YAML or JSON fault script.")
        parser.add_argument("--log", type=Path, help="JSON lines; tasks are kept in FILE.state beside it.")
        parser.add_argument("--picture-scale", type=float, default=1.0, help="0.25 renders clips a quarter as wide.")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Options(
            port=options["port"],
            host=options["host"],
            speed=options["speed"],
            faults=options["faults"],
            log=options["log"],
            picture_scale=options["picture_scale"],
        )
        try:
            serve(chosen, self._ready)
        except (BadFaultScript, OSError) as error:
            raise CommandError(str(error)) from error

    def _ready(self, port: int) -> None:
        self.stdout.write(f"emulator ready on port {port}")
        self.stdout.flush()
