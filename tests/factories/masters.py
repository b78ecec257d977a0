"""Finished masters without rendering: rows and stored bytes as composition leaves them."""

from __future__ import annotations

from typing import Any

from genengine.assets.services import store_blob
from genengine.core import clock
from genengine.workspaces.policy import Principal
from jobs.execution.models import Attempt, Branch, Clip, Job, Master, Take, TakeKind
from jobs.quality.models import QualityReport
from tests.factories.jobs import make_job, make_plan


def make_finished_job(principal: Principal, *, kind: str = TakeKind.GENERATED, **plan: Any) -> Job:
    """A job whose clips each have a selected take and whose masters are ready and passed their checks."""
    job = make_job(principal, make_plan(**{"scenes": 2, **plan}))
    for clip in Clip.objects.filter(job=job):
        _finish_clip(clip, kind)
    for master in Master.objects.filter(job=job):
        finish_master(master, content=f"video {master.pk}".encode())
    Branch.objects.filter(job=job).update(state="ready")
    Job.objects.filter(pk=job.pk).update(state="ready", finished_at=clock.now())
    job.refresh_from_db()
    return job


def finish_master(master: Master, *, content: bytes, **changes: Any) -> Master:
    """Give a master bytes and the state ready."""

    def stored(data: bytes, media_type: str) -> Any:
        return store_blob(workspace=master.workspace, media_type=media_type, content=data)

    blob = stored(content, "video/mp4")
    values: dict[str, Any] = {
        "state": "ready",
        "blob": blob,
        "sha256": blob.sha256,
        "thumbnail": stored(content + b"jpg", "image/jpeg"),
        "srt": stored(b"1\n00:00:00,000 --> 00:00:02,000\nWords.\n", "application/x-subrip"),
        "vtt": stored(b"WEBVTT\n\n00:00.000 --> 00:02.000\nWords.\n", "text/vtt"),
        "width": 1080,
        "height": 1920,
        "duration_ms": 4000,
        "ready_at": clock.now(),
        "quality": QualityReport.objects.create(
            workspace=master.workspace, job_id=master.job_id, subject_kind="master", subject_id=master.pk,
            sha256=blob.sha256, verdict="pass", score=10, findings=[], created_at=clock.now(),
        ),
        **changes,
    }  # fmt: skip
    Master.objects.filter(pk=master.pk).update(**values)
    master.refresh_from_db()
    return master


def _finish_clip(clip: Clip, kind: str) -> None:
    now = clock.now()
    attempt = Attempt.objects.create(
        workspace=clip.workspace,
        job=clip.job,
        clip=clip,
        number=1,
        plan_number=1,
        provider="local",
        model="local",
        state="collected",
        state_changed_at=now,
        idempotency_key=f"k-{clip.pk}",
        request={"seed": 1, "prompt": "p"},
        request_digest="",
        reservation=clip.reservation,
        cost_micro=0,
        created_at=now,
        finished_at=now,
    )
    blob = store_blob(workspace=clip.workspace, media_type="video/mp4", content=clip.pk.bytes)
    take = Take.objects.create(
        workspace=clip.workspace, job=clip.job, clip=clip, number=1, kind=kind, attempt=attempt, plan_number=1,
        blob=blob, width=1080, height=1920, fps="30/1", duration_ms=2500, simulated=True, created_at=clock.now(),
    )  # fmt: skip
    Clip.objects.filter(pk=clip.pk).update(
        state="ready", selected_take=take, started_at=clock.now(), finished_at=clock.now(), reservation=None
    )
