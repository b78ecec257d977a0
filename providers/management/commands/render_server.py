"""``manage.py render_server``: the video compiler of this machine for other installations, over HTTP with a token."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from genengine.media.remote.line import LineLimits
from genengine.media.remote.server import serve
from genengine.media.remote.service import ServerOptions, UnsafeServer

MEGABYTE, GIGABYTE = 1 << 20, 1 << 30


class Command(BaseCommand):
    """Start the render server. It needs no database."""

    help = "Render for other installations: the remote engine (RENDER_SERVER_TOKENS says who may ask)."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8200, help="0 takes a free one and says which.")
        parser.add_argument("--host", default="127.0.0.1", help="Behind a TLS proxy leave it as it is.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            serve(_options(options["host"], options["port"]), self._ready)
        except (UnsafeServer, OSError) as error:
            raise CommandError(str(error)) from error

    def _ready(self, port: int) -> None:
        self.stdout.write(f"render server ready on port {port}")
        self.stdout.flush()


def _options(host: str, port: int) -> ServerOptions:
    line = LineLimits(
        settings.RENDER_SERVER_PARALLEL,
        settings.RENDER_SERVER_QUEUE,
        seconds=settings.GE_RENDER_TIMEOUT_S,
        memory_mb=settings.RENDER_SERVER_MEMORY_MB,
    )
    return ServerOptions(
        tokens=settings.RENDER_SERVER_TOKENS,
        folder=settings.RENDER_SERVER_DIR,
        port=port,
        host=host,
        line=line,
        max_blob_bytes=settings.RENDER_SERVER_UPLOAD_MB * MEGABYTE,
        keep_bytes=int(settings.RENDER_SERVER_DISK_GB * GIGABYTE),
        keep_s=settings.RENDER_SERVER_KEEP_HOURS * 3600,
        min_free_bytes=settings.GE_RENDER_MIN_FREE_MB * MEGABYTE,
    )
