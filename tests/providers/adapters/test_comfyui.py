"""ComfyUI's peculiarities: graphs from a template, an id that finds but does not protect, jobs of strangers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
import responses

from providers.adapters.comfyui import ComfyUIAdapter, build_graph, prompt_id_of
from providers.errors import InvalidRequest
from providers.values import CancelResult, GenerationRequest, InputRole, RemoteState, RemoteTask, StagedInputs, Task
from tests.contracts.cases import clip, picture
from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "media"
REQUEST = clip("comfyui/wan2.2-5b", seed=5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    running = EmulatorProcess(tmp_path_factory.mktemp("comfy"), speed=20).start()
    yield running
    running.stop()


@pytest.fixture
def adapter(server: EmulatorProcess) -> ComfyUIAdapter:
    return ComfyUIAdapter(credentials={}, base_url=f"{server.url}/comfyui")


def submit(adapter: ComfyUIAdapter, request: GenerationRequest = REQUEST) -> RemoteTask:
    staged = adapter.stage_inputs(request.inputs, ratio=request.ratio)
    accepted = adapter.submit(request, staged, idempotency_key=uuid.uuid4().hex)
    return RemoteTask(accepted.remote_id, request.task, request.model)


def test_our_key_gives_a_canonical_uuid_and_always_the_same() -> None:
    made = prompt_id_of("attempt-1")
    assert str(uuid.UUID(made)) == made
    assert made == prompt_id_of("attempt-1") != prompt_id_of("attempt-2")


def test_the_template_is_filled_and_never_changed() -> None:
    card = ComfyUIAdapter.card(REQUEST.model)
    one = build_graph(card, replace(REQUEST, ratio="9:16", duration_s=5), StagedInputs(), "job-1")
    two = build_graph(card, REQUEST, StagedInputs(), "job-2")
    assert (one["8"]["inputs"]["width"], one["8"]["inputs"]["length"]) == (704, 121)
    assert (two["8"]["inputs"]["width"], two["8"]["inputs"]["length"]) == (1280, 73)
    assert "7" not in one
    assert "start_image" not in one["8"]["inputs"]
    assert one["5"]["inputs"]["text"] == REQUEST.prompt


def test_a_picture_is_uploaded_linked_and_used(adapter: ComfyUIAdapter, tmp_path: Path) -> None:
    photo = next(iter(sorted(EXAMPLES.rglob("*.jpg"))))
    asked = replace(REQUEST, task=Task.IMAGE_TO_VIDEO, duration_s=1, inputs=(picture(photo, InputRole.FIRST_FRAME),))
    task = submit(adapter, asked)
    report = wait_for(lambda: next((r for r in [adapter.poll(task)] if r.state.is_final), None))
    assert report.state is RemoteState.SUCCEEDED
    assert adapter.fetch_output(report, tmp_path)[0].size > 1000


def test_jobs_wait_for_one_another_and_a_cancel_ends_only_its_own(adapter: ComfyUIAdapter) -> None:
    first, second = submit(adapter), submit(adapter)
    wait_for(lambda: adapter.poll(first).state is RemoteState.RUNNING)
    assert adapter.poll(second).state is RemoteState.QUEUED
    assert adapter.cancel(second).result is CancelResult.CANCELLED
    assert adapter.poll(second).state is RemoteState.CANCELLED
    assert adapter.poll(first).state is RemoteState.RUNNING
    assert adapter.cancel(first).result is CancelResult.CANCELLED
    assert adapter.poll(first).state is RemoteState.CANCELLED


def test_the_same_id_sent_twice_runs_twice_as_on_a_real_server(
    adapter: ComfyUIAdapter, server: EmulatorProcess
) -> None:
    task = submit(adapter)
    graph = build_graph(ComfyUIAdapter.card(REQUEST.model), REQUEST, StagedInputs(), task.remote_id)
    body = {"prompt": graph, "prompt_id": task.remote_id}
    assert requests.post(f"{server.url}/comfyui/prompt", json=body, timeout=10).status_code == 200
    queue = requests.get(f"{server.url}/comfyui/queue", timeout=10).json()
    ids = [item[1] for item in queue["queue_running"] + queue["queue_pending"]]
    assert ids.count(task.remote_id) == 2


def test_a_graph_that_the_server_cannot_run_says_which_part(adapter: ComfyUIAdapter) -> None:
    asked = replace(REQUEST, task=Task.IMAGE_TO_VIDEO)
    with pytest.raises(InvalidRequest, match="first frame"):
        submit(adapter, asked)
    with pytest.raises(InvalidRequest, match="snap the request"):
        build_graph(ComfyUIAdapter.card(REQUEST.model), replace(REQUEST, ratio="1:2"), StagedInputs(), "x")


def test_an_older_server_is_stopped_by_queue_and_interrupt_with_the_jobs_id() -> None:
    base, job = "http://comfy.test", "11111111-1111-4111-8111-111111111111"
    with responses.RequestsMock() as web:
        web.get(f"{base}/api/queue", json={"queue_running": [[1, job, {}, {}, []]], "queue_pending": []})
        web.post(f"{base}/api/jobs/{job}/cancel", status=404)
        deleted = web.post(f"{base}/api/queue", body=b"")
        stopped = web.post(f"{base}/api/interrupt", body=b"")
        adapter = ComfyUIAdapter(credentials={}, base_url=base)
        outcome = adapter.cancel(RemoteTask(job, Task.TEXT_TO_VIDEO, REQUEST.model))
        assert outcome.result is CancelResult.REQUESTED
        assert json.loads(deleted.calls[0].request.body or "null") == {"delete": [job]}
        assert json.loads(stopped.calls[0].request.body or "null") == {"prompt_id": job}


def test_a_job_in_neither_list_is_unknown_and_not_called_lost() -> None:
    base = "http://comfy.test"
    with responses.RequestsMock() as web:
        web.get(f"{base}/api/queue", json={"queue_running": [], "queue_pending": []})
        web.get(f"{base}/api/history/j", json={})
        web.get(f"{base}/api/jobs/j", status=404)
        report = ComfyUIAdapter(credentials={}, base_url=base).poll(RemoteTask("j", Task.TEXT_TO_VIDEO, REQUEST.model))
    assert (report.state, report.vendor_state) == (RemoteState.UNKNOWN, "absent")
