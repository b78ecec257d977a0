"""`manage.py pump`: dispatches, polls, sweeps."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Dispatch queued clips, poll vendors and bring on what dead processes left behind."

    def handle(self, *args: Any, **options: Any) -> None:
        from jobs.execution.pump import main

        main()
