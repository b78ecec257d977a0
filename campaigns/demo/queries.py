"""How the demo ad stands, in one line for the terminal."""

from billing.caps.queries import spend_of_job
from genengine.core.money import format_micro
from genengine.workspaces.models import Workspace
from jobs.execution.models import Job, Master
from jobs.execution.states import FINAL, JobState, MasterState

DEMO_SLUG = "aurora"


def demo_line() -> str:
    """Return "demo ad finished …" once the demo job has ended, well or not; before that nothing."""
    workspace = Workspace.objects.filter(slug=DEMO_SLUG).first()
    job = Job.objects.of(workspace).order_by("created_at").first() if workspace else None
    if job is None or job.state not in FINAL:
        return ""
    ready = Master.objects.filter(job=job, state=MasterState.READY).count()
    every = Master.objects.filter(job=job).count()
    took = f" in {round((job.finished_at - job.created_at).total_seconds())} s" if job.finished_at else ""
    spend = spend_of_job(job_id=job.pk)
    cost = f", {format_micro(spend.spent_micro)} of simulated money" if spend else ""
    how = "" if job.state == JobState.READY else f" with problems ({job.state.replace('_', ' ')})"
    return f"demo ad finished{how}: “{job.title}”, {ready} of {every} videos{took}{cost}"
