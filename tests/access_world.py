"""A workspace with one of everything, and everybody who may knock at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from billing.caps.models import CapScope
from billing.caps.services import set_cap
from campaigns.briefs.models import BrandKit, Brief, BriefAsset
from campaigns.briefs.services import create_brief
from campaigns.delivery.models import Export
from campaigns.planning.models import PlanRevision
from campaigns.planning.services import make_plan
from compliance.trail.models import AuditEntry
from genengine.assets.models import Asset, AssetKind, Blob
from genengine.core import clock
from genengine.workspaces.models import ApiKey, Invitation, Membership, Role, Workspace
from genengine.workspaces.policy import Principal
from genengine.workspaces.services import create_invitation
from genengine.workspaces.surfaces import Row, Surface
from jobs.execution.models import Job, Take, TakeKind
from providers.credentials.models import ProviderAccount
from tests.api.support import make_key
from tests.factories.jobs import make_job, make_principal
from tests.factories.jobs import make_plan as make_job_plan

BACKEND = "django.contrib.auth.backends.ModelBackend"
BODIES: dict[str, dict[str, Any]] = {  # what makes a request say what it wants; its values need not be right
    "job-do": {"do": "pause"},
    "job-branch-do": {"do": "pause"},
    "job-clip-do": {"do": "lock"},
    "plan-scene-do": {"do": "lock"},
    "brief-asset": {"do": "up"},
    "api-changes": {"revision": 1, "change": {"kind": "lock_scene", "scene": "s1"}},
    "plan-restore": {"revision": "1"},
    "settings-member": {"role": "viewer"},
    "settings-provider-change": {"do": "revoke"},
    "plan-fix": {"fix": "0-0"},
}


@dataclass
class World:
    """One of everything in one workspace. `ids` answers every URL parameter by its name."""

    workspace: Workspace
    admin: Principal
    job: Job
    brief: Brief
    ids: dict[str, Any]
    admin_ids: dict[str, Any] = field(default_factory=dict)

    def url(self, row: Row) -> str:
        """The address of a row in this world."""
        if row.surface == Surface.SOCKET:
            return f"/ws/jobs/{self.job.pk}"
        if row.surface == Surface.ADMIN:
            model = row.route.rpartition("_")[0]
            wanted = not row.route.endswith(("_changelist", ":index"))
            return reverse(row.route, args=[self.admin_ids[model]] if wanted else [])
        given = dict(row.args) | ({"key": self.ids["branch_key"]} if row.route == "plan-branch" else {})
        names = parameters_of(row.route)
        address = reverse(row.route, kwargs={name: given.get(name, self.ids.get(name)) for name in names})
        return f"{address}?field=title" if row.route == "brief-field" else address


def make_world(slug: str) -> World:
    workspace, _ = Workspace.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    admin = make_principal(workspace, Role.ADMIN)
    now = clock.now()
    assert admin.user is not None
    values = {"title": f"Secret of {slug}", "script": "One.\nTwo.\nThree.", "length_ms": 6000, "variants": 1}
    brief = create_brief(principal=admin, now=now, values=values | {"cap_micro": 1})
    revision = make_plan(brief=brief, principal=admin, now=now)
    blob = Blob.objects.create(
        workspace=workspace, sha256="a" * 64, size=3, media_type="image/png", storage_name=f"blobs/{slug}/aa"
    )
    asset = Asset.objects.create(
        workspace=workspace, name=f"secret-{slug}.png", kind=AssetKind.IMAGE, original=blob, working=blob
    )
    use = BriefAsset.objects.create(workspace=workspace, brief=brief, asset=asset)
    job = make_job(admin, make_job_plan(title=f"Secret of {slug}"))
    Job.objects.filter(pk=job.pk).update(title=f"Secret of {slug}", brief_id=brief.pk)
    clip, branch, master = job.clips.first(), job.branches.first(), job.masters.first()
    take = Take.objects.create(
        workspace=workspace, job=job, clip=clip, number=1, kind=TakeKind.UPLOADED, plan_number=1, blob=blob,
        width=1, height=1, fps="30/1", duration_ms=1, simulated=True, created_at=now,
    )  # fmt: skip
    export = Export.objects.create(
        workspace=workspace, job=job, hashes={}, state_changed_at=now, simulated=True, created_at=now
    )
    kit = BrandKit.objects.create(workspace=workspace, name=f"Kit of {slug}")
    account = ProviderAccount.objects.create(
        workspace=workspace, provider="kling", label=f"Account of {slug}", secret="sealed", created_at=now
    )
    cap = set_cap(
        workspace=workspace,
        book="simulated",
        scope=CapScope.WORKSPACE,
        limit_micro=50_000_000,
        actor=admin.actor,
        now=now,
    )
    make_key(workspace)
    key = ApiKey.objects.get(workspace=workspace)
    other = make_principal(workspace, Role.VIEWER, email=f"other@{slug}.example")
    membership = Membership.objects.get(workspace=workspace, user=other.user)
    create_invitation(principal=admin, role=Role.VIEWER, now=now)
    invitation = Invitation.objects.get(workspace=workspace)
    scene, lead = revision.plan.scenes[0].key, revision.plan.branches[0].key
    ids = {
        "slug": slug, "brief_id": brief.pk, "job_id": job.pk, "asset_id": asset.pk, "use_id": use.pk,
        "branch_id": branch.pk, "clip_id": clip.pk, "master_id": master.pk, "take_id": take.pk, "export_id": export.pk,
        "kit_id": kit.pk, "account_id": account.pk, "key_id": key.pk, "membership_id": membership.pk,
        "invitation_id": invitation.pk, "number": PlanRevision.objects.get(brief=brief).number, "key": scene,
        "scene_key": scene, "branch_key": lead, "provider": "kling",
    }  # fmt: skip
    admin_ids = {
        "admin:workspaces_membership": membership.pk,
        "admin:workspaces_apikey": key.pk,
        "admin:workspaces_workspace": workspace.pk,
        "admin:providers_provideraccount": account.pk,
        "admin:billing_cap": cap.pk,
        "admin:compliance_auditentry": AuditEntry.objects.filter(chain=str(workspace.pk)).first().pk,  # type: ignore[union-attr]
        "admin:jobs_job": job.pk,
    }
    return World(workspace, admin, Job.objects.get(pk=job.pk), brief, ids, admin_ids)


def walk(patterns: list[Any], prefix: str = "", space: str = "") -> list[tuple[str, URLPattern]]:
    """Every pattern of the project with its full name."""
    found: list[tuple[str, URLPattern]] = []
    for entry in patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            found += walk(entry.url_patterns, prefix + str(entry.pattern), inner)
        else:
            found.append((f"{space}{entry.name or prefix + str(entry.pattern)}", entry))
    return found


def routes() -> dict[str, set[str]]:
    """Every named route with the parameters of its whole address."""
    found: dict[str, set[str]] = {}

    def collect(patterns: list[Any], names: set[str], space: str) -> None:
        for entry in patterns:
            own = names | set(entry.pattern.converters) | set(entry.pattern.regex.groupindex)
            if isinstance(entry, URLResolver):
                collect(entry.url_patterns, own, f"{space}{entry.namespace}:" if entry.namespace else space)
            elif entry.name:
                found[f"{space}{entry.name}"] = own

    collect(get_resolver().url_patterns, set(), "")
    return found


def parameters_of(route: str) -> set[str]:
    """The parameters of a route."""
    return routes()[route]


def browser_of(principal: Principal) -> Client:
    client = Client()
    client.force_login(principal.user, backend=BACKEND)  # type: ignore[arg-type]
    return client
