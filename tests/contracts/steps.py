"""The steps that contract tests share."""

from __future__ import annotations

from typing import Any

from providers.base import RemoteAdapter
from providers.values import Accepted, RemoteTask, TaskReport
from tests.contracts.cases import VendorCase
from tests.contracts.waiting import wait_for


def submit(adapter: RemoteAdapter, case: VendorCase, key: str, callback_url: str = "") -> RemoteTask:
    staged = adapter.stage_inputs(case.request.inputs, ratio=case.request.ratio)
    accepted = adapter.submit(case.request, staged, idempotency_key=key, callback_url=callback_url)
    assert isinstance(accepted, Accepted)
    return RemoteTask(accepted.remote_id, case.request.task, case.request.model, accepted.details)


def wait_until_final(adapter: RemoteAdapter, task: RemoteTask) -> TaskReport:
    return wait_for(lambda: next((r for r in [adapter.poll(task)] if r.state.is_final), None))


def fault(case: VendorCase, endpoint: str, do: str, **more: Any) -> dict[str, Any]:
    return {"vendor": case.prefix, "endpoint": endpoint, "do": do, **more}
