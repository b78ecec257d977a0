"""Which models a workspace may use, and routing over them."""

from collections.abc import Sequence

from genengine.workspaces.models import Mode, Workspace
from jobs.routing.choose import choose_models
from jobs.routing.types import BranchNeed, Candidate, Limits, Routing, SceneNeed
from providers.base import ProviderAdapter
from providers.credentials.models import ProviderAccount
from providers.registry import adapters, cards
from providers.values import ModelCard, Task

VIDEO_TASKS = frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO, Task.VIDEO_TO_VIDEO})


def route(
    *, workspace: Workspace, scenes: Sequence[SceneNeed], branches: Sequence[BranchNeed], limits: Limits
) -> Routing:
    """Choose a model for every scene and branch among what the workspace may use."""
    return choose_models(scenes=scenes, branches=branches, candidates=candidates(workspace), limits=limits)


def candidates(workspace: Workspace) -> tuple[Candidate, ...]:
    """Return every video model of the catalogue, each with the reason when this workspace may not use it."""
    known = adapters()
    connected = _connected(workspace)
    return tuple(
        Candidate(
            card=card,
            label=known[card.provider].label,
            is_local=known[card.provider].is_local,
            refusal=_refusal(known[card.provider], card, workspace, connected),
        )
        for card in cards()
        if card.tasks & VIDEO_TASKS
    )


def _connected(workspace: Workspace) -> frozenset[str]:
    if workspace.mode == Mode.SIMULATED:
        return frozenset()
    accounts = ProviderAccount.objects.of(workspace).filter(enabled=True, verified_at__isnull=False)
    return frozenset(accounts.values_list("provider", flat=True))


def _refusal(adapter: type[ProviderAdapter], card: ModelCard, workspace: Workspace, connected: frozenset[str]) -> str:
    """Return why a model may not be used, empty when it may. Simulated work may use every vendor's models.

    A self-hosted server nobody has connected is no vendor: its free models would win every simulated plan.
    """
    if adapter.is_local or (workspace.mode == Mode.SIMULATED and not adapter.is_self_hosted):
        return ""
    if adapter.name not in connected:
        return f"no working {adapter.label} key in this workspace; an admin can add one under Providers."
    if card.unverified:
        return "its facts are not verified yet, so it is refused for live money."
    return ""
