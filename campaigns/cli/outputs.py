"""Write a job's results into a folder, with a report that names every file."""

import json
import shutil
from pathlib import Path
from typing import Any

from campaigns.delivery.models import Export
from campaigns.delivery.package import file_stem
from genengine.assets.models import Blob
from genengine.assets.services import open_blob
from genengine.core.money import format_micro
from jobs.execution.models import Job, Master
from jobs.execution.states import MasterState
from jobs.timeline.queries import Timeline

ENGINE_FACTS = ("engine_used", "engine_policy", "switches", "fallback", "warnings")


def write_outputs(*, job: Job, view: Timeline, export: Export | None, reasons: list[str], out: Path) -> dict[str, Any]:
    """Write masters, captions, thumbnails, the package and `report.json`; return the report."""
    out.mkdir(parents=True, exist_ok=True)
    masters = Master.objects.filter(job=job, state__in=(MasterState.READY, MasterState.NEEDS_ATTENTION))
    rows = masters.select_related("branch", "blob", "thumbnail", "srt", "vtt", "quality", "job")
    report = {
        "job": str(job.pk),
        "title": job.title,
        "state": job.state,
        "mode": job.mode,
        "simulated": job.mode == "simulated",
        "seconds": round(((job.finished_at or job.created_at) - job.created_at).total_seconds(), 1),
        "spend": {
            "spent_micro": view.spend.spent_micro,
            "limit_micro": view.spend.limit_micro,
            "currency": job.workspace.currency,
            "display": format_micro(view.spend.spent_micro, job.workspace.currency),
            "by_provider": dict(view.spend.by_provider),
        },
        "plan": job.plan.to_dict(),
        "clips": [
            {
                "variant": branch.name,
                "scene": clip.scene,
                "state": clip.state,
                "provider": clip.provider,
                "model": clip.model,
                "takes": [{"kind": t.kind, "sha256": t.blob.sha256, "selected": t.selected} for t in clip.takes],
                "cost_micro": clip.cost_micro,
                "failure": clip.failure,
            }
            for branch in view.branches
            for clip in branch.clips
        ],
        "masters": [_write_master(master, out) for master in rows],
        "package": None,
        "package_reasons": reasons,
    }
    if export is not None and export.package is not None:
        report["package"] = _write(export.package, out / "package.zip")
    (out / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return report


def _write_master(master: Master, out: Path) -> dict[str, Any]:
    stem = file_stem(master)
    quality = master.quality
    return {
        "variant": master.branch.name,
        "locale": master.locale,
        "ratio": master.ratio,
        "state": master.state,
        "sha256": master.sha256,
        "width": master.width,
        "height": master.height,
        "duration_ms": master.duration_ms,
        "fallback": master.has_fallback,
        "partial": master.partial,
        "quality": {"verdict": quality.verdict, "score": float(quality.score or 0), "findings": quality.findings}
        if quality
        else None,
        "failure": master.failure,
        "engine": {n: master.report[n] for n in ENGINE_FACTS if n in master.report} if master.report else None,
        "video": _write(master.blob, out / f"{stem}.mp4"),
        "thumbnail": _write(master.thumbnail, out / f"{stem}.jpg"),
        "srt": _write(master.srt, out / f"{stem}.srt"),
        "vtt": _write(master.vtt, out / f"{stem}.vtt"),
    }


def _write(blob: Blob | None, path: Path) -> str | None:
    if blob is None:
        return None
    with open_blob(blob) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return path.name
