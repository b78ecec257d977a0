"""What follows a failed attempt."""

import random

import pytest

from jobs.execution.retry import BACKOFF_CAP_S, MAX_TRIES, Next, decide, stay


@pytest.mark.parametrize("kind", ["transient", "result_gone", "fetch_failed", "render_failed"])
def test_a_passing_fault_is_tried_three_times_in_all(kind: str) -> None:
    followed = [decide(kind=kind, tries=n, retry_after_s=None).next for n in range(1, MAX_TRIES + 1)]
    assert followed == [Next.RETRY, Next.RETRY, Next.GIVE_UP]


@pytest.mark.parametrize("kind", ["content_refused", "invalid_request", "credentials_rejected", "quota_exhausted"])
def test_a_refusal_is_never_sent_again_with_the_same_input(kind: str) -> None:
    assert decide(kind=kind, tries=1, retry_after_s=None).next is Next.GIVE_UP


def test_a_saturated_vendor_is_waited_for_and_does_not_count() -> None:
    decision = decide(kind="rate_limited", tries=MAX_TRIES, retry_after_s=7)
    assert (decision.next, decision.delay_s, decision.counts) == (Next.RETRY, 7, False)


def test_an_unknown_outcome_is_not_sent_again_after_its_window() -> None:
    assert decide(kind="presumed_spent", tries=1, retry_after_s=None).next is Next.GIVE_UP


def test_the_delay_is_spread_over_a_growing_ceiling() -> None:
    for tries in (1, 2):
        delays = [
            decide(kind="transient", tries=tries, retry_after_s=None, jitter=random.Random(n)).delay_s
            for n in range(200)
        ]
        assert min(delays) < 1
        assert 2**tries < max(delays) <= min(BACKOFF_CAP_S, 2 * 2**tries)


def test_the_vendors_own_retry_after_is_the_least_delay() -> None:
    assert decide(kind="transient", tries=1, retry_after_s=30).delay_s >= 30


def test_every_decision_says_why() -> None:
    assert decide(kind="content_refused", tries=1, retry_after_s=None).reason


def test_after_two_failures_at_one_provider_the_third_try_goes_to_another() -> None:
    first = decide(kind="transient", tries=1, failed_here=1, may_move=True, retry_after_s=None)
    second = decide(kind="transient", tries=2, failed_here=2, may_move=True, retry_after_s=None)
    assert (first.next, second.next) == (Next.RETRY, Next.MOVE)
    assert "2 times" in second.reason


def test_no_more_than_three_tries_are_made_at_all_providers_together() -> None:
    for kind in ("transient", "invalid_request", "presumed_spent"):
        assert decide(kind=kind, tries=3, failed_here=1, may_move=True, retry_after_s=None).next is Next.GIVE_UP


def test_another_provider_needs_the_policys_leave() -> None:
    assert decide(kind="transient", tries=2, failed_here=2, retry_after_s=None).next is Next.RETRY
    assert decide(kind="quota_exhausted", tries=1, failed_here=1, retry_after_s=None).next is Next.GIVE_UP


def test_a_refused_input_is_not_sent_to_another_provider_either() -> None:
    assert decide(kind="content_refused", tries=1, may_move=True, retry_after_s=None).next is Next.GIVE_UP


def test_a_rejected_key_or_request_goes_to_another_provider_at_once() -> None:
    for kind in ("credentials_rejected", "quota_exhausted", "invalid_request"):
        assert decide(kind=kind, tries=1, failed_here=1, may_move=True, retry_after_s=None).next is Next.MOVE


def test_with_nobody_else_a_passing_fault_is_tried_once_more_where_it_is() -> None:
    moving = decide(kind="transient", tries=2, failed_here=2, may_move=True, retry_after_s=None)
    assert stay(kind="transient", tries=2, decision=moving).next is Next.RETRY
    moving = decide(kind="invalid_request", tries=1, failed_here=1, may_move=True, retry_after_s=None)
    assert stay(kind="invalid_request", tries=1, decision=moving).next is Next.GIVE_UP
