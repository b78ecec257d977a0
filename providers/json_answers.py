"""What language models answer, made safe: fences off, parsed, checked against the schema that was asked for.

A vendor's "structured output" is a promise that some servers accept and do not keep, so it is checked here always.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from providers.errors import Exchange
from providers.values import Amount, Finished

MAX_PROBLEMS = 8


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """``text`` is canonical JSON and empty when there are problems: a bad plan cannot be used by mistake."""

    text: str
    problems: tuple[str, ...] = ()


def read_json_answer(text: str, schema: Mapping[str, Any] | None) -> JsonAnswer:
    """Parse and check an answer; the problems are sentences that can be shown to the model when asking again."""
    try:
        value = json.loads(without_fence(text))
    except ValueError as error:
        return JsonAnswer("", (f"The answer is not JSON: {error}.",))
    problems = _problems(value, schema) if schema else ()
    if problems:
        return JsonAnswer("", problems)
    return JsonAnswer(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def finished_plan(
    text: str,
    schema: Mapping[str, Any] | None,
    *,
    remote_id: str,
    cost: Amount | None,
    served_by: Any,
    usage: Any,
    exchange: Exchange,
) -> Finished:
    """A language model's answer as every planner gives it: ``text`` is checked JSON, or empty with the problems said.

    ``raw`` keeps the answer as it came, the model that served it and the tokens: it is charged all the same.
    """
    answer = read_json_answer(text, schema) if schema else None
    problems = list(answer.problems) if answer else []
    raw = {"model_version": served_by, "usage": usage, "problems": problems, "answer": text}
    return Finished(remote_id=remote_id, text=answer.text if answer else text, cost=cost, raw=raw, exchange=exchange)


def without_fence(text: str) -> str:
    """The text inside a Markdown code fence, or the text itself."""
    stripped = text.strip()
    if not stripped.startswith("```"):
        return stripped
    inner = stripped.split("\n", 1)[1] if "\n" in stripped else ""
    return inner.rsplit("```", 1)[0].strip()


def _problems(value: Any, schema: Mapping[str, Any]) -> tuple[str, ...]:
    found = Draft202012Validator(dict(schema)).iter_errors(value)
    return tuple(
        f"{error.json_path}: {error.message[:200]}" for error, _ in zip(found, range(MAX_PROBLEMS), strict=False)
    )
