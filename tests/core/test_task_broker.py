"""The order in which workers take tasks, and how they look for them."""

import pytest
from django.db import connection
from django.db.models import F
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ

pytestmark = pytest.mark.django_db


def test_the_task_that_waits_longest_is_taken_first():
    broker = get_broker("media")
    oldest, *others = [broker.enqueue(f"task {number}") for number in range(3)]
    OrmQ.objects.filter(pk=oldest).update(payload=F("payload"))  # PostgreSQL reads the row last now

    assert [broker.dequeue()[0][0] for _ in range(3)] == [oldest, *others]


def test_an_empty_queue_gives_nothing_and_other_queues_stay_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conf, "POLL", 0)
    broker = get_broker("media")
    get_broker("default").enqueue("somebody else's")
    assert broker.dequeue() is None
    broker.enqueue("ours")
    assert [payload for _, payload in broker.dequeue()] == ["ours"]
    assert broker.dequeue() is None, "taken tasks are not given out again at once"


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_meanwhile_is_opened_anew() -> None:
    broker = get_broker("media")
    broker.enqueue("waiting")
    connection.connection.close()
    assert [payload for _, payload in broker.dequeue()] == ["waiting"]
