"""What is peculiar to Replicate: results that vanish, versions that are pinned, waits that are written in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses

from providers.adapters.replicate import ReplicateAdapter
from providers.errors import ErrorKind, InvalidRequest, RateLimited
from providers.values import (
    Accepted,
    GenerationRequest,
    InputRole,
    RemoteState,
    RemoteTask,
    StagedInput,
    StagedInputs,
    Task,
    TaskReport,
)

BASE = "https://api.replicate.com/v1"
TASK = RemoteTask("p1", Task.TEXT_TO_VIDEO, "google/veo-3")


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def adapter() -> ReplicateAdapter:
    return ReplicateAdapter(credentials={"api_key": "r8_x"})


def report(web: responses.RequestsMock, adapter: ReplicateAdapter, **prediction: Any) -> TaskReport:
    web.get(f"{BASE}/predictions/p1", json={"id": "p1", **prediction})
    return adapter.poll(TASK)


def test_a_run_whose_result_was_removed_is_lost_and_not_a_success(
    web: responses.RequestsMock, adapter: ReplicateAdapter
) -> None:
    seen = report(web, adapter, status="succeeded", output=None, data_removed=True)
    assert seen.state is RemoteState.FAILED
    assert seen.error is not None
    assert seen.error.kind is ErrorKind.RESULT_GONE


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("The input was flagged as sensitive (E005)", ErrorKind.CONTENT_REFUSED),
        ("Prediction interrupted; please retry (code: PA)", ErrorKind.TRANSIENT),
        ("E1000: unknown", ErrorKind.TRANSIENT),
        ("ValueError: width must be divisible by 8", ErrorKind.INVALID_REQUEST),
    ],
)
def test_the_text_of_a_failure_says_whether_it_may_be_tried_again(
    web: responses.RequestsMock, adapter: ReplicateAdapter, words: str, kind: ErrorKind
) -> None:
    seen = report(web, adapter, status="failed", error=words)
    assert seen.error is not None
    assert seen.error.kind is kind


def test_a_community_model_is_pinned_to_the_version_that_was_read(
    web: responses.RequestsMock, adapter: ReplicateAdapter
) -> None:
    web.get(f"{BASE}/models/stability-ai/sdxl", json={"latest_version": {"id": "abc"}})
    web.post(f"{BASE}/predictions", json={"id": "p2", "status": "starting"}, status=201)
    asked = GenerationRequest(Task.TEXT_TO_IMAGE, "stability-ai/sdxl", "A cup", ratio="1:1", seed=4)
    made = adapter.submit(asked, StagedInputs(), idempotency_key="k")
    assert isinstance(made, Accepted)
    assert made.details == {"version": "abc"}
    assert json.loads(web.calls[1].request.body or "{}")["version"] == "abc"


def test_a_transcript_is_written_from_the_report(
    web: responses.RequestsMock, adapter: ReplicateAdapter, tmp_path: Path
) -> None:
    seen = report(web, adapter, status="succeeded", output={"transcription": "hello", "segments": []})
    (artefact,) = adapter.fetch_output(seen, tmp_path)
    assert json.loads(artefact.path.read_text())["transcription"] == "hello"


def test_the_wait_is_read_from_the_words(web: responses.RequestsMock, adapter: ReplicateAdapter) -> None:
    words = "Request was throttled. Your rate limit resets in ~30s."
    web.get(f"{BASE}/predictions/p1", json={"detail": words, "status": 429}, status=429)
    with pytest.raises(RateLimited) as caught:
        adapter.poll(TASK)
    assert caught.value.retry_after == 30


FRAME = StagedInputs((StagedInput(InputRole.FIRST_FRAME, "https://files.example/frame.jpg", "image/jpeg"),))


def a_still_that_moves(**options: Any) -> GenerationRequest:
    model = "stability-ai/stable-video-diffusion"
    return GenerationRequest(Task.IMAGE_TO_VIDEO, model, "", duration_s=3.125, seed=4, options=options)


def test_a_version_that_is_named_is_the_one_that_runs(web: responses.RequestsMock, adapter: ReplicateAdapter) -> None:
    pinned = "ab" * 32
    web.post(f"{BASE}/predictions", json={"id": "p1", "status": "starting"}, status=201)
    accepted = adapter.submit(a_still_that_moves(version=pinned), FRAME, idempotency_key="k")
    assert isinstance(accepted, Accepted)
    assert accepted.details == {"version": pinned}
    sent = json.loads(web.calls[0].request.body or "{}")  # type: ignore[arg-type]
    assert sent["version"] == pinned
    assert sent["input"]["frames_per_second"] == 8
    assert sent["input"]["seed"] == 4


def test_a_version_that_is_none_and_a_missing_picture_are_refused_unsent(adapter: ReplicateAdapter) -> None:
    for request, staged in ((a_still_that_moves(version="newest"), FRAME), (a_still_that_moves(), StagedInputs())):
        with pytest.raises(InvalidRequest):
            adapter.submit(request, staged, idempotency_key="k")
    assert adapter.exchanges == []
