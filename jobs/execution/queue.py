"""Put work on the queue: a task carries an id and commits with the state change that asks for it."""

from typing import Any
from uuid import UUID

from django_q.tasks import async_task

from genengine.core.correlation import correlated, correlation_id
from genengine.core.db import current_work

DEFAULT = "default"
MEDIA = "media"


def enqueue(task: str, subject_id: UUID, *, cluster: str = DEFAULT) -> None:
    """Queue `task(subject_id)` in the running transaction, under this correlation id.

    `task` is a function of `jobs.execution.tasks`, or a dotted path of a feature above.
    """
    current_work()
    async_task("jobs.execution.queue.run", task, str(subject_id), correlation_id(), cluster=cluster)


def run(task: str, subject_id: str, correlation: str) -> Any:
    """Entry point of every execution task in a worker."""
    from django.utils.module_loading import import_string

    with correlated(correlation):
        return import_string(task if "." in task else f"jobs.execution.tasks.{task}")(UUID(subject_id))
