"""How the vendors of a workspace do: state, success, latency, last trouble, openings of their circuits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from genengine.core.events.models import Event, StreamKind
from genengine.workspaces.models import Workspace
from providers.catalogue import adapters
from providers.health.checks import NONE_YET, PassRate, pass_rates
from providers.health.load import Load, Place, load_of
from providers.traffic.limits import LimitBook, limits_in_force
from providers.traffic.models import Circuit, Signal, Throttle
from providers.traffic.queries import PERSON_ACTS, tokens_at, wait_of
from providers.traffic.states import CircuitState
from providers.traffic.types import Verdict, Wait

WINDOW = timedelta(hours=24)
MONTH = timedelta(days=30)
TROUBLES = 5
HISTORY = 20
WORDS = {
    CircuitState.CLOSED: "Working",
    CircuitState.OPEN: "Down",
    CircuitState.HALF_OPEN: "Testing",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One call that did not go well."""

    at: datetime
    model: str
    call: str
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a circuit, from the event log; ``event`` is opened, probed or closed."""

    at: datetime
    model: str
    event: str
    reason: str
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """One model: ``success`` is the share of its tasks and submits of a day that went well, none without any.

    ``parallel`` and ``per_minute`` are the limits that hold for it, its own where it has some, else its account's;
    ``left`` is how many requests may be sent at once now. ``waiting`` and ``running`` count clips. ``checks`` says how
    many of its results passed their first check in the last 30 days, ``checks_before`` in the 30 days before them.
    """

    model: str
    state: CircuitState
    words: str
    wait: Wait | None
    needs_person: bool
    calls: int
    success: float | None
    submit_s: float | None
    usual_s: float | None
    p95_s: float | None
    parallel: int
    per_minute: int
    left: int
    waiting: int
    running: int
    checks: PassRate
    checks_before: PassRate


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """One provider at one account of the workspace."""

    provider: str
    label: str
    mode: str
    account: str
    parallel: int
    per_minute: int
    blocked_until: datetime | None
    checked_at: datetime | None
    check_worked: bool | None
    models: tuple[ModelHealth, ...]
    troubles: tuple[Trouble, ...]
    history: tuple[Turn, ...]

    @property
    def state(self) -> CircuitState:
        """The worst of its models'."""
        order = (CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED)
        return min((m.state for m in self.models), key=order.index, default=CircuitState.CLOSED)

    @property
    def words(self) -> str:
        """The state in a word; busy is not down."""
        return "Busy" if self.state == CircuitState.CLOSED and self.blocked_until else WORDS[self.state]

    @property
    def needs_person(self) -> bool:
        """Say whether only a person can bring it back: the key or the credit."""
        return any(m.needs_person for m in self.models)


def provider_health(*, workspace: Workspace, now: datetime) -> tuple[ProviderHealth, ...]:
    """Every vendor that this workspace has used in its present mode. Live and simulated are never mixed."""
    throttles = Throttle.objects.of(workspace).filter(mode=workspace.mode).select_related("account")
    circuits: dict[UUID, list[Circuit]] = defaultdict(list)
    for circuit in Circuit.objects.filter(throttle__in=throttles).select_related("throttle", "throttle__account"):
        circuits[circuit.throttle_id].append(circuit)
    signals: dict[UUID, list[Signal]] = defaultdict(list)
    for signal in Signal.objects.filter(throttle__in=throttles, at__gte=now - WINDOW):
        signals[signal.throttle_id].append(signal)
    turns = _turns(workspace, [c.pk for rows in circuits.values() for c in rows])
    facts = _Facts(
        book=limits_in_force(at=now),
        load=load_of(workspace),
        checks=pass_rates(workspace, since=now - MONTH, until=now),
        checks_before=pass_rates(workspace, since=now - 2 * MONTH, until=now - MONTH),
    )
    return tuple(_provider(t, circuits[t.pk], signals[t.pk], turns, facts, now) for t in throttles)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is read once for all providers."""

    book: LimitBook
    load: Mapping[Place, Load]
    checks: Mapping[Place, PassRate]
    checks_before: Mapping[Place, PassRate]


def _provider(
    throttle: Throttle,
    circuits: list[Circuit],
    signals: list[Signal],
    turns: dict[UUID, list[Turn]],
    facts: _Facts,
    now: datetime,
) -> ProviderHealth:
    kind = adapters().get(throttle.provider)
    limits = facts.book.of_account(throttle.provider, workspace=throttle.workspace_id)
    checks = [s for s in signals if s.call == Signal.Call.CHECK and not s.model]
    bad = [s for s in signals if s.verdict != Verdict.WELL]
    busy = throttle.blocked_until if throttle.blocked_until and throttle.blocked_until > now else None
    history = sorted((t for c in circuits for t in turns[c.pk]), key=lambda t: t.at, reverse=True)
    return ProviderHealth(
        provider=throttle.provider,
        label=kind.label if kind else throttle.provider,
        mode=throttle.mode,
        account=throttle.account.label if throttle.account else "",
        parallel=limits.parallel,
        per_minute=limits.per_minute,
        blocked_until=busy,
        checked_at=checks[0].at if checks else None,
        check_worked=not checks[0].kind if checks else None,
        models=tuple(_model(c, [s for s in signals if s.model == c.model], facts, now) for c in circuits),
        troubles=tuple(Trouble(s.at, s.model, s.call, s.kind, s.message) for s in bad[:TROUBLES]),
        history=tuple(history[:HISTORY]),
    )


def _model(circuit: Circuit, signals: Iterable[Signal], facts: _Facts, now: datetime) -> ModelHealth:
    judged = [s for s in signals if s.call in (Signal.Call.SUBMIT, Signal.Call.TASK)]
    counted = [s for s in judged if s.verdict != Verdict.SATURATED]
    submits = [s.seconds for s in judged if s.call == Signal.Call.SUBMIT and not s.kind and s.seconds is not None]
    state, throttle, book = CircuitState(circuit.state), circuit.throttle, facts.book
    place = (throttle.provider, circuit.model)
    account = book.of_account(throttle.provider, workspace=circuit.workspace_id)
    own = book.of_model(throttle.provider, circuit.model, workspace=circuit.workspace_id)
    clips = facts.load.get(place, Load())
    buckets = [tokens_at(throttle, account, now), *([tokens_at(circuit, own, now)] if own.per_minute else [])]
    return ModelHealth(
        model=circuit.model,
        state=state,
        words=WORDS[state],
        wait=wait_of(circuit, now=now, book=book),
        needs_person=state == CircuitState.OPEN and circuit.cause_kind in PERSON_ACTS,
        calls=len(counted),
        success=sum(s.verdict == Verdict.WELL for s in counted) / len(counted) if counted else None,
        submit_s=median(submits) if submits else None,
        usual_s=circuit.usual_s,
        p95_s=circuit.p95_s,
        parallel=min(own.parallel or account.parallel, account.parallel),
        per_minute=min(own.per_minute or account.per_minute, account.per_minute),
        left=int(min(buckets)),
        waiting=clips.waiting,
        running=clips.running,
        checks=facts.checks.get(place, NONE_YET),
        checks_before=facts.checks_before.get(place, NONE_YET),
    )


def _turns(workspace: Workspace, circuits: list[UUID]) -> dict[UUID, list[Turn]]:
    """The newest turns of each circuit from the workspace's log."""
    found: dict[UUID, list[Turn]] = defaultdict(list)
    rows = Event.objects.filter(
        stream__kind=StreamKind.WORKSPACE, stream__subject_id=workspace.pk, type__startswith="provider.circuit_",
        subject_id__in=[str(pk) for pk in circuits],
    )  # fmt: skip
    for event in rows.order_by("-seq")[: HISTORY * 10]:
        turn = Turn(
            at=event.at,
            model=str(event.data.get("model", "")),
            event=event.type.removeprefix("provider.circuit_"),
            reason=str(event.data.get("reason", "")),
            wait_s=event.data.get("wait_s"),
        )
        found[UUID(event.subject_id)].append(turn)
    return found
