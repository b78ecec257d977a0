"""Make and check files: takes from results, masters from takes. Files first, rows by the services after."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.conf import settings

import genengine.media as engine
from genengine.assets.models import Asset, Blob
from genengine.assets.services import blob_to_path, record_lineage, store_blob
from genengine.core import clock
from genengine.media import (
    CompileReport,
    MediaError,
    MediaRejected,
    RenderCancelled,
    probe,
    thumbnail,
    write_srt,
    write_vtt,
)
from genengine.media.remote.engine import Order
from genengine.workspaces.models import Mode
from jobs.execution.branding import settle_brand
from jobs.execution.composition import (
    MasterOrder,
    TakeRef,
    bar_height,
    caption_cues,
    grounds_of,
    is_card,
    master_spec,
    shown_size,
)
from jobs.execution.framing import TakeFile, frame_takes, framing_facts
from jobs.execution.models import Attempt, Clip, Master, Take
from jobs.execution.requests import build_request, scaled
from jobs.execution.reshaping import filmed_for
from jobs.execution.services import collecting, masters, submitting
from jobs.execution.services.collecting import TakeFacts
from jobs.execution.services.dispatching import plan_of
from jobs.execution.services.engines import keep_engine_facts, note_attempt_switch, note_master_switch
from jobs.execution.stand_in import stand_in_specs
from jobs.execution.states import ClipState
from jobs.plan import Plan
from jobs.quality.services import check_master, check_take_file
from jobs.routing.offers import TAIL_MS
from providers.adapters.local import LocalEngine
from providers.engines import engine_policy, engines, policy_and_reason
from providers.errors import ProviderError
from providers.registry.services import build_adapter
from providers.values import Finished

log = logging.getLogger(__name__)
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
    quality = check_take_file(attempt=attempt, path=video, info=info, sha256=blob.sha256, now=clock.now())
    if quality.verdict == "fail":
        raise TakeUnusable("; ".join(f["message"] for f in quality.findings if f["verdict"] == "fail"))
    poster = _poster(video, folder)
    width, height = info.video.display_size
    return TakeFacts(
        blob=blob,
        poster=store_blob(workspace=attempt.workspace, media_type="image/jpeg", path=poster) if poster else None,
        width=width,
        height=height,
        fps=f"{info.video.fps.numerator}/{info.video.fps.denominator}",
        duration_ms=round(info.duration_s * 1000),
        quality=quality,
    )


def _poster(video: Path, folder: Path) -> Path | None:
    """A still of a result; a clip that this machine made without ffmpeg brings its own."""
    try:
        return thumbnail(video, folder / "poster.jpg", at_s=POSTER_AT_S, width=480)
    except MediaError:
        own = video.with_suffix(".jpg")
        return own if own.is_file() else None


def render_clip(
    attempt: Attempt, folder: Path, progress: Callable[[int, int], None], cancelled: Callable[[], bool]
) -> TakeFacts:
    """Make a clip with the local engine by the workspace's engine policy, and check it.

    An attempt that only stands in gets the plainest clip when the engines fail, or have failed for this clip before.
    """
    local = build_adapter(
        provider=attempt.provider,
        workspace=attempt.workspace,
        mode=attempt.job.mode,
        correlation_id=attempt.correlation_id,
    )
    if not isinstance(local, LocalEngine):
        raise TakeUnusable(f"{attempt.provider} does not render here")
    local.policy = engine_policy(attempt.workspace, plan_of(attempt.job_id, attempt.plan_number).engine_policy)
    local.on_switch = lambda switch: note_attempt_switch(attempt=attempt, switch=switch, now=clock.now())
    request = scaled(build_request(attempt, folder))
    reason = _engines_gave_up(attempt)
    if not reason:
        try:
            return _made(attempt, local.render(request, folder, progress, cancelled), folder)
        except (ProviderError, TakeUnusable) as error:
            if not attempt.fallback:
                raise
            reason = str(error)
    log.warning("a plain clip stands in", extra={"attempt": str(attempt.pk), "reason": reason})
    return _made(attempt, local.stand_in(request, folder, reason, cancelled), folder)


def _engines_gave_up(attempt: Attempt) -> str:
    """Return why the engines could not make this clip, when a stand-in follows their own attempts."""
    if not attempt.fallback:
        return ""
    tried = Attempt.objects.filter(clip=attempt.clip, provider=attempt.provider, fallback=False, error__isnull=False)
    last = tried.filter(plan_number=attempt.plan_number).order_by("-number").first()
    return str((last.error or {}).get("message", "")) if last else ""


def _made(attempt: Attempt, finished: Finished, folder: Path) -> TakeFacts:
    facts = check_take(attempt, finished.artefacts[0].path, folder)
    raw = dict(finished.raw)
    keep_engine_facts(attempt=attempt, raw=raw)
    log.info(
        "rendered", extra={"job": str(attempt.job_id), "attempt": str(attempt.pk), "engine": raw.get("engine_used")}
    )
    return facts


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
    spec, files, decided = _order(master, plan, takes, folder, cancelled)
    order = Order(
        spec,
        files,
        key=f"{master_id}:{master.inputs_digest}",
        cache_dir=Path(settings.GE_CACHE_DIR) / "pieces" / str(master.workspace_id),
    )
    rendered = engines().render(
        order,
        folder / "master.mp4",
        progress=submitting.progress_writer(Master, master_id, owner),
        cancelled=cancelled,
        on_switch=lambda switch: note_master_switch(master=master, switch=switch, now=clock.now()),
    )
    facts = rendered.facts() | decided
    _keep(master, plan, takes, rendered.report, facts, spec, owner=owner, folder=folder)


def compose_stand_in(master_id: UUID, *, owner: str, folder: Path, cause: str, cancelled: Callable[[], bool]) -> None:
    """Compose the simplest film of the right size, length and loudness in place of a master that no engine could make.

    It is made here whatever the engine policy says: it holds stills, words and sound, and only stands in.
    """
    master = Master.objects.select_related("job", "branch", "workspace").get(pk=master_id)
    plan = plan_of(master.job_id, master.plan_number)
    takes = selected_takes(master)
    order, blobs = _master_order(master, plan, takes)
    posters = {t.clip.scene_key: t.poster for t in takes if t.poster is not None}
    blobs |= {poster.sha256: poster for poster in posters.values()}
    specs = stand_in_specs(plan, order, {scene: poster.sha256 for scene, poster in posters.items()})
    for number, spec in enumerate(specs):
        try:
            files = {name: blob_to_path(blobs[ref["sha256"]], folder) for name, ref in spec["assets"].items()}
            report = engine.compile(spec, files, folder / "stand-in.mp4", cancelled=cancelled)
        except (MediaError, OSError, ValueError) as error:
            if isinstance(error, RenderCancelled) or number == len(specs) - 1:
                raise
            log.warning("a stand-in could not be made", extra={"master": str(master_id), "error": str(error)})
            continue
        facts = {"engine_used": "stand_in", "fallback": {"reason": cause}}
        _keep(master, plan, takes, report, facts, spec, owner=owner, folder=folder)
        return


def _keep(
    master: Master,
    plan: Plan,
    takes: list[Take],
    report: CompileReport,
    facts: dict[str, Any],
    spec: dict[str, Any],
    *,
    owner: str,
    folder: Path,
) -> None:
    """Store a composed film, check it, and end the master's composition by the verdict."""
    composed = _store(master, plan, takes, report, facts, folder)
    log.info(
        "composed",
        extra={
            "job": str(master.job_id), "master": str(master.pk), "engine": facts["engine_used"],
            "seconds": report.wall_s,
        },
    )  # fmt: skip
    masters.begin_check(master_id=master.pk, owner=owner, composed=composed, spec=spec, now=clock.now())
    quality = check_master(
        master=master, path=Path(report.path), spec=spec, sha256=composed.blob.sha256, now=clock.now()
    )
    masters.accept_master(master_id=master.pk, owner=owner, quality=quality, now=clock.now())


def selected_takes(master: Master) -> list[Take]:
    """Return the selected takes of a master's branch in the order of the scenes."""
    clips = Clip.objects.filter(branch=master.branch_id, state=ClipState.READY, selected_take__isnull=False)
    rows = clips.select_related("selected_take__blob", "selected_take__clip").order_by("position")
    return [clip.selected_take for clip in rows if clip.selected_take is not None]


def _order(
    master: Master, plan: Plan, takes: list[Take], folder: Path, cancelled: Callable[[], bool]
) -> tuple[dict[str, Any], dict[str, Path], dict[str, Any]]:
    """Return the spec, its files, and what the report says about framing and the brand."""
    order, blobs = _master_order(master, plan, takes)
    shapes = {take: shown_size(plan, order, plan.scene(take.clip.scene_key)) for take in takes}
    filmed = filmed_for(master, shapes, plan.engine_policy, folder, cancelled)
    order, blobs = _master_order(master, plan, takes, filmed)
    framings = frame_takes(_take_files(plan, order, takes, filmed, folder), order.ratio)
    spec = master_spec(plan, replace(order, framings=framings))
    files = {name: blob_to_path(blobs[ref["sha256"]], folder) for name, ref in spec["assets"].items()}
    spec, brand = settle_brand(spec, files)
    why = policy_and_reason(master.workspace, plan.engine_policy)[1]
    files = {name: files[name] for name in spec["assets"]}
    return spec, files, {"framing": framing_facts(framings), "brand": brand, "engine_policy_why": why}


def _take_files(
    plan: Plan, order: MasterOrder, takes: list[Take], filmed: Mapping[str, Blob], folder: Path
) -> list[TakeFile]:
    words = next(loc.on_screen for loc in plan.locales if loc.code == order.locale)
    scenes = [plan.scene(take.clip.scene_key) for take in takes]
    burned = plan.captions == "burned"
    captioned = {scene.key for scene in scenes if burned and caption_cues(plan, order.locale, [scene])}
    return [
        TakeFile(
            scene=scene.key,
            path=blob_to_path(filmed.get(scene.key, take.blob), folder),
            width=shown_size(plan, order, scene)[0] if scene.key in filmed else take.width,
            height=shown_size(plan, order, scene)[1] if scene.key in filmed else take.height,
            shown_s=(scene.duration_ms + TAIL_MS) / 1000,
            is_card=scene.key in order.cards,
            bar=bar_height(plan, order, scene),
            has_words=bool(words.get(scene.key, scene.on_screen_text).strip()) or scene.key in captioned,
        )
        for scene, take in zip(scenes, takes, strict=True)
    ]


def _master_order(
    master: Master, plan: Plan, takes: list[Take], filmed: Mapping[str, Blob] = MappingProxyType({})
) -> tuple[MasterOrder, dict[str, Blob]]:
    """`filmed` are films that stand for takes, by scene."""
    assets = _plan_assets(master, plan)
    shown = {take.clip.scene_key: filmed.get(take.clip.scene_key, take.blob) for take in takes}
    order = MasterOrder(
        ratio=master.ratio,
        locale=master.locale,
        takes=[TakeRef(scene, blob.sha256) for scene, blob in shown.items()],
        simulated=master.job.mode == Mode.SIMULATED,
        asset_hashes={name: asset.working.sha256 for name, asset in assets.items()},
        cards=frozenset(c.scene for c in plan.clips_of(master.branch.key) if is_card(c)),
        scale=settings.GE_MASTER_SCALE,
        engine_policy=engine_policy(master.workspace, plan.engine_policy),
        look=plan.branch(master.branch.key).look,
        grounds=grounds_of(plan, master.branch.key),
    )
    blobs = [*shown.values(), *(asset.working for asset in assets.values())]
    return order, {blob.sha256: blob for blob in blobs}


def _plan_assets(master: Master, plan: Plan) -> dict[str, Asset]:
    voice = next(loc.voice_asset_id for loc in plan.locales if loc.code == master.locale)
    wanted = [pk for pk in (*plan.brand.asset_ids, plan.bed_asset_id, voice) if pk]
    rows = Asset.objects.of(master.workspace).select_related("working").filter(pk__in=wanted)
    return {str(row.pk): row for row in rows}


def _store(
    master: Master, plan: Plan, takes: list[Take], report: CompileReport, facts: dict[str, Any], folder: Path
) -> masters.Composed:
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
        report={k: v for k, v in report.to_dict().items() if k not in ("path", "thumbnail")} | facts,
    )


def _text(master: Master, path: Path, media_type: str) -> Blob:
    return store_blob(workspace=master.workspace, media_type=media_type, path=path)
