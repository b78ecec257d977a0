from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Serve pages, API and sockets with daphne."
    requires_system_checks = ()  # `make doctor` runs them; a start takes seconds

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        from channels.routing import get_default_application
        from daphne.endpoints import build_endpoint_description_strings

        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # whitenoise warns when it is not there
        from genengine.core.web_server import FlowControlledServer

        FlowControlledServer(
            application=get_default_application(),
            endpoints=build_endpoint_description_strings(host=host, port=port),
            signal_handlers=True,
            application_close_timeout=3,
            server_name="",
            verbosity=0,
        ).run()
