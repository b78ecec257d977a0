"""From a brief file to files: import, plan, launch, watch, approve, export."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from campaigns.briefs.importer import import_brief
from campaigns.cli.outputs import write_outputs
from campaigns.cli.progress import ProgressBar
from campaigns.delivery.models import Export
from campaigns.delivery.services import request_export
from campaigns.delivery.states import ExportState
from campaigns.planning.queries import plan_findings
from campaigns.planning.services import launch, make_plan
from campaigns.review.services import ApprovalRefused, approve
from genengine.core import clock
from genengine.core.correlation import correlated
from genengine.workspaces.models import Membership, Mode, Role, User, Workspace
from genengine.workspaces.policy import Principal, principal_of_user
from jobs.execution.models import Job, Master
from jobs.execution.states import FINAL, JobState, MasterState
from jobs.timeline.queries import timeline

OPERATOR_EMAIL = "command-line@localhost.localdomain"
LOOK_EVERY_S = 0.5
EXPORT_WITHIN_S = 180


class JobDidNotFinish(Exception):
    """The job ended without every master, or not in the time given."""


@dataclass(frozen=True)
class Order:
    """What the command was asked for."""

    brief: Path
    out: Path
    workspace: str
    approve: bool
    timeout_s: float


def command_line_principal(slug: str) -> Principal:
    """Return the operator at the command line as an admin of a workspace, made when it is missing (simulated)."""
    workspace, _ = Workspace.objects.get_or_create(slug=slug, defaults={"name": slug.title(), "mode": Mode.SIMULATED})
    user, made = User.objects.get_or_create(email=OPERATOR_EMAIL, defaults={"display_name": "Command line"})
    if made:
        user.set_unusable_password()
        user.save()
    Membership.objects.get_or_create(workspace=workspace, user=user, defaults={"role": Role.ADMIN})
    principal = principal_of_user(user, workspace)
    assert principal is not None
    return principal


def generate(order: Order, *, bar: ProgressBar, say: Callable[[str], None]) -> dict[str, Any]:
    """Do the whole job and write its files; raises what stopped it, in a sentence."""
    principal = command_line_principal(order.workspace)
    assert principal.user is not None
    with correlated():
        brief = import_brief(path=order.brief, workspace=principal.workspace, user=principal.user, now=clock.now())
        revision = make_plan(brief=brief, principal=principal, now=clock.now())
        plan = revision.plan
        say(f"{len(plan.scenes)} scenes × {len(plan.branches)} variants planned for {brief.title}")
        for finding in plan_findings(revision=revision):
            say(f"{finding.level}: {finding.sentence} [{finding.code}]")
        job = launch(revision=revision, principal=principal, now=clock.now())
        job = watch(job, bar, order.timeout_s)
        export, reasons = (None, ["approval was left to a person (--no-approve)"])
        if order.approve and job.state == JobState.READY:
            export, reasons = approve_and_export(job, principal)
    view = timeline(job=job, now=clock.now())
    report = write_outputs(job=job, view=view, export=export, reasons=reasons, out=order.out)
    if job.state != JobState.READY:
        raise JobDidNotFinish(why(job))
    return report


def watch(job: Job, bar: ProgressBar, timeout_s: float) -> Job:
    """Follow the job to its end."""
    deadline = time.monotonic() + timeout_s
    try:
        while True:
            job = Job.objects.select_related("workspace").get(pk=job.pk)
            bar.show(timeline(job=job, now=clock.now(), log_lines=0), clock.now())
            if job.state in FINAL or job.state == JobState.HELD:
                return job
            if time.monotonic() > deadline:
                raise JobDidNotFinish(f"the job was not finished after {timeout_s:.0f} s; it goes on in the background")
            time.sleep(LOOK_EVERY_S)
    finally:
        bar.end()


def approve_and_export(job: Job, principal: Principal) -> tuple[Export | None, list[str]]:
    """Approve every master as the operator and package them; what cannot be approved is said."""
    approved, reasons = [], []
    for master in Master.objects.filter(job=job, state=MasterState.READY).select_related("job", "branch"):
        try:
            approve(master=master, principal=principal, now=clock.now(), note="approved on the command line")
            approved.append(master)
        except ApprovalRefused as refused:
            reasons.append(f"{master}: {refused}")
    if not approved:
        return None, reasons
    export = request_export(job=job, masters=approved, principal=principal, now=clock.now())
    deadline = time.monotonic() + EXPORT_WITHIN_S
    while export.state not in (ExportState.READY, ExportState.FAILED, ExportState.BLOCKED):
        if time.monotonic() > deadline:
            return None, [*reasons, "the package was not ready in time"]
        time.sleep(LOOK_EVERY_S)
        export = Export.objects.select_related("package").get(pk=export.pk)
    if export.state != ExportState.READY:
        causes = [p["message"] for p in export.checklist] or [str((export.failure or {}).get("cause", ""))]
        return None, reasons + causes
    return export, reasons


def why(job: Job) -> str:
    """Return the reasons of a job that did not end well."""
    causes = [f"scene {c.scene_key}: {c.failure['cause']}" for c in job.clips.all() if c.failure]
    causes += [f"{m}: {m.failure['cause']}" for m in job.masters.select_related("branch") if m.failure]
    return f"the job ended as '{job.state}'. " + "; ".join(causes)
