"""One suite for every adapter, against the emulator as a real process: the contract of ``providers.base``."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from genengine.media import probe
from providers.base import RemoteAdapter
from providers.errors import (
    CredentialsRejected,
    ErrorKind,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    ResultGone,
    Transient,
)
from providers.http import Timeouts
from providers.values import CancelResult, RemoteState
from tests.contracts.cases import CASES, VendorCase, case_ids
from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.steps import fault, submit, wait_until_final
from tests.contracts.waiting import wait_for

every_case = pytest.mark.parametrize(**case_ids())
signing_in = pytest.mark.parametrize(**case_ids(lambda case: case.signs_in))
moderated = pytest.mark.parametrize(**case_ids(lambda case: case.moderates))
with_states = pytest.mark.parametrize(**case_ids(lambda case: case.names_states))
with_files = pytest.mark.parametrize(**case_ids(lambda case: not case.inline_results))
with_inline_results = pytest.mark.parametrize(**case_ids(lambda case: case.inline_results))


@every_case
def test_takes_a_request_from_submit_to_a_file_that_decodes(
    case: VendorCase, adapter: RemoteAdapter, key: str, tmp_path: Path
) -> None:
    report = wait_until_final(adapter, submit(adapter, case, key))
    assert report.state is RemoteState.SUCCEEDED
    (artefact,) = adapter.fetch_output(report, tmp_path)
    assert hashlib.sha256(artefact.path.read_bytes()).hexdigest() == artefact.sha256
    assert artefact.size == artefact.path.stat().st_size
    media = probe(artefact.path)
    assert media.video is not None
    assert abs(float(media.duration_s) - case.request.duration_s) < 0.2
    assert abs(media.video.width / media.video.height - 16 / 9) < 0.05


@every_case
def test_the_vendors_own_charge_is_within_a_tenth_of_the_estimate(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str
) -> None:
    estimate = adapter.estimate(case.request)
    wait_until_final(adapter, submit(adapter, case, key))
    (bill,) = emulator.bills(key)
    assert float(bill["cost"]) == pytest.approx(float(estimate.amount), rel=0.1)


@every_case
def test_states_pass_from_waiting_to_succeeded_and_never_back(
    case: VendorCase, adapter: RemoteAdapter, key: str
) -> None:
    order = [RemoteState.QUEUED, RemoteState.RUNNING, RemoteState.SUCCEEDED]
    task, seen = submit(adapter, case, key), []

    def is_over() -> bool:
        report = adapter.poll(task)
        assert report.progress is None or 0 <= report.progress <= 1
        seen.append(order.index(report.state))
        return report.state.is_final

    wait_for(is_over)
    assert seen == sorted(seen)
    assert seen[0] < 2 or not case.names_states


@every_case
def test_a_lost_answer_is_an_unknown_outcome_that_is_found_and_paid_once(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str
) -> None:
    emulator.script(fault(case, "submit", "lost_response", nth=[1]))
    with pytest.raises(OutcomeUnknown):
        submit(adapter, case, key)
    if case.finds_by_key:
        found = adapter.find_by_key(key, request=case.request)
        assert found is not None
        assert wait_until_final(adapter, found).state is RemoteState.SUCCEEDED
    assert len(emulator.bills(key)) == 1


@every_case
def test_a_key_that_was_never_used_is_found_nowhere(case: VendorCase, adapter: RemoteAdapter, key: str) -> None:
    if not case.finds_by_key:
        with pytest.raises(ProviderError):
            adapter.find_by_key(key, request=case.request)
        return
    assert adapter.find_by_key(key, request=case.request) is None


@every_case
def test_an_answer_slower_than_our_patience_is_an_unknown_outcome(
    case: VendorCase, emulator: EmulatorProcess, key: str
) -> None:
    adapter = case.adapter(emulator.url)
    adapter.client.timeouts = Timeouts(connect=2, read=0.3, submit=0.3)
    emulator.script(fault(case, "submit", "slow", seconds=2))
    with pytest.raises(OutcomeUnknown):
        submit(adapter, case, key)


@every_case
def test_a_refused_connection_was_never_sent(case: VendorCase, key: str) -> None:
    adapter = case.adapter("http://127.0.0.1:9")
    with pytest.raises(Transient):
        submit(adapter, case, key)


@every_case
@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_server_error_to_a_submit_proves_nothing(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str, status: int
) -> None:
    emulator.script(fault(case, "submit", "status", status=status))
    with pytest.raises(OutcomeUnknown) as caught:
        submit(adapter, case, key)
    assert caught.value.exchange is not None
    assert caught.value.exchange.status == status


@every_case
def test_a_server_error_after_the_work_is_an_unknown_outcome_too(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str
) -> None:
    emulator.script(fault(case, "submit", "status", status=500, after=True))
    with pytest.raises(OutcomeUnknown):
        submit(adapter, case, key)
    assert [line["status"] for line in emulator.lines() if line.get("billed")][-1] == 500


@every_case
def test_a_server_error_to_a_poll_is_transient(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str
) -> None:
    task = submit(adapter, case, key)
    emulator.script(fault(case, "poll", "status", status=503, nth=[1]))
    with pytest.raises(Transient):
        adapter.poll(task)
    assert adapter.poll(task).remote_id == task.remote_id


@every_case
@pytest.mark.parametrize("wait", [None, 3])
def test_too_many_requests_is_said_with_the_vendors_wait_if_it_names_one(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str, wait: float | None
) -> None:
    emulator.script(fault(case, "submit", "rate_limited", retry_after=wait))
    with pytest.raises(RateLimited) as caught:
        submit(adapter, case, key)
    assert caught.value.retry_after == wait
    assert emulator.bills(key) == []


@every_case
def test_an_error_inside_a_good_status_is_still_an_error(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str
) -> None:
    task = submit(adapter, case, key)
    emulator.script(fault(case, "poll", "error_body", nth=[1]), fault(case, "submit", "error_body", nth=[1]))
    with pytest.raises(ProviderError):
        adapter.poll(task)
    with pytest.raises(ProviderError):
        submit(adapter, case, uuid.uuid4().hex)


@every_case
def test_a_page_where_json_belongs_is_never_taken_for_an_answer(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str
) -> None:
    task = submit(adapter, case, key)
    emulator.script(fault(case, "poll", "not_json", nth=[1]), fault(case, "submit", "not_json", nth=[1]))
    with pytest.raises(ProviderError):
        adapter.poll(task)
    with pytest.raises(OutcomeUnknown):
        submit(adapter, case, uuid.uuid4().hex)


@moderated
def test_a_refusal_for_content_at_the_end_is_told_apart_and_not_charged_here(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str
) -> None:
    emulator.script(fault(case, "submit", "refuse_at_end"))
    report = wait_until_final(adapter, submit(adapter, case, key))
    assert report.state is RemoteState.FAILED
    assert report.error is not None
    assert report.error.kind is ErrorKind.CONTENT_REFUSED


@every_case
def test_a_failure_at_the_end_may_be_tried_again(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str
) -> None:
    emulator.script(fault(case, "submit", "fail_at_end"))
    report = wait_until_final(adapter, submit(adapter, case, key))
    assert report.error is not None
    assert report.error.kind is ErrorKind.TRANSIENT


@every_case
def test_a_cancel_says_what_it_came_to(case: VendorCase, adapter: RemoteAdapter, key: str) -> None:
    task = submit(adapter, case, key)
    outcome = adapter.cancel(task)
    assert outcome.message.endswith(".")
    state = wait_until_final(adapter, task).state
    expected = {CancelResult.CANCELLED: RemoteState.CANCELLED, CancelResult.NOT_SUPPORTED: RemoteState.SUCCEEDED}
    assert state is expected.get(outcome.result, state)


@every_case
def test_a_cancel_that_comes_too_late_changes_nothing(case: VendorCase, adapter: RemoteAdapter, key: str) -> None:
    task = submit(adapter, case, key)
    before = wait_until_final(adapter, task)
    outcome = adapter.cancel(task)
    assert outcome.result in (CancelResult.TOO_LATE, CancelResult.NOT_SUPPORTED)
    assert adapter.poll(task).state is before.state


@signing_in
def test_wrong_credentials_are_refused_and_right_ones_proved(case: VendorCase, emulator: EmulatorProcess) -> None:
    assert case.adapter(emulator.url).check_credentials().ok
    with pytest.raises(CredentialsRejected):
        case.adapter(emulator.url, credentials=case.wrong).check_credentials()


@every_case
def test_no_secret_is_in_any_kept_exchange(case: VendorCase, adapter: RemoteAdapter, key: str) -> None:
    wait_until_final(adapter, submit(adapter, case, key))
    adapter.check_credentials()
    kept = repr(adapter.take_exchanges())
    assert "[removed]" in kept
    for secret in case.secrets:
        assert secret not in kept
    assert adapter.exchanges == []


@every_case
def test_our_correlation_id_reaches_the_vendors_log(case: VendorCase, emulator: EmulatorProcess, key: str) -> None:
    correlation = uuid.uuid4().hex
    submit(case.adapter(emulator.url, correlation_id=correlation), case, key)
    assert correlation in {line.get("correlation_id") for line in emulator.lines()}


@every_case
def test_what_the_model_cannot_do_is_refused_before_anything_is_sent(
    case: VendorCase, adapter: RemoteAdapter, key: str
) -> None:
    odd = replace(case.request, options={"no_such_option": 1})
    with pytest.raises(ProviderError):
        adapter.submit(odd, adapter.stage_inputs(odd.inputs, ratio=odd.ratio), idempotency_key=key)
    assert [exchange for exchange in adapter.exchanges if exchange.method == "POST"] == []


@every_case
def test_a_report_can_be_stored_as_json(case: VendorCase, adapter: RemoteAdapter, key: str) -> None:
    task = submit(adapter, case, key)
    assert json.loads(json.dumps(dict(task.details))) == dict(task.details)
    assert json.dumps(dict(adapter.poll(task).raw))


@every_case
def test_every_case_is_a_provider_of_the_catalogue(case: VendorCase) -> None:
    from providers.catalogue import adapters

    assert adapters()[case.kind.name] is case.kind
    assert case in CASES


@with_states
def test_a_state_we_have_never_met_is_unknown_and_kept(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str
) -> None:
    task = submit(adapter, case, key)
    emulator.script(fault(case, "poll", "unknown_state", nth=[1]))
    report = adapter.poll(task)
    assert report.state is RemoteState.UNKNOWN
    assert report.vendor_state


@with_files
def test_an_expired_address_and_a_short_file_are_told_apart_and_fetched_again(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str, tmp_path: Path
) -> None:
    report = wait_until_final(adapter, submit(adapter, case, key))
    emulator.script(fault(case, "fetch", "expired_url", nth=[1]), fault(case, "fetch", "truncated_file", nth=[2]))
    with pytest.raises(ResultGone):
        adapter.fetch_output(report, tmp_path)
    with pytest.raises(Transient):
        adapter.fetch_output(report, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (artefact,) = adapter.fetch_output(report, tmp_path)
    assert probe(artefact.path).video is not None


@with_inline_results
def test_an_inline_result_that_is_cut_short_is_fetched_again(
    case: VendorCase, adapter: RemoteAdapter, emulator: EmulatorProcess, key: str, tmp_path: Path
) -> None:
    report = wait_until_final(adapter, submit(adapter, case, key))
    assert len(json.dumps(dict(report.raw))) < 5000
    emulator.script(fault(case, "poll", "truncated_file", nth=[1]))
    with pytest.raises(Transient):
        adapter.fetch_output(report, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (artefact,) = adapter.fetch_output(report, tmp_path)
    assert probe(artefact.path).video is not None
