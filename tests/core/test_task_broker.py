"""The order in which workers take tasks."""

import pytest
from django.db.models import F
from django_q.brokers import get_broker
from django_q.models import OrmQ

pytestmark = pytest.mark.django_db


def test_the_task_that_waits_longest_is_taken_first():
    broker = get_broker("media")
    oldest, *others = [broker.enqueue(f"task {number}") for number in range(3)]
    OrmQ.objects.filter(pk=oldest).update(payload=F("payload"))  # PostgreSQL reads the row last now

    assert [broker.dequeue()[0][0] for _ in range(3)] == [oldest, *others]
