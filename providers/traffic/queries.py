"""What the throttles and circuits say, without taking anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from uuid import UUID

from genengine.workspaces.models import Mode, Workspace
from providers.credentials.queries import usable_account
from providers.limits import TrafficLimits
from providers.traffic.limits import LimitBook, limits_in_force
from providers.traffic.models import Circuit, Throttle
from providers.traffic.states import CircuitState
from providers.traffic.types import Wait, WaitReason

PERSON_ACTS = frozenset({"credentials_rejected", "quota_exhausted"})


def throttle_key(*, workspace: Workspace | UUID, mode: str, provider: str) -> dict[str, object]:
    """The look-up of the throttle that a request of this workspace would pass now."""
    account = None if mode == Mode.SIMULATED else usable_account(workspace=workspace, provider=provider)
    return {
        "workspace_id": getattr(workspace, "pk", workspace),
        "mode": mode,
        "provider": provider,
        "account_id": account.pk if account else None,
    }


@dataclass(frozen=True, slots=True)
class Passage:
    """One model at one account as a reader sees it: what a request would wait for, and how long it takes."""

    circuit: Circuit
    tokens: float
    wait: Wait | None
    model_tokens: float = inf  # without a rate of its own it has as many as the account

    @property
    def usual_s(self) -> float | None:
        """The measured median duration in seconds."""
        return self.circuit.usual_s


def tokens_at(row: Throttle | Circuit, limits: TrafficLimits, now: datetime) -> float:
    """What the bucket of an account or model holds at this moment; one that was never used is full."""
    if row.tokens is None or row.refilled_at is None:
        return float(limits.burst)
    elapsed = max(0.0, (now - row.refilled_at).total_seconds())
    return min(float(limits.burst), row.tokens + elapsed * limits.per_minute / 60)


def passages(
    *, workspaces: Iterable[UUID], now: datetime, book: LimitBook | None = None
) -> dict[tuple[UUID, str, str, str], Passage]:
    """Every known circuit of these workspaces by (workspace, mode, provider, model), the last used account's first."""
    rows = Circuit.objects.filter(workspace_id__in=list(workspaces)).select_related("throttle", "throttle__account")
    known = book or limits_in_force(at=now)
    found: dict[tuple[UUID, str, str, str], Passage] = {}
    for row in rows.order_by("throttle__used_at"):
        throttle = row.throttle
        limits = known.of_account(throttle.provider, workspace=row.workspace_id)
        own = known.of_model(throttle.provider, row.model, workspace=row.workspace_id)
        key = (row.workspace_id, throttle.mode, throttle.provider, row.model)
        found[key] = Passage(
            circuit=row,
            tokens=tokens_at(throttle, limits, now),
            wait=wait_of(row, now=now, book=known),
            model_tokens=tokens_at(row, own, now) if own.per_minute else inf,
        )
    return found


def wait_of(circuit: Circuit, *, now: datetime, book: LimitBook | None = None) -> Wait | None:
    """What a request waits for, by the rows alone; tasks in flight are the caller's to count."""
    throttle = circuit.throttle
    if circuit.state == CircuitState.OPEN and not may_probe(circuit, now=now):
        return _shut(circuit)
    if circuit.state == CircuitState.HALF_OPEN and circuit.probe_until and circuit.probe_until > now:
        return Wait(WaitReason.CIRCUIT, circuit.probe_until, "one request is finding out whether it works again")
    if throttle.blocked_until and throttle.blocked_until > now:
        return Wait(WaitReason.SATURATED, throttle.blocked_until, "the vendor is busy and asked to wait")
    known = book or limits_in_force(at=now)
    limits = known.of_account(throttle.provider, workspace=throttle.workspace_id)
    own = known.of_model(throttle.provider, circuit.model, workspace=throttle.workspace_id)
    return _refilling(throttle, limits, "", now) or _refilling(circuit, own, " to this model", now)


def _refilling(row: Throttle | Circuit, limits: TrafficLimits, whose: str, now: datetime) -> Wait | None:
    """The time until the bucket holds a token again, if it holds none and there is a rate."""
    missing = 1 - tokens_at(row, limits, now)
    if not limits.per_minute or missing <= 0:
        return None
    until = now + timedelta(seconds=missing * 60 / limits.per_minute)
    return Wait(WaitReason.RATE, until, f"at most {limits.per_minute} requests a minute are sent{whose}")


def may_probe(circuit: Circuit, *, now: datetime) -> bool:
    """Say whether an open circuit lets its probe through: its time has come, or a person has proved the key again."""
    account = circuit.throttle.account
    if circuit.cause_kind in PERSON_ACTS and account is not None:
        proved = account.enabled and account.verified_at and account.verified_at > circuit.state_changed_at
        if proved or circuit.cause_kind == "credentials_rejected":
            return bool(proved)
    return circuit.retry_at is None or circuit.retry_at <= now


def _shut(circuit: Circuit) -> Wait:
    if circuit.cause_kind in PERSON_ACTS:
        return Wait(WaitReason.ACCOUNT, circuit.retry_at, circuit.cause)
    return Wait(WaitReason.CIRCUIT, circuit.retry_at, circuit.cause)
