"""The frame a vendor module fills in: routes, its error bodies, and what its tasks are worth and show."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import random
import re
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from providers.emulator.faults import Fault, Trouble
from providers.emulator.media.mark import mark_of
from providers.emulator.store import StoredTask, StoredWebhook, TaskStore
from providers.emulator.wire import Answer, Call, LogNote

FOREVER_S = 1e9
LATE_WEBHOOK_S = 5.0


class DuplicateKey(Exception):
    """The account already has a task with this key."""

    def __init__(self, task: StoredTask) -> None:
        super().__init__(task.idempotency_key)
        self.task = task


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern with named groups; ``endpoint`` is its word in logs and fault scripts."""

    method: str
    pattern: re.Pattern[str]
    endpoint: str
    handler: Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Draft:
    """A task about to be accepted. ``queue_s`` and ``render_s`` are real-life seconds before the speed factor.

    ``not_before`` is the moment a slot is free for vendors that queue what is over their limit.
    """

    account: str
    kind: str
    model: str
    params: Mapping[str, Any]
    cost: Decimal
    currency: str
    queue_s: float
    render_s: float
    task_id: str = ""
    idempotency_key: str = ""
    callback_url: str = ""
    charges_failures: bool = False
    charges_refusals: bool = False
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A callback ready to be sent."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """A file to render when it is first fetched: its name in the cache, its type and how it is made."""

    name: str
    media_type: str
    render: Callable[[Path], object]


@dataclass
class World:
    """What all vendors share: the store, the clock, the speed, the folder for inputs, the signing key."""

    store: TaskStore
    folder: Path
    speed: float = 1.0
    now: Callable[[], float] = time.time
    file_key: bytes = b""
    webhook_secrets: dict[str, str] = field(default_factory=dict)

    def seconds(self, real: float) -> float:
        """Real-life seconds as they pass here."""
        return real / max(self.speed, 1e-6)

    def save_input(self, data: bytes) -> str:
        """Keep an input file by its hash and give the hash."""
        name = hashlib.sha256(data).hexdigest()
        path = self.input_path(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return name

    def input_path(self, name: str) -> Path:
        return self.folder / "inputs" / name

    def sign(self, text: str) -> str:
        return hmac.new(self.file_key, text.encode(), hashlib.sha256).hexdigest()[:32]


class EventSource(ABC):
    """What a WebSocket tells its client, asked for again and again."""

    @abstractmethod
    def news(self) -> list[str]:
        """Text frames that have come up since the last time."""

    def heard(self, text: str) -> list[str]:
        """Text frames that answer one of the client's."""
        return []


class Vendor(ABC):
    """One vendor's protocol. Handlers are quick and never block: media is rendered when it is fetched."""

    name: str
    url_lifetime_s: float = 86_400.0
    cors: bool = True  # browsers of other origins may call
    keeps_encoded_slashes: bool = False  # "%2F" in a path is part of a name

    def __init__(self, world: World) -> None:
        self.world = world

    @abstractmethod
    def routes(self) -> list[Route]:
        """The addresses below ``/<name>``, first match wins."""

    @abstractmethod
    def server_error(self, status: int) -> Answer:
        """The vendor's body for a 5xx."""

    @abstractmethod
    def rate_limited(self, retry_after: float | None) -> Answer:
        """The vendor's body for too many requests."""

    @abstractmethod
    def error_in_ok(self) -> Answer:
        """A 200 whose body is an error, where the vendor does such things; else its 400."""

    @abstractmethod
    def not_found(self, call: Call) -> Answer:
        """The vendor's body for an address it does not have."""

    def wrong_method(self, call: Call, methods: list[str]) -> Answer:
        """The vendor's body for a method that an address does not take: 405 in the form of its 404."""
        answer = self.not_found(call)
        return replace(answer, status=405, headers={**answer.headers, "Allow": ", ".join(methods)})

    def malformed(self, call: Call, words: str) -> Answer:
        """The vendor's body for values of the wrong kind that no other check names."""
        return Answer.of_json({"error": words, "detail": words}, 400)

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        """The result file ``index`` of a task that succeeded."""
        return None

    def webhook(self, task: StoredTask, hook: StoredWebhook, now: float) -> Delivery | None:
        """The callback for a phase of a task, signed as the vendor does."""
        return None

    def events(self, call: Call) -> EventSource | None:
        """What a WebSocket at this address tells; ``None`` where there is none."""
        return None

    def webhook_moments(self, task: StoredTask) -> tuple[tuple[str, float], ...]:
        """The phases that are reported, each with its time: by default only the end."""
        return (("end", task.ends),)

    # -- accepting -------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """A task id in the vendor's style."""
        return str(random.SystemRandom().randrange(8 * 10**17, 9 * 10**17))

    def accept(self, call: Call, draft: Draft) -> StoredTask:
        """Decide a task's fate and store it. Raises ``DuplicateKey`` for a key this account has used."""
        task = self._fate(call, draft)
        try:
            self.world.store.add(task)
        except sqlite3.IntegrityError as error:
            found = self.world.store.by_key(self.name, draft.account, draft.idempotency_key)
            if found is None:
                raise
            raise DuplicateKey(found) from error
        if draft.callback_url:
            self._plan_webhooks(task, call.fault)
        return task

    def _fate(self, call: Call, draft: Draft) -> StoredTask:
        now, task_id = self.world.now(), draft.task_id or self.new_id()
        dice = random.Random(f"{self.name}:{call.digest}")
        waited = now + self.world.seconds(draft.queue_s * dice.uniform(0.7, 1.3))
        starts = max(waited, draft.not_before)
        ends = starts + self.world.seconds(draft.render_s * dice.uniform(0.8, 1.25))
        outcome, reason = _outcome(call.fault)
        if call.fault and call.fault.do is Trouble.NEVER_ENDS:
            ends = now + FOREVER_S
        return StoredTask(
            vendor=self.name,
            id=task_id,
            account=draft.account,
            kind=draft.kind,
            model=draft.model,
            idempotency_key=draft.idempotency_key,
            params={**draft.params, "origin": call.origin},
            callback_url=draft.callback_url,
            created=now,
            starts=starts,
            ends=ends,
            outcome=outcome,
            reason=reason,
            cost=draft.cost,
            currency=draft.currency,
            billed=_is_charged(outcome, draft),
        )

    def _plan_webhooks(self, task: StoredTask, fault: Fault | None) -> None:
        trouble = fault.do if fault else None
        if trouble is Trouble.LOST_WEBHOOK:
            return
        delay = (fault.seconds or LATE_WEBHOOK_S) if fault and trouble is Trouble.LATE_WEBHOOK else 0.0
        for moment, due in self.webhook_moments(task):
            self.world.store.plan_webhook(self.name, task.id, moment, due + delay)
            if trouble is Trouble.DUPLICATE_WEBHOOK:
                self.world.store.plan_webhook(self.name, task.id, moment, due + 0.05)
            if trouble is Trouble.FORGED_WEBHOOK:
                self.world.store.plan_webhook(self.name, task.id, moment, due, "forged")

    @staticmethod
    def bill(task: StoredTask) -> LogNote:
        """The log's note of an accepted task."""
        return LogNote(
            billed=task.billed,
            cost=task.cost if task.billed else Decimal(0),
            currency=task.currency,
            remote_id=task.id,
            idempotency_key=task.idempotency_key,
        )

    # -- files -----------------------------------------------------------------------------------------------

    def file_url(self, task: StoredTask, index: int, suffix: str, origin: str = "") -> str:
        """A signed address of a result that expires as the vendor's do."""
        expires = int(max(self.world.now(), task.ends) + self.url_lifetime_s)
        path = f"/files/{self.name}/{task.id}/{index}{suffix}"
        query = urlencode({"expires": expires, "signature": self.world.sign(f"{path}?{expires}")})
        return f"{origin or task.params['origin']}{path}?{query}"

    def may_fetch(self, path: str, query: Mapping[str, str]) -> bool:
        """True while a signed address holds."""
        expires = query.get("expires", "")
        good = hmac.compare_digest(query.get("signature", ""), self.world.sign(f"{path}?{expires}"))
        return good and expires.isdigit() and self.world.now() < int(expires)

    def seed_of(self, task: StoredTask) -> int:
        """A seed from what was asked, so that the same request looks the same."""
        asked = {key: value for key, value in task.params.items() if key != "origin"}
        return int.from_bytes(hashlib.sha256(f"{task.model}{sorted(asked.items())}".encode()).digest()[:4], "big")

    def mark_of(self, task: StoredTask) -> int:
        return mark_of(self.name, task.id)


def _is_charged(outcome: str, draft: Draft) -> bool:
    return {"refused": draft.charges_refusals, "failed": draft.charges_failures}.get(outcome, True)


def _outcome(fault: Fault | None) -> tuple[str, str]:
    if fault and fault.do is Trouble.REFUSE_AT_END:
        return "refused", "scripted refusal"
    if fault and fault.do is Trouble.FAIL_AT_END:
        return "failed", "scripted failure"
    return "succeeded", ""


def route(method: str, pattern: str, endpoint: str, handler: Callable[..., Answer]) -> Route:
    """A route; ``{name}`` in the pattern matches one path segment."""
    expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    return Route(method, re.compile(expression + "$"), endpoint, handler)


def decode_base64(text: str) -> bytes | None:
    """The bytes of base64, with or without a ``data:`` prefix; ``None`` when it is neither."""
    payload = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode(payload, validate=True) if payload else None
    except (binascii.Error, ValueError):
        return None


def even(value: float) -> int:
    """The nearest even whole number, for picture sizes."""
    return max(2, round(value / 2) * 2)
