"""Models of compliance, by feature."""

from compliance.trail.models import AuditEntry, AuditHead

__all__ = ["AuditEntry", "AuditHead"]
