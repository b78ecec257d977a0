"""Check files and keep the report: every figure with its threshold and evidence, bound to the exact bytes."""

from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from genengine.media import CHANNELS, Channel, Expectations, MediaInfo, QCReport, qc_check
from jobs.quality.models import QualityReport

FORMAT_CHECKS = frozenset({"codec", "color_tags", "faststart", "edit_lists", "fps"})  # of deliverables, not of takes


class Owned(Protocol):
    """A row of a job."""

    workspace_id: UUID
    job_id: UUID


def check_master(*, master: Any, path: Path, spec: dict[str, Any], sha256: str, now: datetime) -> QualityReport:
    """Check a composed master against its spec and its channel."""
    report = qc_check(path, master_expectations(spec))
    return _keep(report.to_dict(), master, kind="master", subject=master.pk, sha256=sha256, now=now)


def master_expectations(spec: dict[str, Any]) -> Expectations:
    """Return what a master made from this spec has to be."""
    output = spec["output"]
    channel: Channel = CHANNELS[output["channel"]]
    silent = not spec["audio"]
    fps = Fraction(output["fps"])
    return Expectations(
        width=output["width"],
        height=output["height"],
        fps=fps,
        frames=spec["duration_frames"],
        duration_ms=round(spec["duration_frames"] / fps * 1000),
        lufs=None if silent else output["loudness_lufs"],
        true_peak_dbtp=None if silent else output["true_peak_dbtp"],
        silent=silent,
        max_bytes=channel.max_bytes,
        min_bit_rate=output.get("min_bit_rate"),
    )


def check_take_file(*, attempt: Any, path: Path, info: MediaInfo, sha256: str, now: datetime) -> QualityReport:
    """Check a clip's result: decodable, neither black nor frozen. How it is encoded is the vendor's affair.

    `info` is what a probe of the file said.
    """
    report: QCReport = qc_check(path, Expectations(require_audio=False), info=info)
    kept = QCReport(tuple(f for f in report.findings if f.check not in FORMAT_CHECKS))
    return _keep(
        kept.to_dict(), attempt, kind="take", subject=attempt.clip_id, sha256=sha256, now=now, attempt=attempt.pk
    )


def _keep(
    report: dict[str, Any],
    row: Owned,
    *,
    kind: str,
    subject: UUID,
    sha256: str,
    now: datetime,
    attempt: UUID | None = None,
) -> QualityReport:
    return QualityReport.objects.create(
        workspace_id=row.workspace_id,
        job_id=row.job_id,
        subject_kind=kind,
        subject_id=subject,
        attempt_id=attempt,
        sha256=sha256,
        verdict=report["verdict"],
        score=report["score"],
        findings=report["findings"],
        created_at=now,
    )
