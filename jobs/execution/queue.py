"""Put work on the queue: a task carries an id and commits with the state change that asks for it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from genengine.core.correlation import correlated, correlation_id
from genengine.core.db import current_work

DEFAULT = "default"
MEDIA = "media"
RUN = "jobs.execution.queue.run"
SUBMIT, RENDER, COLLECT, COMPOSE = "submit_attempt", "render_attempt", "collect_attempt", "compose_master"


def enqueue(task: str, subject_id: UUID, *, cluster: str = DEFAULT) -> None:
    """Queue `task(subject_id)` in the running transaction, under this correlation id.

    `task` is a function of `jobs.execution.tasks`, or a dotted path of a feature above.
    """
    current_work()
    async_task(RUN, task, str(subject_id), correlation_id(), cluster=cluster)


def waiting_tasks() -> frozenset[tuple[str, UUID]]:
    """Return every task that no worker has taken yet, with its subject: such a task need not be queued again."""
    return frozenset(_untaken())


def _untaken() -> Iterator[tuple[str, UUID]]:
    # A row that was taken is locked until the moment at which it would be given to another worker.
    rows = OrmQ.objects.filter(lock__lte=timezone.now()).values_list("payload", flat=True)
    for payload in rows.iterator(chunk_size=500):
        package = SignedPackage.loads(payload)
        if package["func"] == RUN:
            task, subject_id, *_ = package["args"]
            yield task, UUID(subject_id)


def run(task: str, subject_id: str, correlation: str) -> Any:
    """Entry point of every execution task in a worker."""
    from django.utils.module_loading import import_string

    with correlated(correlation):
        return import_string(task if "." in task else f"jobs.execution.tasks.{task}")(UUID(subject_id))
