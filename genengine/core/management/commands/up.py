from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from genengine.core.embedded_postgres import EmbeddedPostgresError

ROLES = ("emulator", "web", "worker-default", "worker-media", "pump")


class Command(BaseCommand):
    help = "Run the whole product on this machine: database, web, workers, pump and emulator, until Ctrl-C."
    requires_system_checks = ()  # `make doctor` runs them; a start takes seconds

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address of the web; others need GE_HOSTS too")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--state-dir", help="folder of this installation's state (as GE_STATE_DIR)")
        parser.add_argument("--no-demo", action="store_true", help="no demo workspace at the first start")
        parser.add_argument("--only", default=",".join(ROLES), help=f"some of: {','.join(ROLES)}")

    def handle(self, *args: Any, host: str, port: int, no_demo: bool, only: str, **options: Any) -> None:
        from genengine.core.supervisor.loop import Supervisor
        from genengine.core.supervisor.ports import PortTaken, require_port

        chosen = frozenset(part.strip() for part in only.split(",") if part.strip())
        if unknown := chosen - set(ROLES):
            raise CommandError(f"Unknown roles in --only: {', '.join(sorted(unknown))}. Known: {', '.join(ROLES)}.")
        try:
            if "web" in chosen:
                require_port(host, port)
            Supervisor(manage=sys.argv[0], host=host, port=port, only=chosen, with_demo=not no_demo).run()
        except (PortTaken, EmbeddedPostgresError) as problem:
            raise CommandError(str(problem)) from problem
