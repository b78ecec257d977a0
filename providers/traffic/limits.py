"""Which limits hold for an account, and for a model at it, at a moment: one query over a small table, no cache.

Takers read it while they hold the account's lock, readers once for all that they look at, so that an operator's
revision counts from the next place on, in every process. What has no row counts as its adapter ships it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from providers.base import RemoteAdapter
from providers.catalogue import UnknownProvider, adapter_class
from providers.limits import TrafficLimits
from providers.traffic.models import LimitRevision, LimitSource

Scope = tuple[str, str]  # provider, and a model or nothing: the account


def is_remote(provider: str) -> bool:
    """Say whether requests to this provider pass a throttle; engines of this installation do not."""
    try:
        return issubclass(adapter_class(provider), RemoteAdapter)
    except UnknownProvider:
        return False


def declared_limits(provider: str, model: str = "") -> TrafficLimits:
    """What the vendor publishes, by its adapter; nothing for engines of this installation."""
    if not is_remote(provider):
        return TrafficLimits()
    kind: type[RemoteAdapter] = adapter_class(provider)  # type: ignore[assignment]
    return kind.model_traffic.get(model, TrafficLimits()) if model else kind.traffic


@dataclass(frozen=True, slots=True)
class LimitBook:
    """The revisions in force at one moment, by workspace (none: the installation), provider and model."""

    rows: Mapping[tuple[UUID | None, str, str], LimitRevision]

    def of_account(self, provider: str, *, workspace: UUID | None) -> TrafficLimits:
        """The limits of an account, complete: the settings stand in for figures that are missing.

        The setting for parallel tasks is also the most that a vendor's published figure gives; what an operator wrote
        holds as it is.
        """
        row = self.row(provider, workspace=workspace)
        limits = declared_limits(provider) if row is None else limits_of_row(row)
        parallel = limits.parallel or settings.GE_PROVIDER_PARALLEL
        if row is None or row.source != LimitSource.OPERATOR:
            parallel = min(parallel, settings.GE_PROVIDER_PARALLEL)
        per_minute = limits.per_minute or settings.GE_PROVIDER_SUBMITS_PER_MINUTE
        return TrafficLimits(parallel, per_minute, limits.burst or _usual_burst(per_minute))

    def of_model(self, provider: str, model: str, *, workspace: UUID | None) -> TrafficLimits:
        """What a model may take of it; a figure of 0 is none of its own."""
        row = self.row(provider, model, workspace=workspace)
        limits = declared_limits(provider, model) if row is None else limits_of_row(row)
        if not limits.per_minute:
            return TrafficLimits(parallel=limits.parallel)
        return TrafficLimits(limits.parallel, limits.per_minute, limits.burst or _usual_burst(limits.per_minute))

    def row(self, provider: str, model: str = "", *, workspace: UUID | None) -> LimitRevision | None:
        """The revision in force, the workspace's own before the installation's."""
        own = self.rows.get((workspace, provider, model)) if workspace else None
        return own or self.rows.get((None, provider, model))


def limits_in_force(*, at: datetime) -> LimitBook:
    """Read every revision that holds at a moment."""
    scope = ("workspace_id", "provider", "model")
    rows = LimitRevision.objects.filter(effective_from__lte=at).order_by(*scope, "-effective_from", "-number")
    return LimitBook({(row.workspace_id, row.provider, row.model): row for row in rows.distinct(*scope)})


def limits_of_row(row: LimitRevision) -> TrafficLimits:
    """The figures of a row; 0 for those that are missing."""
    return TrafficLimits(parallel=row.parallel or 0, per_minute=row.per_minute or 0, burst=row.burst or 0)


def _usual_burst(per_minute: int) -> int:
    return max(1, per_minute // 10)
