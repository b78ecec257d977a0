"""What the throttles and circuits say, without taking anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from genengine.workspaces.models import Mode, Workspace
from providers.base import RemoteAdapter
from providers.catalogue import UnknownProvider, adapter_class
from providers.credentials.queries import usable_account
from providers.limits import TrafficLimits
from providers.traffic.models import Circuit, Throttle
from providers.traffic.states import CircuitState
from providers.traffic.types import Wait, WaitReason

PERSON_ACTS = frozenset({"credentials_rejected", "quota_exhausted"})


def is_remote(provider: str) -> bool:
    """Say whether requests to this provider pass a throttle; engines of this installation do not."""
    try:
        return issubclass(adapter_class(provider), RemoteAdapter)
    except UnknownProvider:
        return False


def limits_of(provider: str) -> TrafficLimits:
    """The vendor's published limits, with the installation's settings where it publishes none.

    The setting for parallel tasks is also the most: an operator may go below a vendor's limit, not above.
    """
    declared = adapter_class(provider).traffic if is_remote(provider) else TrafficLimits()  # type: ignore[attr-defined]
    most = settings.GE_PROVIDER_PARALLEL
    per_minute = declared.per_minute or settings.GE_PROVIDER_SUBMITS_PER_MINUTE
    return TrafficLimits(
        parallel=min(declared.parallel, most) if declared.parallel else most,
        per_minute=per_minute,
        burst=declared.burst or max(1, per_minute // 10),
    )


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

    @property
    def usual_s(self) -> float | None:
        """The measured median duration in seconds."""
        return self.circuit.usual_s


def tokens_at(throttle: Throttle, limits: TrafficLimits, now: datetime) -> float:
    """What the bucket holds at this moment."""
    elapsed = max(0.0, (now - throttle.refilled_at).total_seconds())
    return min(float(limits.burst), throttle.tokens + elapsed * limits.per_minute / 60)


def passages(*, workspaces: Iterable[UUID], now: datetime) -> dict[tuple[UUID, str, str, str], Passage]:
    """Every known circuit of these workspaces by (workspace, mode, provider, model), the last used account's first."""
    rows = Circuit.objects.filter(workspace_id__in=list(workspaces)).select_related("throttle", "throttle__account")
    found: dict[tuple[UUID, str, str, str], Passage] = {}
    for row in rows.order_by("throttle__used_at"):
        throttle = row.throttle
        tokens = tokens_at(throttle, limits_of(throttle.provider), now)
        key = (row.workspace_id, throttle.mode, throttle.provider, row.model)
        found[key] = Passage(row, tokens, wait_of(row, now=now))
    return found


def wait_of(circuit: Circuit, *, now: datetime) -> Wait | None:
    """What a request waits for, by the rows alone; tasks in flight are the caller's to count."""
    throttle = circuit.throttle
    if circuit.state == CircuitState.OPEN and not may_probe(circuit, now=now):
        return _shut(circuit)
    if circuit.state == CircuitState.HALF_OPEN and circuit.probe_until and circuit.probe_until > now:
        return Wait(WaitReason.CIRCUIT, circuit.probe_until, "one request is finding out whether it works again")
    if throttle.blocked_until and throttle.blocked_until > now:
        return Wait(WaitReason.SATURATED, throttle.blocked_until, "the vendor is busy and asked to wait")
    limits = limits_of(throttle.provider)
    missing = 1 - tokens_at(throttle, limits, now)
    if missing > 0:
        until = now + timedelta(seconds=missing * 60 / limits.per_minute)
        return Wait(WaitReason.RATE, until, f"at most {limits.per_minute} requests a minute are sent")
    return None


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
