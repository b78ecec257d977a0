"""The folded state of branches and jobs."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.execution.fold import BranchFacts, fold_branch, fold_job
from jobs.execution.states import ClipState, JobState, MasterState


def branch(clips: str, masters: str = "pending", **flags: bool) -> str:
    values = {"paused": False, "cancelled": False, **flags}
    return fold_branch(BranchFacts(clips.split(), masters.split(), **values)).value


@pytest.mark.parametrize(
    ("clips", "masters", "expected"),
    [
        ("queued queued", "pending", "queued"),
        ("queued ready", "pending", "generating"),
        ("generating ready", "pending", "generating"),
        ("ready checking", "pending", "checking"),
        ("ready ready", "pending", "composing"),
        ("ready ready", "composing ready", "composing"),
        ("ready ready", "ready checking", "checking"),
        ("ready ready", "ready ready", "ready"),
        ("ready ready", "ready needs_attention", "needs_attention"),
        ("ready needs_attention", "ready", "needs_attention"),
        ("ready held", "pending", "held"),
        ("ready paused", "pending", "paused"),
        ("ready failed", "ready", "ready"),
        ("failed failed", "pending", "failed"),
        ("cancelled cancelled", "cancelled", "cancelled"),
    ],
)
def test_a_branch_is_what_its_clips_and_masters_are(clips: str, masters: str, expected: str) -> None:
    assert branch(clips, masters) == expected


def test_a_clip_that_is_being_repaired_keeps_its_branch_moving() -> None:
    assert branch("ready needs_attention", "pending", repairing=True) == "generating"


def test_a_cancelled_branch_stays_cancelled_whatever_is_in_flight() -> None:
    assert branch("generating ready", cancelled=True) == "cancelled"


def test_a_paused_branch_still_shows_what_is_in_flight() -> None:
    assert branch("generating queued", paused=True) == "generating"
    assert branch("ready queued", paused=True) == "paused"


@pytest.mark.parametrize(
    ("branches", "expected"),
    [
        ("ready ready", "ready"),
        ("ready generating", "generating"),
        ("ready failed", "ready"),
        ("ready needs_attention", "needs_attention"),
        ("failed failed", "failed"),
        ("held ready", "held"),
        ("cancelled ready", "ready"),
        ("cancelled cancelled", "cancelled"),
    ],
)
def test_a_job_is_what_its_branches_are(branches: str, expected: str) -> None:
    assert fold_job(branches.split(), paused=False, cancelled=False) == expected


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a loaded machine is not a failure
@given(
    st.lists(st.sampled_from([s.value for s in ClipState]), min_size=1, max_size=6),
    st.lists(st.sampled_from([s.value for s in MasterState]), min_size=1, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_every_mixture_folds_to_a_state(clips: list[str], masters: list[str], paused: bool, cancelled: bool) -> None:
    assert fold_branch(BranchFacts(clips, masters, paused, cancelled)) in set(JobState)


def test_every_mixture_of_branches_folds_to_a_state() -> None:
    for pair in itertools.product([s.value for s in JobState], repeat=2):
        assert fold_job(pair, paused=False, cancelled=False) in set(JobState)
