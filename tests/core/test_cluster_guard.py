"""The guard of a django-q2 cluster, with real workers."""

import psutil
import pytest
from django_q.models import OrmQ
from django_q.tasks import async_task

from genengine.core.models import Pulse
from tests.support.processes import manage, wait_for

pytestmark = [pytest.mark.crash, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def worker(process_environment, tmp_path):
    with manage("worker", "default", environment=process_environment, log=tmp_path / "worker.log") as process:
        wait_for(Pulse.objects.filter(role="worker-default").exists, what="the first canary")
        yield psutil.Process(process.pid)


def titled(root, words):
    found = []
    for process in root.children(recursive=True):
        try:
            if words in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_runs_queued_tasks(worker):
    Pulse.objects.all().delete()
    async_task("genengine.core.tasks.canary", "by-hand", cluster="default")

    wait_for(Pulse.objects.filter(role="worker-by-hand").exists, what="the task's trace")
    wait_for(lambda: not OrmQ.objects.exists(), what="an empty queue")


def test_replaces_a_cluster_whose_idle_workers_were_killed(worker):
    """An idle worker takes the queue's lock with it: the cluster lives, takes no task and ignores SIGTERM."""
    idle = wait_for(lambda: titled(worker, " idle"), what="idle workers")
    for process in idle:
        process.kill()
    async_task("genengine.core.tasks.canary", "afterwards", cluster="default")

    wait_for(Pulse.objects.filter(role="worker-afterwards").exists, within_s=60, what="the task after the hang")


def test_a_killed_guard_leaves_no_worker_behind(worker):
    family = worker.children(recursive=True)
    assert len(family) >= 5
    worker.kill()

    wait_for(
        lambda: all(not one.is_running() or one.status() == psutil.STATUS_ZOMBIE for one in family),
        what="the end of every worker",
    )


def test_stops_in_time_although_its_cluster_hangs(worker):
    for process in titled(worker, " idle"):
        process.kill()
    worker.terminate()

    worker.wait(timeout=30)


@pytest.mark.parametrize(("cluster", "steps"), [("default", 0), ("media", 5)])
def test_only_media_work_stands_back_for_others(process_environment, tmp_path, cluster, steps):
    environment = process_environment | {"GE_MEDIA_NICE": "5"}
    with manage("worker", cluster, environment=environment, log=tmp_path / "worker.log") as process:
        idle = wait_for(lambda: titled(psutil.Process(process.pid), " idle"), what="idle workers")

        assert {one.nice() for one in idle} == {steps}
