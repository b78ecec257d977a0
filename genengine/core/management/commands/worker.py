from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

CLUSTERS = ("default", "media")


class Command(BaseCommand):
    help = "Run the workers of one queue: `default` for short tasks, `media` for renders and downloads."
    requires_system_checks = ()  # `make doctor` runs them; a start takes seconds

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cluster", choices=CLUSTERS)

    def handle(self, *args: Any, cluster: str, **options: Any) -> None:
        from django_q.conf import Conf

        from genengine.core.cluster_guard import ClusterGuard

        if cluster != Conf.CLUSTER_NAME:
            raise CommandError(
                f"Start it as `manage.py worker {cluster}`: django-q2 was loaded for {Conf.CLUSTER_NAME}."
            )

        ClusterGuard(cluster, stop_s=settings.GE_STOP_SECONDS, report=self._report).run()

    def _report(self, line: str) -> None:
        self.stderr.write(line)
