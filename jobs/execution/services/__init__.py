"""Every write of execution, a module a use case."""

from jobs.execution.services.access import restrict_jobs
from jobs.execution.services.control import (
    ClipLocked,
    cancel_branch,
    cancel_clip,
    cancel_job,
    lock_clip,
    pause_branch,
    pause_clip,
    pause_job,
    raise_cap,
    rerun_branch,
    rerun_clip,
    rerun_job,
    resume_branch,
    resume_clip,
    resume_job,
    select_take,
    unlock_clip,
)
from jobs.execution.services.launch import PlanNotRunnable, launch_job
from jobs.execution.services.revising import RevisionRefused, revise_job

__all__ = [
    "ClipLocked",
    "PlanNotRunnable",
    "RevisionRefused",
    "cancel_branch",
    "cancel_clip",
    "cancel_job",
    "launch_job",
    "lock_clip",
    "pause_branch",
    "pause_clip",
    "pause_job",
    "raise_cap",
    "rerun_branch",
    "rerun_clip",
    "rerun_job",
    "restrict_jobs",
    "resume_branch",
    "resume_clip",
    "resume_job",
    "revise_job",
    "select_take",
    "unlock_clip",
]
