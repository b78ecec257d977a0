"""Admin of jobs, by feature."""

from jobs.execution import admin as execution

__all__ = ["execution"]
