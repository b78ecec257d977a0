"""The demo: a simulated workspace of the fictional brand Aurora Cold Brew, and its first ad, already under way.

Every step looks first whether it is done, so that the hook may run at each start and after any crash.
"""

from datetime import datetime
from pathlib import Path

import yaml
from allauth.account.models import EmailAddress
from django.conf import settings

from billing.caps.models import Cap, CapScope
from billing.caps.services import set_cap
from campaigns.briefs.importer import import_brief
from campaigns.briefs.models import Brief
from campaigns.briefs.services import update_brief
from campaigns.demo.queries import DEMO_SLUG, demo_line
from campaigns.planning.models import PlanRevision
from campaigns.planning.queries import newest_revision
from campaigns.planning.services import launch, make_plan, revise_plan
from campaigns.planning.types import ChangeBranchModel
from genengine.core import audit
from genengine.core.actors import SYSTEM
from genengine.core.db import retry_conflicts, unit_of_work
from genengine.core.money import MICRO
from genengine.workspaces.models import Membership, Mode, Role, User, Workspace
from genengine.workspaces.policy import Principal, principal_of_user
from jobs.execution.models import Job

ROLES = (Role.ADMIN, Role.APPROVER, Role.EDITOR, Role.VIEWER)
OPERATOR = "operator@aurora.example"
BRIEFS = ("explainer-original", "cinematic-wake-slowly", "ugc-blood-orange")
SHOWN = "ugc-blood-orange"  # short and vertical: the quickest of the three to make
SHOWN_VARIANTS = 2
VENDOR, VENDOR_MODEL = "kling", "kling-2.6"
WORKSPACE_CAP, MONTH_CAP = 500 * MICRO, 100 * MICRO


def seed_demo(*, password: str, now: datetime) -> str:
    """Make whatever of the demo is missing and return the address to sign in with."""
    workspace = _workspace(now)
    people = {role: _person(workspace, role, password) for role in ROLES}
    _operator(password)
    _caps(workspace, now)
    admin = principal_of_user(people[Role.ADMIN], workspace)
    assert admin is not None
    briefs = {name: _brief(workspace, name, admin, now) for name in BRIEFS}
    if not Job.objects.of(workspace).exists():
        _launch(briefs[SHOWN], admin, now)
    return people[Role.ADMIN].email


def demo_progress() -> str:
    """Return one line when the demo ad is finished, before that nothing."""
    return demo_line()


def _workspace(now: datetime) -> Workspace:
    with unit_of_work():
        workspace, made = Workspace.objects.get_or_create(
            slug=DEMO_SLUG, defaults={"name": "Aurora Cold Brew", "mode": Mode.SIMULATED}
        )
        if made:
            audit.record(
                workspace_id=workspace.pk,
                actor=SYSTEM,
                action="workspace.created",
                subject_kind="workspace",
                subject_id=workspace.pk,
                now=now,
                mode=str(workspace.mode),
            )
    return workspace


def _person(workspace: Workspace, role: Role, password: str) -> User:
    email = f"{role.value}@{DEMO_SLUG}.example"
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, password, display_name=f"{role.label} (demo)")
    EmailAddress.objects.get_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    Membership.objects.get_or_create(workspace=workspace, user=user, defaults={"role": role})
    return user


def _operator(password: str) -> None:
    if not User.objects.filter(email=OPERATOR).exists():
        operator = User.objects.create_superuser(OPERATOR, password, display_name="Operator (demo)")
        EmailAddress.objects.create(user=operator, email=OPERATOR, verified=True, primary=True)


def _caps(workspace: Workspace, now: datetime) -> None:
    """Budgets that nobody has set yet; those that somebody changed stay as they are."""
    for scope, scope_id, limit in (
        (CapScope.WORKSPACE, "", WORKSPACE_CAP),
        (CapScope.MONTH, f"{now:%Y-%m}", MONTH_CAP),
    ):
        known = Cap.objects.of(workspace).filter(book=Mode.SIMULATED, scope=scope, scope_id=scope_id)
        if not known.exists():
            set_cap(
                workspace=workspace,
                book=Mode.SIMULATED,
                scope=scope,
                scope_id=scope_id,
                limit_micro=limit,
                actor=SYSTEM,
                now=now,
            )


def _brief(workspace: Workspace, name: str, admin: Principal, now: datetime) -> Brief:
    path = Path(settings.BASE_DIR) / "examples" / "briefs" / f"{name}.yaml"
    title = _title_of(path)
    known = Brief.objects.of(workspace).filter(title=title).order_by("created_at").first()
    return known or import_brief(path=path, workspace=workspace, user=admin.user, now=now)


def _title_of(path: Path) -> str:
    return str(yaml.safe_load(path.read_text(encoding="utf-8"))["title"])


@retry_conflicts
def _launch(brief: Brief, admin: Principal, now: datetime) -> None:
    """Plan two variants, one by a vendor (the emulator stands for it) and one made here, and start the job."""
    with unit_of_work():
        update_brief(brief=brief, values={"variants": SHOWN_VARIANTS, "deadline_at": None}, principal=admin, now=now)
        revision = newest_revision(brief) or make_plan(brief=brief, principal=admin, now=now)
        if revision.plan.branches[-1].provider != VENDOR:
            revision = _led_by_vendor(revision, admin, now)
        launch(revision=revision, principal=admin, now=now)


def _led_by_vendor(revision: PlanRevision, admin: Principal, now: datetime) -> PlanRevision:
    change = ChangeBranchModel(revision.plan.branches[-1].key, VENDOR_MODEL)
    return revise_plan(revision=revision, change=change, principal=admin, now=now)
