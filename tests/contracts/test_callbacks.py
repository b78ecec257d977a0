"""Callbacks of every vendor that sends them: signed, verified, the same report a poll gives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from providers.base import RemoteAdapter, utc_now
from providers.errors import WebhookRejected
from providers.values import RemoteState
from tests.contracts.callback_receiver import Callback, callback_receiver
from tests.contracts.cases import VendorCase, case_ids
from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.steps import fault, submit, wait_until_final
from tests.contracts.waiting import wait_for

pytestmark = pytest.mark.parametrize(**case_ids(lambda case: case.webhooks))


@pytest.fixture
def callbacks(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str, request: pytest.FixtureRequest
) -> Iterator[list[Callback]]:
    """The callbacks of one task, those of a scripted fault included, once the final one has come."""
    trouble = getattr(request, "param", "")
    if trouble:
        emulator.script(fault(case, "submit", trouble, seconds=0.5))
    with callback_receiver() as receiver:
        task = submit(adapter, case, key, receiver.url)
        wait_until_final(adapter, task)
        wait_for(lambda: len(receiver.received) >= (2 if trouble == "duplicate_webhook" else 1))
        wait_for(lambda: any(_is_final(adapter, item) for item in receiver.received))
        yield receiver.received


def _is_final(adapter: RemoteAdapter, item: Callback) -> bool:
    return any(report.state.is_final for report in adapter.parse_webhook(item.headers, item.body))


@pytest.mark.parametrize("callbacks", ["", "duplicate_webhook", "late_webhook"], indirect=True)
def test_a_callback_is_verified_and_says_what_a_poll_says(
    case: VendorCase, adapter: RemoteAdapter, callbacks: list[Callback]
) -> None:
    for item in callbacks:
        adapter.verify_webhook(item.headers, item.body)
    final = [item for item in callbacks if _is_final(adapter, item)][-1]
    (report,) = adapter.parse_webhook(final.headers, final.body)
    assert report.state is RemoteState.SUCCEEDED
    assert report.remote_id


def test_a_callback_that_was_altered_or_is_old_is_rejected(
    case: VendorCase, adapter: RemoteAdapter, callbacks: list[Callback]
) -> None:
    item = callbacks[-1]
    with pytest.raises(WebhookRejected):
        adapter.verify_webhook(item.headers, item.body.replace(b'"', b"'", 1))
    with pytest.raises(WebhookRejected):
        adapter.verify_webhook({}, item.body)
    adapter.clock = lambda: utc_now() + timedelta(hours=1)
    with pytest.raises(WebhookRejected):
        adapter.verify_webhook(item.headers, item.body)


@pytest.mark.parametrize("callbacks", ["forged_webhook"], indirect=True)
def test_a_forged_callback_is_rejected(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, callbacks: list[Callback]
) -> None:
    def verdicts() -> list[bool]:
        return [_holds(adapter, item) for item in callbacks]

    wait_for(lambda: False in verdicts() and True in verdicts())


def _holds(adapter: RemoteAdapter, item: Callback) -> bool:
    try:
        adapter.verify_webhook(item.headers, item.body)
    except WebhookRejected:
        return False
    return True
