"""The access policy: role × action as data, asked through one function by pages, API, sockets and admin alike.

Roles include each other (Viewer < Editor < Approver < Admin). The Compliance grant stands apart. Object permissions
(django-guardian) hold only explicit shares of restricted objects, never copies of roles.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, UUIDField
from django.db.models.functions import Cast

from genengine.core.actors import Actor
from genengine.workspaces.models import ApiKey, Membership, Role, User, Workspace


class Action(StrEnum):
    """Everything that is decided by permission."""

    VIEW = "view"  # briefs, plans, jobs, masters, events
    VIEW_COST = "view_cost"
    UPLOAD_ASSET = "upload_asset"
    EDIT_BRIEF = "edit_brief"
    EDIT_PLAN = "edit_plan"
    LAUNCH_JOB = "launch_job"
    CONTROL_JOB = "control_job"  # pause, resume, cancel, rerun, lock
    RAISE_CAP = "raise_cap"
    APPROVE = "approve"
    REQUEST_EXPORT = "request_export"
    DOWNLOAD = "download"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_KEYS = "manage_keys"
    MANAGE_CREDENTIALS = "manage_credentials"
    MANAGE_CAPS = "manage_caps"
    MANAGE_WORKSPACE = "manage_workspace"
    READ_AUDIT = "read_audit"


RANK = {Role.VIEWER: 0, Role.EDITOR: 1, Role.APPROVER: 2, Role.ADMIN: 3}

LEAST_ROLE: dict[Action, Role] = {
    Action.VIEW: Role.VIEWER,
    Action.VIEW_COST: Role.VIEWER,
    Action.DOWNLOAD: Role.VIEWER,
    Action.UPLOAD_ASSET: Role.EDITOR,
    Action.EDIT_BRIEF: Role.EDITOR,
    Action.EDIT_PLAN: Role.EDITOR,
    Action.LAUNCH_JOB: Role.EDITOR,
    Action.CONTROL_JOB: Role.EDITOR,
    Action.REQUEST_EXPORT: Role.EDITOR,
    Action.APPROVE: Role.APPROVER,
    Action.RAISE_CAP: Role.APPROVER,
    Action.MANAGE_MEMBERS: Role.ADMIN,
    Action.MANAGE_KEYS: Role.ADMIN,
    Action.MANAGE_CREDENTIALS: Role.ADMIN,
    Action.MANAGE_CAPS: Role.ADMIN,
    Action.MANAGE_WORKSPACE: Role.ADMIN,
    Action.READ_AUDIT: Role.ADMIN,
}
BY_COMPLIANCE_GRANT = frozenset({Action.VIEW, Action.READ_AUDIT})

SCOPES: dict[str, frozenset[Action]] = {
    "read": frozenset({Action.VIEW, Action.VIEW_COST}),
    "assets": frozenset({Action.UPLOAD_ASSET}),
    "briefs": frozenset({Action.EDIT_BRIEF, Action.EDIT_PLAN}),
    "jobs": frozenset({Action.LAUNCH_JOB, Action.CONTROL_JOB}),
    "review": frozenset({Action.APPROVE, Action.RAISE_CAP}),
    "exports": frozenset({Action.REQUEST_EXPORT, Action.DOWNLOAD}),
}


class NotAllowed(Exception):
    """The principal may see the object but not do this to it (403). Not being able to see it is a 404 instead."""

    def __init__(self, action: Action, role: str, why: str = "") -> None:
        needed = LEAST_ROLE[action].label
        super().__init__(why or f"this needs the role {needed}; yours is {role}. Ask an admin of the workspace.")
        self.action = action


@dataclass(frozen=True)
class Principal:
    """Who asks, in which workspace, with which role: a person or an API key."""

    workspace: Workspace
    role: Role
    actor: Actor
    user: User | None = None
    api_key: ApiKey | None = None
    compliance: bool = False


def principal_of_user(user: User, workspace: Workspace) -> Principal | None:
    """Return a person's principal in a workspace, or nothing when the person is not a member."""
    membership = Membership.objects.filter(user=user, workspace=workspace, user__is_active=True).first()
    if membership is None:
        return None
    return Principal(workspace, Role(membership.role), user.as_actor(), user=user, compliance=membership.compliance)


def principal_of_key(key: ApiKey) -> Principal:
    """Return the principal of a checked API key."""
    return Principal(key.workspace, Role(key.role), key.as_actor(), api_key=key)


def can(principal: Principal, action: Action, obj: Any = None) -> bool:
    """Decide. `obj`, when given, must already be scoped to the principal's workspace."""
    if obj is not None and getattr(obj, "workspace_id", principal.workspace.pk) != principal.workspace.pk:
        return False
    if principal.api_key is not None and not _scoped(principal.api_key, action):
        return False
    if obj is not None and _closed_to(principal, obj):
        return False
    if RANK[principal.role] >= RANK[LEAST_ROLE[action]]:
        return True
    return principal.compliance and action in BY_COMPLIANCE_GRANT


def require(principal: Principal, action: Action, obj: Any = None) -> None:
    """Raise `NotAllowed` unless `can`."""
    if not can(principal, action, obj):
        raise NotAllowed(action, principal.role.label, _other_reason(principal, action, obj))


def shared_ids(user: User) -> QuerySet[Any, UUID]:
    """Return the ids of what is shared with a person, whatever it is: ids are unique across tables."""
    from guardian.models import UserObjectPermission  # a model: not before the apps are loaded

    shares = UserObjectPermission.objects.filter(user=user, permission__codename__startswith="share_")
    return shares.values_list(Cast("object_pk", UUIDField()), flat=True)


def key_is_valid(key: ApiKey, now: datetime) -> bool:
    """Say whether a key is neither revoked nor expired."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _other_reason(principal: Principal, action: Action, obj: Any) -> str:
    """Return what else than the role stands in the way: a key's scopes, or a restriction of the object."""
    if principal.api_key is not None and not _scoped(principal.api_key, action):
        scopes = [name for name, actions in SCOPES.items() if action in actions]
        if not scopes:
            return "no API key may do this; a person has to sign in for it."
        return f"this key lacks the scope {' or '.join(scopes)}. Ask an admin of the workspace for another key."
    if obj is not None and _closed_to(principal, obj):
        return "this is restricted to its author, to admins and to people it is shared with."
    return ""


def _scoped(key: ApiKey, action: Action) -> bool:
    return any(action in SCOPES.get(scope, frozenset()) for scope in key.scopes)


def _closed_to(principal: Principal, obj: Any) -> bool:
    """A restricted object is open to its author, to admins, and to people it is shared with; so is all below it.

    The same rule as a condition of a query is `tenancy.open_to`.
    """
    path = getattr(obj, "restricted_by", None)
    if path is None or principal.role == Role.ADMIN:
        return False
    for name in path.split("__") if path else ():
        obj = getattr(obj, name)
    if not obj.restricted:
        return False
    if principal.user is None:
        return True
    return obj.author_id != principal.user.pk and getattr(obj, obj.shared_as) not in shared_ids(principal.user)
