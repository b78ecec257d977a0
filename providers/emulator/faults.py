"""Scripted trouble: which call of which vendor goes wrong, and how.

A script is a YAML or JSON file, or a body sent to ``/_control/faults``::

    faults:
      - {vendor: kling, endpoint: submit, nth: [1], do: lost_response}
      - {vendor: "*", endpoint: poll, rate: 0.05, do: status, status: 503}
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml


class Trouble(StrEnum):
    """What may go wrong. The first group spoils an answer, the second a task's end, webhooks or its file."""

    LOST_RESPONSE = "lost_response"
    DROP_BEFORE = "drop_before"
    STATUS = "status"
    RATE_LIMITED = "rate_limited"
    ERROR_BODY = "error_body"
    NOT_JSON = "not_json"
    SLOW = "slow"
    UNKNOWN_STATE = "unknown_state"
    REFUSE_AT_END = "refuse_at_end"
    FAIL_AT_END = "fail_at_end"
    NEVER_ENDS = "never_ends"
    DUPLICATE_WEBHOOK = "duplicate_webhook"
    LATE_WEBHOOK = "late_webhook"
    LOST_WEBHOOK = "lost_webhook"
    FORGED_WEBHOOK = "forged_webhook"
    TRUNCATED_FILE = "truncated_file"
    EXPIRED_URL = "expired_url"


class BadFaultScript(ValueError):
    """The script cannot be used; the message names the entry and what it allows."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule. It fires on the ``nth`` matching calls (1 is the first), or by ``rate``, at most ``times``.

    ``after`` lets a status fault do the work first; ``seconds`` is real time; ``contains`` matches the body.
    """

    vendor: str
    endpoint: str
    do: Trouble
    nth: tuple[int, ...] = ()
    rate: float = 0.0
    times: int = 0
    status: int = 503
    retry_after: float | None = None
    seconds: float = 1.0
    after: bool = False
    contains: str = ""


KNOWN = {
    "vendor",
    "endpoint",
    "do",
    "nth",
    "rate",
    "times",
    "status",
    "retry_after",
    "seconds",
    "after",
    "contains",
}


def parse_faults(script: Any) -> list[Fault]:
    """Read the rules of a script; a mistake is refused with its place."""
    rules = script.get("faults", []) if isinstance(script, Mapping) else script
    if not isinstance(rules, list):
        raise BadFaultScript("A fault script is a list of rules, or an object with the list under 'faults'.")
    return [_parse_rule(index, rule) for index, rule in enumerate(rules)]


def _parse_rule(index: int, rule: Any) -> Fault:
    if not isinstance(rule, Mapping) or "do" not in rule:
        raise BadFaultScript(f"Rule {index} needs at least 'do'; it may name {', '.join(sorted(KNOWN))}.")
    unknown = set(rule) - KNOWN
    if unknown:
        raise BadFaultScript(f"Rule {index} has unknown keys {sorted(unknown)}; allowed are {sorted(KNOWN)}.")
    if rule["do"] not in set(Trouble):
        raise BadFaultScript(f"Rule {index}: 'do' is one of {', '.join(Trouble)}.")
    nth = rule.get("nth", ())
    values = {
        **rule,
        "do": Trouble(rule["do"]),
        "nth": tuple(nth) if isinstance(nth, list | tuple) else (nth,),
    }
    return Fault(**{"vendor": "*", "endpoint": "*", **values})


def load_faults(path: Path) -> list[Fault]:
    """Rules from a YAML or JSON file."""
    text = path.read_text(encoding="utf-8")
    return parse_faults(json.loads(text) if path.suffix == ".json" else yaml.safe_load(text))


@dataclass
class FaultScript:
    """The rules in force and how often each has matched and fired."""

    rules: list[Fault] = field(default_factory=list)
    seed: int = 7
    matched: Counter[int] = field(default_factory=Counter)
    fired: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def replace(self, rules: list[Fault]) -> None:
        """Put other rules in force and start counting anew."""
        self.rules = rules
        self.matched.clear()
        self.fired.clear()
        self._dice = random.Random(self.seed)

    def pick(self, vendor: str, endpoint: str, body: bytes) -> Fault | None:
        """The first rule that fires on this call. Every matching rule counts the call."""
        chosen: Fault | None = None
        for index, rule in enumerate(self.rules):
            if not self._matches(rule, vendor, endpoint, body):
                continue
            self.matched[index] += 1
            if chosen is None and self._fires(index, rule):
                self.fired[index] += 1
                chosen = rule
        return chosen

    @staticmethod
    def _matches(rule: Fault, vendor: str, endpoint: str, body: bytes) -> bool:
        right_place = rule.vendor in ("*", vendor) and rule.endpoint in ("*", endpoint)
        return right_place and (not rule.contains or rule.contains.encode() in body)

    def _fires(self, index: int, rule: Fault) -> bool:
        if rule.times and self.fired[index] >= rule.times:
            return False
        if rule.nth:
            return self.matched[index] in rule.nth
        return rule.rate <= 0 or self._dice.random() < rule.rate
