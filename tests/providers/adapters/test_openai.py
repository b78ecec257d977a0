"""Own servers: the schema is shown where it is not enforced, and a bad answer never becomes a plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
import responses

from providers.adapters.openai import OpenAIAdapter
from providers.errors import ContentRefused, OutcomeUnknown, QuotaExhausted
from providers.values import GenerationRequest, StagedInputs, Task
from tests.contracts.cases import STORYBOARD

BASE = "http://127.0.0.1:11434/v1"
REQUEST = GenerationRequest(Task.PLAN_SCENES, "own-llm", "Cold brew", options={"schema": STORYBOARD})
GOOD = {"title": "Slow", "scenes": [{"visual": "a cup", "duration_ms": 4000, "transition": "cut"}] * 2}


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def adapter(**credentials: str) -> OpenAIAdapter:
    return OpenAIAdapter(credentials={"model": "llama-3", **credentials}, base_url=BASE)


def answer(server: responses.RequestsMock, content: object, *, status: int = 200, **more: object) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    message = {"role": "assistant", "content": text}
    body = {"id": "c-1", "model": "llama-3", "choices": [{"message": message, "finish_reason": "stop"}], **more}
    server.post(f"{BASE}/chat/completions", json=body, status=status)


@pytest.mark.parametrize("mode", ["json_object", "prompt"])
def test_a_server_that_does_not_enforce_a_schema_is_shown_it(server: responses.RequestsMock, mode: str) -> None:
    answer(server, GOOD)
    plan = adapter(schema_mode=mode, token_field="max_tokens").submit(REQUEST, StagedInputs(), idempotency_key="k")
    sent = json.loads(server.calls[0].request.body or "{}")
    assert json.loads(plan.text) == GOOD
    assert sent["model"] == "llama-3"
    assert sent["max_tokens"] == 8192
    assert '"duration_ms"' in sent["messages"][0]["content"]
    assert ("response_format" in sent) == (mode == "json_object")
    assert "Authorization" not in server.calls[0].request.headers


def test_an_answer_that_does_not_fit_is_paid_and_has_no_text(server: responses.RequestsMock) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 2000}
    answer(server, {"title": "x"}, usage=usage)
    asked = GenerationRequest(Task.PLAN_SCENES, "gpt-6-sol", "Cold brew", options={"schema": STORYBOARD})
    plan = adapter(api_key="sk-x").submit(asked, StagedInputs(), idempotency_key="k")
    assert plan.text == ""
    assert "scenes" in plan.raw["problems"][0]
    assert plan.cost is not None
    assert plan.cost.value == Decimal("0.022")


def test_a_refusal_and_an_error_inside_a_good_status_are_errors(server: responses.RequestsMock) -> None:
    server.post(
        f"{BASE}/chat/completions",
        json={"choices": [{"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"}]},
    )
    with pytest.raises(ContentRefused):
        adapter().submit(REQUEST, StagedInputs(), idempotency_key="k")
    server.post(f"{BASE}/chat/completions", json={"error": {"code": 502, "message": "upstream"}})
    with pytest.raises(OutcomeUnknown):
        adapter().submit(REQUEST, StagedInputs(), idempotency_key="k")
    server.post(f"{BASE}/chat/completions", json={"error": {"code": 402, "message": "no credits"}})
    with pytest.raises(QuotaExhausted):
        adapter().submit(REQUEST, StagedInputs(), idempotency_key="k")
