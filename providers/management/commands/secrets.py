"""``manage.py secrets rotate``: seal every stored credential with the newest key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from genengine.core.actors import SYSTEM
from genengine.core.clock import now
from providers.credentials.services import rotate_secrets


class Command(BaseCommand):
    """Rotation without downtime: put the new key first in GE_SECRET_KEYS, restart, run this, drop the old key."""

    help = "Seal stored provider credentials with the first key of GE_SECRET_KEYS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["rotate"])

    def handle(self, *args: Any, **options: Any) -> None:
        changed = rotate_secrets(actor=SYSTEM, now=now())
        self.stdout.write(f"resealed={changed}")
