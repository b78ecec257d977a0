"""Who may see a job: whoever may see its brief."""

from uuid import UUID

from genengine.core.db import LockRank, lock_rows, unit_of_work
from jobs.execution.models import Job


def restrict_jobs(*, workspace_id: UUID, brief_id: UUID, restricted: bool) -> int:
    """Restrict the jobs of a brief as the brief is, or open them with it. Returns how many changed.

    It joins the transaction that changes the brief, so that nobody finds a job open whose brief is closed.
    """
    with unit_of_work():
        rows = Job.objects.of(workspace_id).filter(brief_id=brief_id).exclude(restricted=restricted)
        jobs = lock_rows(rows, LockRank.JOB)
        return Job.objects.filter(pk__in=[job.pk for job in jobs]).update(restricted=restricted)
