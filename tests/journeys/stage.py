"""The world in which the journeys happen, made by the product's own services; called by `tests.support.inside`."""

from pathlib import Path

from billing.caps.models import CapScope
from billing.caps.services import set_cap
from campaigns.briefs.importer import import_brief
from campaigns.briefs.models import Brief
from campaigns.briefs.services import update_brief
from campaigns.planning.services import launch, make_plan
from genengine.core import clock
from genengine.workspaces.models import Membership, Role, User, Workspace
from genengine.workspaces.policy import Principal, principal_of_user
from jobs.execution.models import Job
from tests.journeys.stage_password import PASSWORD

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "briefs"
ADMIN_PAGES = {"cap", "entry", "job", "auditentry", "membership", "cardrevision", "circuit", "user"}
SHORT = {"variants": 2, "length_ms": 6_000, "ratios": ["9:16"], "deadline_at": None}
SCRIPT = """[Scene 1, 0-3 s. The can on a table.]
Cold brew in a can.

[Scene 2, 3-6 s. All three cans side by side.]
Three flavours. Pick one.
"""


def build() -> dict[str, str]:
    """Make two workspaces, a person for each role, a brief with a plan; return the briefs' ids."""
    aurora = _workspace("aurora", "Aurora Cold Brew")
    _workspace("borealis", "Borealis Tea", only="stranger")
    User.objects.create_superuser("operator@aurora.example", PASSWORD, display_name="Operator of this installation")
    admin = _principal("admin@aurora.example", aurora)
    now = clock.now()
    set_cap(
        workspace=aurora,
        book=aurora.mode,
        scope=CapScope.MONTH,
        scope_id=f"{now:%Y-%m}",
        limit_micro=200_000_000,
        actor=admin.actor,
        now=now,
    )
    planned = _brief("ugc-blood-orange", admin, {})
    make_plan(brief=planned, principal=admin, now=clock.now())
    short = _brief("cinematic-wake-slowly", admin, {**SHORT, "title": "Six seconds of Aurora", "script": SCRIPT})
    make_plan(brief=short, principal=admin, now=clock.now())
    return {"planned": str(planned.pk), "short": str(short.pk)}


def start_job(brief_id: str) -> str:
    """Launch a copy of the short brief's plan; return the job's id."""
    brief = Brief.objects.get(pk=brief_id)
    admin = _principal("admin@aurora.example", brief.workspace)
    revision = make_plan(brief=brief, principal=admin, now=clock.now())
    job = launch(revision=revision, principal=admin, now=clock.now())
    return str(job.pk)


def plan_again(brief_id: str) -> int:
    """Make a newer plan of a brief, whatever was launched from it before; return its number."""
    brief = Brief.objects.get(pk=brief_id)
    principal = _principal("admin@aurora.example", brief.workspace)
    return int(make_plan(brief=brief, principal=principal, now=clock.now()).number)


def job_state(job_id: str) -> str:
    """Return where a job stands."""
    return str(Job.objects.get(pk=job_id).state)


def admin_pages() -> dict[str, list[str]]:
    """Return index, lists and a row's page of each, of the workspace's admin and of the operator's: of some models."""
    from genengine.workspaces.admin_site import operator_admin, workspace_admin

    found: dict[str, list[str]] = {}
    for site in (workspace_admin, operator_admin):
        pages = found[site.name] = [f"/{site.name}/"]
        for model in (model for model in site._registry if model._meta.model_name in ADMIN_PAGES):
            folder = f"/{site.name}/{model._meta.app_label}/{model._meta.model_name}/"
            rows = model._default_manager.order_by("pk")
            if any(field.name == "workspace" for field in model._meta.fields) and site is workspace_admin:
                rows = rows.filter(workspace__slug="aurora")
            elif model._meta.model_name == "auditentry":
                rows = rows.filter(chain=str(Workspace.objects.get(slug="aurora").pk))
            elif model is Workspace:
                rows = rows.filter(slug="aurora")
            row = rows.first()
            pages += [folder] + ([f"{folder}{row.pk}/change/"] if row is not None else [])
    return found


def _workspace(slug: str, name: str, *, only: str = "") -> Workspace:
    workspace = Workspace.objects.create(slug=slug, name=name)
    for role in [only] if only else [str(value) for value in Role.values]:
        user = User.objects.create_user(f"{role}@{slug}.example", PASSWORD, display_name=f"{role.title()} of {name}")
        Membership.objects.create(workspace=workspace, user=user, role=Role.ADMIN if only else role)
    return workspace


def _principal(email: str, workspace: Workspace) -> Principal:
    principal = principal_of_user(User.objects.get(email=email), workspace)
    assert principal is not None
    return principal


def _brief(name: str, admin: Principal, changes: dict[str, object]) -> Brief:
    path = EXAMPLES / f"{name}.yaml"
    brief = import_brief(path=path, workspace=admin.workspace, user=admin.user, now=clock.now())
    return update_brief(brief=brief, values=changes, principal=admin, now=clock.now()) if changes else brief
