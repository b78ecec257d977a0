"""Write limit revisions: from the adapters by `registry sync`, from operators by the admin. Never in place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Max

from genengine.core import audit
from genengine.core.actors import SYSTEM, Actor
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import Workspace
from providers.base import RemoteAdapter
from providers.catalogue import adapter_class, adapters
from providers.limits import TrafficLimits
from providers.registry.revisions import SyncReport
from providers.traffic.limits import Scope, declared_limits, is_remote, limits_in_force, limits_of_row
from providers.traffic.models import LimitRevision, LimitSource

MOST_PARALLEL = 1_000
MOST_PER_MINUTE = 60_000
PAST = timedelta(minutes=1)  # a form that was open for a while
LIMITS_LOCK = 7_315_402  # one writer at a time: numbers rise by one
WRITTEN = "limits.revised"


class LimitInvalid(ValueError):
    """A limit revision cannot be kept; the text says what would be."""


@retry_conflicts
def sync_limits(*, now: datetime) -> SyncReport:
    """Bring the rows to what the adapters ship. An operator's revision stays in force; the report names it."""
    written: list[str] = []
    kept: list[str] = []
    with unit_of_work():
        _one_writer()
        own = LimitRevision.objects.filter(workspace__isnull=True).order_by("provider", "model", "-number")
        newest = {(row.provider, row.model): row for row in own.distinct("provider", "model")}
        rows = own.filter(source=LimitSource.SHIPPED).distinct("provider", "model")
        shipped = {(row.provider, row.model): limits_of_row(row) for row in rows}
        for scope in _scopes(shipped):
            limits = declared_limits(*scope)
            if shipped.get(scope) == limits:
                continue
            if scope in newest and newest[scope].source == LimitSource.OPERATOR:
                kept.append("/".join(filter(None, scope)))
                continue
            _append(
                scope, limits, workspace=None, source=LimitSource.SHIPPED, effective_from=now,
                reason="shipped with the adapter", actor=SYSTEM, author_id=None, now=now,
            )  # fmt: skip
            written.append("/".join(filter(None, scope)))
    return SyncReport(tuple(written), tuple(kept))


def _scopes(shipped: Iterable[Scope]) -> list[Scope]:
    """Every account, every model whose vendor publishes limits of its own, and every model that once had a row."""
    found = {scope for scope in shipped if is_remote(scope[0])}
    for name, kind in adapters().items():
        if issubclass(kind, RemoteAdapter):
            found |= {(name, ""), *((name, model) for model in kind.model_traffic)}
    return sorted(found)


@retry_conflicts
def revise_limits(
    *,
    provider: str,
    limits: TrafficLimits,
    effective_from: datetime,
    reason: str,
    actor: Actor,
    now: datetime,
    model: str = "",
    author_id: UUID | None = None,
    workspace: Workspace | None = None,
) -> LimitRevision:
    """Append an operator's revision with an audit entry. Raises `LimitInvalid`.

    Without a model the limits are those of an account; a workspace makes them those of its account alone. Figures of 0
    are left to the settings, for a model to the account.
    """
    check_scope(provider, model)
    check_limits(limits)
    if now - effective_from > PAST:
        raise LimitInvalid("limits hold from now or later; what was sent already cannot be limited")
    if not reason.strip():
        raise LimitInvalid("say why: the vendor's page with its date, a contract, the tier of the account")
    with unit_of_work():
        _one_writer()
        book = limits_in_force(at=max(effective_from, now))
        held = book.rows.get((workspace.pk if workspace else None, provider, model))
        if held is not None and held.source == LimitSource.OPERATOR and limits_of_row(held) == limits:
            raise LimitInvalid(f"this changes nothing: revision {held.number} has the same limits and holds then")
        return _append(
            (provider, model), limits, workspace=workspace, source=LimitSource.OPERATOR,
            effective_from=effective_from, reason=reason.strip()[:300], actor=actor, author_id=author_id, now=now,
        )  # fmt: skip


def check_scope(provider: str, model: str) -> None:
    """Refuse what has no traffic to limit."""
    if not is_remote(provider):
        raise LimitInvalid(f"“{provider}” is no vendor; engines of this installation are limited by GE_LOCAL_PARALLEL")
    models = [card.id for card in adapter_class(provider).models]
    if model and model not in models:
        raise LimitInvalid(f"{adapter_class(provider).label} has no model “{model}”; it has {', '.join(models)}")


def check_limits(limits: TrafficLimits) -> None:
    """Refuse figures that cannot be meant."""
    if not 0 <= limits.parallel <= MOST_PARALLEL:
        raise LimitInvalid(f"tasks side by side are 1 to {MOST_PARALLEL}; to stop a model, pause its card")
    if not 0 <= limits.per_minute <= MOST_PER_MINUTE:
        raise LimitInvalid(f"requests a minute are 1 to {MOST_PER_MINUTE}; to stop a model, pause its card")
    if limits.burst and not limits.per_minute:
        raise LimitInvalid("a bucket size needs the requests a minute that fill it; give both or neither")
    if not 0 <= limits.burst <= limits.per_minute:
        raise LimitInvalid(f"at most a minute's requests may go at once: choose 1 to {limits.per_minute}")


def _one_writer() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LIMITS_LOCK])


def _append(
    scope: Scope,
    limits: TrafficLimits,
    *,
    workspace: Workspace | None,
    source: LimitSource,
    effective_from: datetime,
    reason: str,
    actor: Actor,
    author_id: UUID | None,
    now: datetime,
) -> LimitRevision:
    provider, model = scope
    last = LimitRevision.objects.filter(provider=provider, model=model).aggregate(last=Max("number"))["last"] or 0
    figures = {name: getattr(limits, name) or None for name in ("per_minute", "burst", "parallel")}
    revision = LimitRevision.objects.create(
        workspace=workspace,
        provider=provider,
        model=model,
        number=last + 1,
        effective_from=effective_from,
        source=source,
        reason=reason,
        author_id=author_id,
        created_at=now,
        **figures,
    )
    audit.record(
        workspace_id=workspace.pk if workspace else None,
        actor=actor,
        action=WRITTEN,
        subject_kind="provider_limits",
        subject_id=revision.pk,
        now=now,
        provider=provider,
        model=model,
        number=revision.number,
        effective_from=effective_from.isoformat(),
        **figures,
    )
    return revision
