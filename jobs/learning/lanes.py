"""How the ways to the vendors are as a plan is made: from the rows of throttles and circuits, and from the line.

An open circuit, a vendor that asked to wait and an account that is full all count; another workspace's traffic does
not. Nothing is taken here: whether a request may go is asked again when it goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db.models import Count

from genengine.workspaces.models import Workspace
from jobs.execution.line import in_flight, queued, usual_seconds
from jobs.routing.scoring import CALM_WAIT_S
from jobs.routing.types import Lane
from providers.traffic.limits import is_remote, limits_in_force
from providers.traffic.queries import Passage, may_probe, passages
from providers.traffic.states import CircuitState
from providers.traffic.types import WaitReason

SHUT, PROBED, DOUBTED, BUSY = 0.0, 0.3, 0.5, 0.9
LEAST_BUSY = 0.5  # saturated is not sick
FORGIVEN_AFTER = timedelta(minutes=10)  # else what plans avoid would never be asked again
Lanes = dict[tuple[str, str], Lane]
Own = Mapping[tuple[str, str], Passage]  # provider and model of the workspace's mode


def lanes_of(*, workspace: Workspace, at: datetime) -> Lanes:
    """Return each lane that is not open by provider and model; an empty model stands for the provider's others."""
    known = passages(workspaces=[workspace.pk], now=at)
    own = {(key[2], key[3]): passage for key, passage in known.items() if key[1] == workspace.mode}
    full = _full_accounts(workspace, own, at)
    lanes: Lanes = {}
    for (provider, model), passage in own.items():
        found = [lane for lane in (_circuit(passage, at), _saturated(passage, at), full.get(provider)) if lane]
        if found:
            lanes[provider, model] = min(found, key=lambda lane: lane.health)
    return lanes | _others(lanes, full)


def _circuit(passage: Passage, at: datetime) -> Lane | None:
    """A model that failed too often, or an account that the vendor does not serve."""
    circuit = passage.circuit
    if circuit.state == CircuitState.CLOSED:
        return None
    cause = circuit.cause.rstrip(". ") or "it failed too often"
    if circuit.state == CircuitState.OPEN and not may_probe(circuit, now=at):
        if passage.wait is not None and passage.wait.reason is WaitReason.ACCOUNT:
            return Lane(SHUT, f"its account waits for a person ({cause})")
        until = f", until {circuit.retry_at:%H:%M} UTC at least" if circuit.retry_at else ""
        return Lane(SHUT, f"it fails now ({cause}){until}")
    doubt = 1 - (at - (circuit.retry_at or circuit.state_changed_at)) / FORGIVEN_AFTER
    if doubt <= 0:
        return None
    return Lane(1 - (1 - PROBED) * min(1.0, doubt), f"it failed lately ({cause}) and has not been well since")


def _saturated(passage: Passage, at: datetime) -> Lane | None:
    """A vendor that said "too many": the account rests until then."""
    until = passage.circuit.throttle.blocked_until
    if until is None or until <= at:
        return None
    seconds = (until - at).total_seconds()
    return Lane(_busy(seconds), f"its vendor is busy and asked to wait {seconds:.0f} s")


def _full_accounts(workspace: Workspace, own: Own, at: datetime) -> dict[str, Lane]:
    """Accounts that make as much as they may, by provider: who comes now waits for those before him."""
    line = queued(at).filter(workspace=workspace, job__mode=workspace.mode).values_list("provider")
    before = Counter(dict(line.annotate(clips=Count("pk")).order_by()))
    for (owner, mode, provider), making in in_flight(at).accounts.items():
        before[provider] += making if (owner, mode) == (workspace.pk, workspace.mode) else 0
    book, found = limits_in_force(at=at), {}
    for provider, clips in before.items():
        parallel = book.of_account(provider, workspace=workspace.pk).parallel
        if not is_remote(provider) or clips < parallel:
            continue
        model, passage = next(((key[1], known) for key, known in own.items() if key[0] == provider), ("", None))
        seconds = clips / parallel * usual_seconds(model, workspace.mode, passage)
        found[provider] = Lane(_busy(seconds), f"its account is full ({clips} clips come first, about {seconds:.0f} s)")
    return found


def _others(lanes: Lanes, full: dict[str, Lane]) -> Lanes:
    """The other models of an account: doubted when one of it fails, busy when it is full."""
    found = {(provider, ""): lane for provider, lane in full.items()}
    for (provider, model), lane in lanes.items():
        doubt = Lane(max(lane.health, DOUBTED), f"{model} at the same account: {lane.words}")
        found[provider, ""] = min(found.get((provider, ""), doubt), doubt, key=lambda one: one.health)
    return found


def _busy(seconds: float) -> float:
    return max(LEAST_BUSY, min(BUSY, 1 - seconds / CALM_WAIT_S))
