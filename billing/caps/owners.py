"""What a cap is called: campaigns, jobs and providers live above or beside, and register how they are named."""

from collections.abc import Callable, Collection, Iterable, Mapping
from uuid import UUID

from django.db.models import Q

from billing.caps.models import Cap, CapScope
from genengine.workspaces.models import Membership, Workspace

Names = Callable[[Workspace, Collection[str] | None], Mapping[str, str]]
"""Names by id: of the ids that are asked for, or of everything that a limit may be set on."""

SET_ON_PAGE = (CapScope.CAMPAIGN, CapScope.MEMBER, CapScope.PROVIDER)
_names: dict[CapScope, Names] = {}


def register_names(scope: CapScope, names: Names) -> None:
    """Say how the owners of a scope's caps are called."""
    _names[scope] = names


def names_of(scope: CapScope, workspace: Workspace, ids: Collection[str] | None = None) -> Mapping[str, str]:
    """Return the names of some owners, or of all that may be given a limit; a scope without owners has none."""
    return _names[scope](workspace, ids) if scope in _names else {}


def titles_of(caps: Iterable[Cap]) -> dict[UUID, str]:
    """Return what each cap limits, in words, with one question for each workspace and scope."""
    groups: dict[tuple[Workspace, CapScope], list[Cap]] = {}
    for cap in caps:
        groups.setdefault((cap.workspace, CapScope(cap.scope)), []).append(cap)
    titles: dict[UUID, str] = {}
    for (workspace, scope), rows in groups.items():
        names = names_of(scope, workspace, [row.scope_id for row in rows])
        titles |= {row.pk: _title(row, names.get(row.scope_id, "")) for row in rows}
    return titles


def _title(cap: Cap, name: str) -> str:
    kind = cap.get_scope_display()
    if cap.scope == CapScope.MONTH:
        return f"{kind} {cap.scope_id}"
    return f"{kind} “{name}”" if name else kind


def _members(workspace: Workspace, ids: Collection[str] | None) -> Mapping[str, str]:
    chosen = Q() if ids is None else Q(user__in=ids)
    rows = Membership.objects.filter(chosen, workspace=workspace).select_related("user").order_by("user__email")
    return {str(row.user_id): str(row.user) for row in rows}


register_names(CapScope.MEMBER, _members)
