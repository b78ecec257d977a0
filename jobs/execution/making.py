"""Make and check files: takes from results, masters from takes. Files first, rows by the services after."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

import genengine.media as engine
from genengine.assets.models import Asset, Blob
from genengine.assets.services import blob_to_path, record_lineage, store_blob
from genengine.core import clock
from genengine.media import CompileReport, MediaRejected, probe, thumbnail, write_srt, write_vtt
from genengine.workspaces.models import Mode
from jobs.execution.composition import MasterOrder, TakeRef, caption_cues, master_spec
from jobs.execution.framing import TakeFile, frame_takes
from jobs.execution.models import Attempt, Clip, Master, Take
from jobs.execution.services import collecting, masters, submitting
from jobs.execution.services.collecting import TakeFacts
from jobs.execution.services.dispatching import plan_of
from jobs.execution.states import ClipState
from jobs.plan import ClipPlan, Plan
from jobs.quality.services import check_master, check_take_file
from providers.values import Finished

POSTER_AT_S = 0.5


class TakeUnusable(Exception):
    """The result is here but is no usable video; it says what was measured."""


def check_take(attempt: Attempt, video: Path, folder: Path) -> TakeFacts:
    """Probe, check and store a result with its poster frame; the blob is written before any row names it."""
    try:
        info = probe(video)
    except MediaRejected as refused:
        raise TakeUnusable(str(refused)) from refused
    if info.video is None:
        raise TakeUnusable("the result has no picture")
    blob = store_blob(workspace=attempt.workspace, media_type="video/mp4", path=video)
    quality = check_take_file(attempt=attempt, path=video, sha256=blob.sha256, now=clock.now())
    if quality.verdict == "fail":
        raise TakeUnusable("; ".join(f["message"] for f in quality.findings if f["verdict"] == "fail"))
    poster = thumbnail(video, folder / "poster.jpg", at_s=POSTER_AT_S, width=480)
    width, height = info.video.display_size
    return TakeFacts(
        blob=blob,
        poster=store_blob(workspace=attempt.workspace, media_type="image/jpeg", path=poster),
        width=width,
        height=height,
        fps=f"{info.video.fps.numerator}/{info.video.fps.denominator}",
        duration_ms=round(info.duration_s * 1000),
        quality=quality,
    )


def store_finished(attempt: Attempt, finished: Finished, folder: Path) -> None:
    """Take the answer of a synchronous vendor: its files are stored before the row says finished."""
    video = next((a.path for a in finished.artefacts if a.kind == "video"), None)
    if video is None:
        raise TakeUnusable(f"{attempt.provider} answered without a video")
    collecting.collect_take(
        attempt_id=attempt.pk,
        owner=submitting.SENDER,
        facts=check_take(attempt, video, folder),
        cost=finished.cost,
        now=clock.now(),
    )


def compose(master_id: UUID, *, owner: str, folder: Path, cancelled: Callable[[], bool]) -> None:
    """Compose a claimed master and check it, each step told under the lease."""
    master = Master.objects.select_related("job", "branch", "workspace").get(pk=master_id)
    plan = plan_of(master.job_id, master.plan_number)
    takes = selected_takes(master)
    spec, files = _order(master, plan, takes, folder)
    report = engine.compile(
        spec,
        files,
        folder / "master.mp4",
        cache_dir=Path(settings.GE_CACHE_DIR) / "pieces" / str(master.workspace_id),
        progress=submitting.progress_writer(Master, master_id, owner),
        cancelled=cancelled,
    )
    composed = _store(master, plan, takes, report, folder)
    masters.begin_check(master_id=master_id, owner=owner, composed=composed, spec=spec, now=clock.now())
    quality = check_master(
        master=master, path=Path(report.path), spec=spec, sha256=composed.blob.sha256, now=clock.now()
    )
    masters.accept_master(master_id=master_id, owner=owner, quality=quality, now=clock.now())


def selected_takes(master: Master) -> list[Take]:
    """Return the selected takes of a master's branch in the order of the scenes."""
    clips = Clip.objects.filter(branch=master.branch_id, state=ClipState.READY, selected_take__isnull=False)
    rows = clips.select_related("selected_take__blob", "selected_take__clip").order_by("position")
    return [clip.selected_take for clip in rows if clip.selected_take is not None]


def _order(master: Master, plan: Plan, takes: list[Take], folder: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    assets = _plan_assets(master, plan)
    order = MasterOrder(
        ratio=master.ratio,
        locale=master.locale,
        takes=[TakeRef(t.clip.scene_key, t.blob.sha256) for t in takes],
        simulated=master.job.mode == Mode.SIMULATED,
        asset_hashes={name: asset.working.sha256 for name, asset in assets.items()},
        cards=frozenset(c.scene for c in plan.clips_of(master.branch.key) if is_card(c)),
        scale=settings.GE_MASTER_SCALE,
    )
    framings = frame_takes(_take_files(plan, order, takes, folder), order.ratio)
    spec = master_spec(plan, replace(order, framings=framings))
    blobs = {t.blob.sha256: t.blob for t in takes} | {a.working.sha256: a.working for a in assets.values()}
    files = {name: blob_to_path(blobs[ref["sha256"]], folder) for name, ref in spec["assets"].items()}
    return spec, files


def _take_files(plan: Plan, order: MasterOrder, takes: list[Take], folder: Path) -> list[TakeFile]:
    words = next(loc.on_screen for loc in plan.locales if loc.code == order.locale)
    scenes = [plan.scene(take.clip.scene_key) for take in takes]
    return [
        TakeFile(
            scene=scene.key,
            path=blob_to_path(take.blob, folder),
            width=take.width,
            height=take.height,
            is_card=scene.key in order.cards,
            has_headline=bool(words.get(scene.key, scene.on_screen_text).strip()),
        )
        for scene, take in zip(scenes, takes, strict=True)
    ]


def is_card(clip: ClipPlan) -> bool:
    """Say whether a clip is a text card."""
    return bool(clip.options.get("headline")) and not clip.inputs


def _plan_assets(master: Master, plan: Plan) -> dict[str, Asset]:
    voice = next(loc.voice_asset_id for loc in plan.locales if loc.code == master.locale)
    wanted = [pk for pk in (plan.brand.logo_asset_id, plan.bed_asset_id, voice) if pk]
    rows = Asset.objects.of(master.workspace).select_related("working").filter(pk__in=wanted)
    return {str(row.pk): row for row in rows}


def _store(master: Master, plan: Plan, takes: list[Take], report: CompileReport, folder: Path) -> masters.Composed:
    """Store the master, its thumbnail and its caption files, with the lineage from its takes."""
    scenes = [plan.scene(t.clip.scene_key) for t in takes]
    cues = caption_cues(plan, master.locale, scenes)
    srt = write_srt(cues, folder / "captions.srt")
    vtt = write_vtt(cues, folder / "captions.vtt", language=master.locale)
    blob = store_blob(workspace=master.workspace, media_type="video/mp4", path=Path(report.path))
    for take in takes:
        record_lineage(child=blob, parent=take.blob, relation="composed_from")
    return masters.Composed(
        blob=blob,
        thumbnail=store_blob(workspace=master.workspace, media_type="image/jpeg", path=Path(report.thumbnail)),
        srt=_text(master, srt, "application/x-subrip"),
        vtt=_text(master, vtt, "text/vtt"),
        width=report.width,
        height=report.height,
        duration_ms=report.duration_ms,
        report={k: v for k, v in report.to_dict().items() if k not in ("path", "thumbnail")},
    )


def _text(master: Master, path: Path, media_type: str) -> Blob:
    return store_blob(workspace=master.workspace, media_type=media_type, path=path)
