"""Which models a workspace may use, at which terms, and routing over them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from genengine.core import clock
from genengine.workspaces.models import Mode, Workspace
from jobs.routing.choose import choose_models
from jobs.routing.figures import PRIOR
from jobs.routing.types import OPEN_LANE, BranchNeed, Candidate, Limits, Measured, Routing, SceneNeed
from providers.base import ProviderAdapter
from providers.credentials.models import ProviderAccount
from providers.registry import adapters
from providers.registry.models import CardStatus
from providers.registry.queries import CardInForce, cards_in_force
from providers.values import Task

VIDEO_TASKS = frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO, Task.VIDEO_TO_VIDEO, Task.REFERENCES_TO_VIDEO})
NOTHING = Measured()


def route(
    *, workspace: Workspace, scenes: Sequence[SceneNeed], branches: Sequence[BranchNeed], limits: Limits
) -> Routing:
    """Choose a model for every scene and branch among what the workspace may use."""
    return choose_models(scenes=scenes, branches=branches, candidates=candidates(workspace), limits=limits)


def candidates(
    workspace: Workspace, *, at: datetime | None = None, measured: Measured = NOTHING
) -> tuple[Candidate, ...]:
    """Return every video model at the terms in force, each with the reason when this workspace may not use it."""
    now = at or clock.now()
    known = adapters()
    connected = _connected(workspace)
    return tuple(
        _candidate(terms, known[terms.card.provider], workspace, connected, now, measured)
        for terms in cards_in_force(workspace=workspace, at=now).values()
        if terms.card.tasks & VIDEO_TASKS
    )


def _candidate(
    terms: CardInForce,
    adapter: type[ProviderAdapter],
    workspace: Workspace,
    connected: frozenset[str],
    at: datetime,
    measured: Measured,
) -> Candidate:
    model = terms.card.id
    used = measured.units.get(model, Decimal(0))
    return Candidate(
        card=terms.priced(units=used, at=at),
        label=adapter.label,
        is_local=adapter.is_local,
        refusal=_refusal(adapter, terms, workspace, connected),
        terms=terms,
        used_units=used,
        figures=measured.figures.get(model, PRIOR),
        load=measured.loads.get(adapter.name, 0),
        lane=measured.lanes.get((adapter.name, model)) or measured.lanes.get((adapter.name, ""), OPEN_LANE),
    )


def _connected(workspace: Workspace) -> frozenset[str]:
    if workspace.mode == Mode.SIMULATED:
        return frozenset()
    accounts = ProviderAccount.objects.of(workspace).filter(enabled=True, verified_at__isnull=False)
    return frozenset(accounts.values_list("provider", flat=True))


def _refusal(
    adapter: type[ProviderAdapter], terms: CardInForce, workspace: Workspace, connected: frozenset[str]
) -> str:
    """Return why a model may not be used, empty when it may. Simulated work may use every vendor's models.

    A self-hosted server nobody has connected is no vendor: its free models would win every simulated plan.
    """
    if terms.status == CardStatus.PAUSED:
        return "an operator has paused it."
    if terms.status == CardStatus.RETIRED:
        return "an operator has retired it."
    if adapter.is_local or (workspace.mode == Mode.SIMULATED and not adapter.is_self_hosted):
        return ""
    if adapter.name not in connected:
        return f"no working {adapter.label} key in this workspace; an admin can add one under Providers."
    if terms.card.unverified:
        return "its facts are not verified yet: a test call under Providers opens it for live money."
    return ""
