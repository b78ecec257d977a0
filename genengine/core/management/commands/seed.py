from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from genengine.core import demo
from genengine.core.clock import now


class Command(BaseCommand):
    help = "Make the demo workspace unless it exists, and print how to sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        sign_in = demo.seed(now=now())
        if sign_in is None:
            raise CommandError("This installation has no demo: GE_DEMO_SEED names nothing that can be imported.")
        self.stdout.write(f"sign in as {sign_in.email} with {sign_in.password}")
