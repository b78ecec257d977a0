"""django-q2's table of tasks, taken in the order in which the tasks came, and cheap to look at while it is empty."""

from time import sleep
from typing import Any

from django.db import Error, connections
from django.db.models import QuerySet
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from genengine.core.clock import now

WAITS = f"SELECT EXISTS (SELECT 1 FROM {OrmQ._meta.db_table} WHERE key = %s AND lock < %s)"  # noqa: S608 - no input


class FirstComeBroker(ORM):
    """The package's own broker takes whichever rows PostgreSQL reads first: under load some would wait for minutes.

    Every cluster looks for tasks twenty times a second. The package's own way, a check of the connection and a query
    that is put together anew each time, took more of an idle installation's CPU than everything else.
    """

    @staticmethod
    def get_connection(list_key: str | None = None) -> QuerySet[OrmQ]:
        """The rows of all queues, the longest waiting first."""
        return ORM.get_connection(list_key).order_by("lock", "pk")

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Take the next tasks as (row, payload); None after a pause when none waits."""
        if not self._is_one_waiting():
            sleep(Conf.POLL)
            return None
        taken: list[tuple[int, str]] | None = super().dequeue()
        return taken

    def _is_one_waiting(self) -> bool:
        connection: Any = connections[Conf.ORM]
        try:
            with connection.cursor() as cursor:
                cursor.execute(WAITS, [self.list_key, now()])
                return bool(cursor.fetchone()[0])
        except Error:
            connection.close()  # the server may be back by now: the package's own look connects anew, or raises
            return True
