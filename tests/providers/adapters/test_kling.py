"""KlingAI's words: the reference's own payloads read right in both designs, and each service code means one thing."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import responses

from providers.adapters.kling import KlingAdapter
from providers.errors import (
    ContentRefused,
    CredentialsRejected,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Transient,
    Unsupported,
)
from providers.values import Amount, GenerationRequest, InputRole, RemoteState, RemoteTask, StagedInputs, Task
from tests.contracts.cases import clip, picture

BASE = KlingAdapter.live_url
EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "media"
NEW_TASK = RemoteTask("893605946402811985", Task.TEXT_TO_VIDEO, "kling-3.0", {"design": "new"})
OLD_TASK = RemoteTask("867283741759111202", Task.TEXT_TO_VIDEO, "kling-2.6", {"design": "legacy", "kind": "text2video"})
NEW_ANSWER = {
    "id": "893605946402811985",
    "status": "succeeded",
    "message": "",
    "create_time": 1781080778802,
    "update_time": 1781080894151,
    "external_id": "job-42",
    "outputs": [
        {"type": "video", "id": "v-1", "url": "https://cdn.klingai.com/o.mp4", "watermark_url": "", "duration": "5.0"}
    ],
    "billing": [{"charge_type": "unit", "amount": "3", "package_type": "video"}],
}
OLD_ANSWER = {
    "task_id": "867283741759111202",
    "task_status": "succeed",
    "task_status_msg": "",
    "task_info": {"external_task_id": "job-42"},
    "final_unit_deduction": "3",
    "final_balance_deduction": {"quota": "0.42", "list_price": "0.42"},
    "created_at": 1774805076166,
    "updated_at": 1774805176166,
    "task_result": {"videos": [{"id": "vid-1", "url": "https://cdn.klingai.com/out.mp4", "duration": "5.1"}]},
}


def adapter(**credentials: str) -> KlingAdapter:
    return KlingAdapter(credentials=credentials or {"api_key": "key"})


def envelope(data: Any) -> dict[str, Any]:
    return {"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": data}


def test_the_references_answers_read_the_same_in_both_designs() -> None:
    with responses.RequestsMock() as web:
        web.get(f"{BASE}/tasks", json=envelope([NEW_ANSWER]))
        web.get(f"{BASE}/v1/videos/text2video/867283741759111202", json=envelope(OLD_ANSWER))
        new, old = adapter().poll(NEW_TASK), adapter(access_key="a", secret_key="s").poll(OLD_TASK)
    assert new.state is old.state is RemoteState.SUCCEEDED
    assert [output.url for output in (*new.outputs, *old.outputs)] == [
        "https://cdn.klingai.com/o.mp4",
        "https://cdn.klingai.com/out.mp4",
    ]
    assert new.idempotency_key == old.idempotency_key == "job-42"
    assert (new.cost, old.cost) == (Amount(Decimal(3), "kl-unit"), Amount(Decimal("0.42"), "USD"))


def test_a_callback_is_the_bare_object_of_either_design() -> None:
    for body in (NEW_ANSWER, OLD_ANSWER):
        (report,) = adapter().parse_webhook({}, json.dumps(body).encode())
        assert report.state is RemoteState.SUCCEEDED
        assert report.idempotency_key == "job-42"


CODES: list[tuple[int, int, type[ProviderError], type[ProviderError]]] = [
    (401, 1000, CredentialsRejected, CredentialsRejected),
    (401, 1004, CredentialsRejected, CredentialsRejected),
    (429, 1101, QuotaExhausted, QuotaExhausted),
    (429, 1102, QuotaExhausted, QuotaExhausted),
    (403, 1103, CredentialsRejected, CredentialsRejected),
    (400, 1200, InvalidRequest, InvalidRequest),
    (404, 1203, InvalidRequest, InvalidRequest),
    (400, 1300, ContentRefused, ContentRefused),
    (400, 1301, ContentRefused, ContentRefused),
    (429, 1302, RateLimited, RateLimited),
    (429, 1303, RateLimited, RateLimited),
    (429, 1304, CredentialsRejected, CredentialsRejected),
    (500, 5000, OutcomeUnknown, Transient),
    (503, 5001, OutcomeUnknown, Transient),
    (504, 5002, OutcomeUnknown, Transient),
    (200, 5000, OutcomeUnknown, Transient),
    (200, 1301, ContentRefused, ContentRefused),
]


@pytest.mark.parametrize(("status", "code", "to_submit", "to_read"), CODES)
def test_the_service_code_decides_and_not_the_status(
    status: int, code: int, to_submit: type[ProviderError], to_read: type[ProviderError]
) -> None:
    body = {"code": code, "message": "words", "request_id": "r"}
    with responses.RequestsMock() as web:
        web.post(f"{BASE}/text-to-video/kling-3.0", json=body, status=status)
        web.get(f"{BASE}/tasks", json=body, status=status)
        with pytest.raises(to_submit) as caught:
            adapter().submit(clip("kling-3.0"), StagedInputs(), idempotency_key="k")
        with pytest.raises(to_read):
            adapter().poll(NEW_TASK)
    assert caught.value.vendor_code == str(code)
    assert caught.value.exchange is not None


def test_a_key_that_was_used_before_means_that_the_task_exists() -> None:
    body = {"code": 1201, "message": "external_task_id already exists", "request_id": "r"}
    with responses.RequestsMock() as web:
        web.post(f"{BASE}/text-to-video/kling-3.0", json=body, status=400)
        with pytest.raises(OutcomeUnknown):
            adapter().submit(clip("kling-3.0"), StagedInputs(), idempotency_key="k")


def sent(request: GenerationRequest, **credentials: str) -> dict[str, Any]:
    """The body that a request becomes."""
    kling = adapter(**credentials)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as web:
        answer = envelope({"id": "1", "task_id": "1", "status": "submitted"})
        for path in ("text-to-video/kling-3.0", "image-to-video/kling-3.0", "v1/videos/text2video"):
            web.post(f"{BASE}/{path}", json=answer)
        kling.submit(request, kling.stage_inputs(request.inputs, ratio=request.ratio), idempotency_key="key-1")
        return dict(json.loads(web.calls[0].request.body or "{}"))


def test_the_new_design_gets_numbers_and_the_legacy_one_texts() -> None:
    new = sent(clip("kling-3.0", options={"audio": "native"}))
    assert new["settings"] == {"resolution": "720p", "duration": 3, "audio": "native", "aspect_ratio": "16:9"}
    assert new["options"] == {"external_task_id": "key-1"}
    old = sent(clip("kling-3.0", negative_prompt="text"), access_key="a", secret_key="s")
    assert (old["model_name"], old["duration"], old["mode"]) == ("kling-v3", "3", "std")
    assert (old["external_task_id"], old["negative_prompt"]) == ("key-1", "text")


def test_a_first_frame_goes_inline_cropped_to_the_asked_ratio() -> None:
    photo = next(iter(sorted(EXAMPLES.rglob("*.jpg"))))
    request = clip("kling-3.0", Task.IMAGE_TO_VIDEO, ratio="9:16", inputs=(picture(photo, InputRole.FIRST_FRAME),))
    body = sent(request)
    text, frame = body["contents"]
    assert text == {"type": "prompt", "text": request.prompt}
    assert not frame["url"].startswith("data:")
    seen = cv2.imdecode(np.frombuffer(base64.b64decode(frame["url"]), np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    assert seen.shape[1] / seen.shape[0] == pytest.approx(9 / 16, abs=0.01)
    assert "aspect_ratio" not in body["settings"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"negative_prompt": "text"}, Unsupported),
        ({"seed": 3}, Unsupported),
        ({"duration_s": 3.5}, InvalidRequest),
        ({"options": {"cfg_scale": 1}}, Unsupported),
        ({"task": Task.IMAGE_TO_VIDEO}, InvalidRequest),
    ],
)
def test_what_cannot_be_expressed_is_refused_and_never_dropped(
    changes: dict[str, Any], error: type[ProviderError]
) -> None:
    with pytest.raises(error):
        adapter().submit(replace(clip("kling-3.0"), **changes), StagedInputs(), idempotency_key="k")
