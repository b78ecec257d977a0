"""Vendors that answer at once: the result is written down whole, and a lost answer is never sent again."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from providers.base import RemoteAdapter
from providers.errors import (
    ContentRefused,
    CredentialsRejected,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Transient,
    Unsupported,
)
from providers.http import Timeouts
from providers.values import Finished
from tests.contracts.cases import VendorCase, call_ids
from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.steps import fault

pytestmark = pytest.mark.parametrize(**call_ids())


def call(adapter: RemoteAdapter, case: VendorCase, sink: Path) -> Finished:
    staged = adapter.stage_inputs(case.request.inputs, ratio=case.request.ratio)
    finished = adapter.submit(case.request, staged, idempotency_key=uuid.uuid4().hex, sink=sink)
    assert isinstance(finished, Finished)
    return finished


def test_the_answer_is_on_disk_hashed_and_charged_once(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str, tmp_path: Path
) -> None:
    finished = call(adapter, case, tmp_path)
    assert finished.artefacts or finished.text
    for artefact in finished.artefacts:
        assert hashlib.sha256(artefact.path.read_bytes()).hexdigest() == artefact.sha256
        assert artefact.size == artefact.path.stat().st_size > 50
    (bill,) = emulator.bills(key)
    expected = float(adapter.estimate(case.request).amount)
    assert float(bill["cost"]) <= expected * 1.1
    assert case.upper_estimate or float(bill["cost"]) >= expected * 0.9


@pytest.mark.parametrize("trouble", ["lost_response", "truncated_file", "not_json"])
def test_an_answer_that_is_lost_cut_or_foreign_is_an_unknown_outcome(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, tmp_path: Path, trouble: str
) -> None:
    emulator.script(fault(case, "submit", trouble))
    with pytest.raises(OutcomeUnknown):
        call(adapter, case, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_server_error_proves_nothing(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, tmp_path: Path, status: int
) -> None:
    emulator.script(fault(case, "submit", "status", status=status))
    with pytest.raises(OutcomeUnknown):
        call(adapter, case, tmp_path)


def test_an_error_inside_a_good_status_is_still_an_error(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, tmp_path: Path
) -> None:
    emulator.script(fault(case, "submit", "error_body"))
    with pytest.raises(ProviderError):
        call(adapter, case, tmp_path)


@pytest.mark.parametrize("wait", [None, 3])
def test_too_many_requests_is_said_with_the_vendors_wait(
    case: VendorCase,
    adapter: RemoteAdapter,
    emulator: EmulatorProcess,
    key: str,
    tmp_path: Path,
    wait: float | None,
) -> None:
    emulator.script(fault(case, "submit", "rate_limited", retry_after=wait))
    with pytest.raises(RateLimited) as caught:
        call(adapter, case, tmp_path)
    assert caught.value.retry_after == wait
    assert emulator.bills(key) == []


def test_a_refusal_for_content_is_told_apart(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, tmp_path: Path
) -> None:
    emulator.script(fault(case, "submit", "refuse_at_end"))
    with pytest.raises(ContentRefused):
        call(adapter, case, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_slow_answer_is_unknown_and_a_refused_connection_was_never_sent(
    case: VendorCase, emulator: EmulatorProcess, tmp_path: Path
) -> None:
    adapter = case.adapter(emulator.url)
    adapter.client.timeouts = Timeouts(connect=2, read=0.3, submit=0.3)
    emulator.script(fault(case, "submit", "slow", seconds=2))
    with pytest.raises(OutcomeUnknown):
        call(adapter, case, tmp_path)
    with pytest.raises(Transient):
        call(case.adapter("http://127.0.0.1:9"), case, tmp_path)


def test_wrong_credentials_are_refused_and_right_ones_proved(
    case: VendorCase, emulator: EmulatorProcess, tmp_path: Path
) -> None:
    assert case.adapter(emulator.url).check_credentials().ok
    wrong = case.adapter(emulator.url, credentials=case.wrong)
    with pytest.raises(CredentialsRejected):
        wrong.check_credentials()
    with pytest.raises(CredentialsRejected):
        call(wrong, case, tmp_path)


def test_no_secret_is_in_any_kept_exchange(case: VendorCase, adapter: RemoteAdapter, tmp_path: Path) -> None:
    call(adapter, case, tmp_path)
    kept = repr(adapter.take_exchanges())
    assert "[removed]" in kept
    assert not [secret for secret in case.secrets if secret in kept]
    assert len(kept) < 40_000


def test_a_call_without_a_place_for_its_answer_or_with_an_unknown_option_is_not_sent(
    case: VendorCase, adapter: RemoteAdapter, tmp_path: Path
) -> None:
    odd = replace(case.request, options={**case.request.options, "no_such_option": 1})
    with pytest.raises(Unsupported):
        adapter.submit(odd, adapter.stage_inputs(()), idempotency_key="k", sink=tmp_path)
    if not case.upper_estimate:  # a plan is text and needs no place
        with pytest.raises(InvalidRequest):
            adapter.submit(case.request, adapter.stage_inputs(()), idempotency_key="k")
    assert adapter.exchanges == []
