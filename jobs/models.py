"""Models of jobs, by feature."""

from jobs.execution.models import Attempt, Branch, Clip, Exchange, Job, JobPlan, Master, Take, TakeKind
from jobs.quality.models import QualityReport, Verdict

__all__ = [
    "Attempt", "Branch", "Clip", "Exchange", "Job", "JobPlan", "Master", "QualityReport", "Take", "TakeKind", "Verdict",
]  # fmt: skip
