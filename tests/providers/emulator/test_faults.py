"""Fault scripts: read strictly, fired on the calls they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from providers.emulator.faults import BadFaultScript, FaultScript, Trouble, load_faults, parse_faults


def test_a_yaml_file_and_a_json_file_say_the_same(tmp_path: Path) -> None:
    yaml, json = tmp_path / "f.yaml", tmp_path / "f.json"
    yaml.write_text("faults:\n  - {vendor: kling, endpoint: submit, nth: [2], do: lost_response}\n")
    json.write_text('{"faults": [{"vendor": "kling", "endpoint": "submit", "nth": [2], "do": "lost_response"}]}')
    assert load_faults(yaml) == load_faults(json)


@pytest.mark.parametrize(
    "script", [{"faults": 3}, [{"vendor": "kling"}], [{"do": "explode"}], [{"do": "slow", "when": 1}], ["slow"]]
)
def test_a_mistake_is_refused(script: object) -> None:
    with pytest.raises(BadFaultScript):
        parse_faults(script)


def test_a_rule_fires_on_the_calls_it_counts() -> None:
    script = FaultScript(parse_faults([{"vendor": "kling", "endpoint": "poll", "nth": [2, 3], "do": "status"}]))
    picked = [script.pick("kling", endpoint, b"") for endpoint in ("poll", "submit", "poll", "poll", "poll")]
    assert [fault is not None for fault in picked] == [False, False, True, True, False]
    assert script.fired[0] == 2


def test_a_rate_is_kept_over_many_calls_and_repeats_with_its_seed() -> None:
    rules = parse_faults([{"rate": 0.05, "do": "rate_limited"}])
    runs = [[FaultScript(rules, seed=3).pick("x", "y", b"") is not None] for _ in range(2)]
    script = FaultScript(rules, seed=3)
    hits = sum(script.pick("x", "y", b"") is not None for _ in range(4000))
    assert runs[0] == runs[1]
    assert 150 < hits < 250


def test_a_rule_can_be_bound_to_words_of_the_body_and_to_a_number_of_times() -> None:
    script = FaultScript(parse_faults([{"contains": "scene 3", "times": 1, "do": "refuse_at_end"}]))
    assert script.pick("kling", "submit", b"scene 2") is None
    fired = [script.pick("kling", "submit", b"scene 3") for _ in range(2)]
    assert fired[0] is not None
    assert fired[0].do is Trouble.REFUSE_AT_END
    assert fired[1] is None
