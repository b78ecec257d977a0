"""django-q2's table of tasks, taken in the order in which the tasks came."""

from django.db.models import QuerySet
from django_q.brokers.orm import ORM
from django_q.models import OrmQ


class FirstComeBroker(ORM):
    """The package's own broker takes whichever rows PostgreSQL reads first: under load some would wait for minutes."""

    @staticmethod
    def get_connection(list_key: str | None = None) -> QuerySet[OrmQ]:
        """The rows of all queues, the longest waiting first."""
        return ORM.get_connection(list_key).order_by("lock", "pk")
