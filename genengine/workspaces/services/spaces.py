"""Make a workspace and change its settings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.workspaces.models import (
    EnginePolicy,
    FallbackPolicy,
    Membership,
    Mode,
    ReusePolicy,
    Role,
    User,
    Workspace,
)
from genengine.workspaces.policy import Action, Principal, require
from genengine.workspaces.services.record import tell

MOST_PARALLEL = 1000
SETTINGS = frozenset(
    {
        "name",
        "mode",
        "fallback_policy",
        "engine_policy",
        "reuse_policy",
        "separate_author_and_approver",
        "parallel_generations",
    }
)


class SettingsInvalid(Exception):
    """A setting was not taken; `errors` says by field how to fix it."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


@retry_conflicts
def create_workspace(
    *, name: str, owner: User, now: datetime, slug: str = "", mode: Mode | str = Mode.SIMULATED
) -> Workspace:
    """Make a workspace whose first admin is `owner`. Without a slug, the name gives one that is free."""
    _refuse(_errors({"name": name, "mode": mode}))
    with unit_of_work():
        workspace = _with_free_slug(name.strip()[:120], slug, str(mode))
        membership = Membership.objects.create(workspace=workspace, user=owner, role=Role.ADMIN)
        actor = owner.as_actor()
        facts: dict[str, object] = {"mode": str(mode), "owner": str(owner.pk)}
        tell(
            workspace, actor, "workspace.created",
            subject_kind="workspace", subject_id=workspace.pk, now=now, facts=facts,
        )  # fmt: skip
        tell(
            workspace, actor, "member.joined",
            subject_kind="membership", subject_id=membership.pk, now=now, facts={"role": Role.ADMIN.value},
        )  # fmt: skip
    return workspace


@retry_conflicts
def update_workspace(*, principal: Principal, now: datetime, **changes: Any) -> Workspace:
    """Change name, mode, fallback and engine policy, whether authors may approve, or how much runs side by side."""
    require(principal, Action.MANAGE_WORKSPACE)
    _refuse(_errors(changes))
    workspace = principal.workspace
    with unit_of_work():
        for field, value in changes.items():
            setattr(workspace, field, value)
        workspace.save(update_fields=list(changes))
        tell(
            workspace, principal.actor, "workspace.changed",
            subject_kind="workspace", subject_id=workspace.pk, now=now, facts={"fields": sorted(changes)},
        )  # fmt: skip
    return workspace


def installation_principal(workspace: Workspace) -> Principal:
    """Return the principal of a command that an operator runs on the machine itself."""
    return Principal(workspace, Role.ADMIN, SYSTEM)


def _with_free_slug(name: str, slug: str, mode: str) -> Workspace:
    wanted = slugify(slug or name)[:56] or "workspace"
    for number in range(1, 100):
        candidate = wanted if number == 1 else f"{wanted}-{number}"
        try:
            with transaction.atomic():
                return Workspace.objects.create(name=name, slug=candidate, mode=mode)
        except IntegrityError:
            if slug:
                break
    raise SettingsInvalid({"slug": f"The address “{wanted}” is taken; choose another."})


def _refuse(errors: Mapping[str, str]) -> None:
    if errors:
        raise SettingsInvalid(errors)


def _errors(changes: Mapping[str, Any]) -> dict[str, str]:
    errors = {field: "This is not a setting." for field in changes if field not in SETTINGS}
    if "name" in changes and not str(changes["name"]).strip():
        errors["name"] = "Give the workspace a name."
    if "mode" in changes and changes["mode"] not in Mode.values:
        errors["mode"] = "Choose live or simulated."
    if "fallback_policy" in changes and changes["fallback_policy"] not in FallbackPolicy.values:
        errors["fallback_policy"] = "Choose one of the three policies."
    if "reuse_policy" in changes and changes["reuse_policy"] not in ReusePolicy.values:
        errors["reuse_policy"] = "Choose one of the three ways."
    if "engine_policy" in changes and (wrong := _engine_error(changes["engine_policy"])):
        errors["engine_policy"] = wrong
    if "parallel_generations" in changes and not 1 <= changes["parallel_generations"] <= MOST_PARALLEL:
        errors["parallel_generations"] = f"Choose between 1 and {MOST_PARALLEL}."
    return errors


def _engine_error(policy: str) -> str:
    if policy not in EnginePolicy.values:
        return "Choose one of the policies."
    if policy == EnginePolicy.API_ONLY and not settings.REMOTE_ENGINE_URL:
        return "No remote engine is set up (REMOTE_ENGINE_URL): nothing could be rendered. Choose another policy."
    return ""
