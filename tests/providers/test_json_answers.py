"""A model's answer is used only when it is JSON that fits the schema."""

from __future__ import annotations

import json

import pytest

from providers.json_answers import read_json_answer
from tests.contracts.cases import STORYBOARD

GOOD = {
    "title": "Slow",
    "scenes": [{"visual": "a cup", "duration_ms": 4000, "transition": "cut"}] * 2,
}


@pytest.mark.parametrize("dress", ["{}", "```json\n{}\n```", "  ```\n{}```  "])
def test_a_fitting_answer_is_read_with_or_without_a_fence(dress: str) -> None:
    answer = read_json_answer(dress.replace("{}", json.dumps(GOOD)), STORYBOARD)
    assert json.loads(answer.text) == GOOD
    assert answer.problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure! Here is your plan.",
        json.dumps(GOOD)[:-5],
        json.dumps({**GOOD, "scenes": []}),
        json.dumps({**GOOD, "extra": 1}),
        json.dumps({**GOOD, "scenes": [{"visual": "x", "duration_ms": "4", "transition": "cut"}] * 2}),
        "[]",
    ],
)
def test_anything_else_has_no_text_and_says_why(text: str) -> None:
    answer = read_json_answer(text, STORYBOARD)
    assert answer.text == ""
    assert answer.problems
    assert len(answer.problems) <= 8


def test_without_a_schema_any_json_is_taken() -> None:
    assert read_json_answer('{"a": [1]}', None).text == '{"a":[1]}'
