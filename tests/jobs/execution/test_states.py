"""Every action in every state, against the tables."""

import pytest
from django.db import models

from campaigns.delivery.states import EXPORT
from genengine.core import clock
from genengine.core.actors import SYSTEM
from genengine.core.db import unit_of_work
from genengine.core.events.models import Event
from genengine.core.states import Machine, TransitionRefused
from jobs.execution.models import Clip
from jobs.execution.states import ATTEMPT, CLIP, MASTER
from tests.factories.jobs import make_job, make_plan, make_principal, make_workspace

MACHINES = (CLIP, ATTEMPT, MASTER, EXPORT)


@pytest.fixture
def clip(db: None) -> Clip:
    job = make_job(make_principal(make_workspace()), make_plan(scenes=1))
    return job.clips.get()


@pytest.mark.parametrize("state", [s.value for s in CLIP.states])
@pytest.mark.parametrize("action", [row.action for row in CLIP.table])
def test_a_clip_moves_only_as_its_table_says(clip: Clip, state: str, action: str) -> None:
    Clip.objects.filter(pk=clip.pk).update(state=state)
    before = Event.objects.count()
    if CLIP.allows(action, state):
        with unit_of_work():
            CLIP.apply(clip, action, actor=SYSTEM, now=clock.now())
        assert Clip.objects.get(pk=clip.pk).state == CLIP[action].to_state
        assert Event.objects.count() == before + 1
    else:
        with pytest.raises(TransitionRefused), unit_of_work():
            CLIP.apply(clip, action, actor=SYSTEM, now=clock.now())
        assert Clip.objects.get(pk=clip.pk).state == state
        assert Event.objects.count() == before


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_every_state_is_reachable_and_every_row_names_known_states(machine: Machine) -> None:
    known = {s.value for s in machine.states}
    assert all(row.from_states <= known and row.to_state in known for row in machine.table)
    reached = {next(iter(machine.states)).value}
    for _ in known:
        reached |= {row.to_state for row in machine.table if row.from_states & reached}
    assert reached == known


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name)
def test_an_action_is_one_row_of_its_table(machine: Machine) -> None:
    actions = [row.action for row in machine.table]
    assert len(actions) == len(set(actions))


def test_the_seed_names_of_the_tracking_plan_are_kept() -> None:
    names = {row.action: row.event for row in CLIP.table}
    assert names["dispatch"] == "branch.dispatched"
    assert names["requeue"] == "branch.retry"
    assert names["substitute"] == "branch.fallback"
    assert names["rerun"] == "partial.rerun"


def test_no_module_assigns_a_state_of_a_machine_but_the_machine(clip: Clip) -> None:
    assert isinstance(clip, models.Model)
    clip.state = "ready"  # never saved: the row only moves by apply()
    assert Clip.objects.get(pk=clip.pk).state == "queued"
