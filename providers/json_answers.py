"""What language models answer, made safe: fences off, parsed, checked against the schema that was asked for.

A vendor's "structured output" is a promise that some servers accept and do not keep, so it is checked here always.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

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
