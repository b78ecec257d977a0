"""Takes that this machine filmed are filmed again for a master of another shape: the picture is there, so that nothing
has to be cropped or set before a blurred copy of itself. Takes of vendors are framed instead (`framing`)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from genengine.assets.models import Blob, Lineage
from genengine.assets.services import record_lineage, store_blob
from genengine.media import MediaError, RenderCancelled
from jobs.execution.framing import SAME_SHAPE
from jobs.execution.models import Attempt, Master, Take
from jobs.execution.requests import build_request, scaled
from providers.adapters.local import LocalEngine
from providers.engines import engine_policy
from providers.errors import ProviderError
from providers.registry.services import build_adapter

Shape = tuple[int, int]
"""Width and height in pixels of a full-size frame, or of what a bar leaves of it."""

log = logging.getLogger(__name__)


def filmed_for(
    master: Master, shapes: Mapping[Take, Shape], own_policy: str, folder: Path, cancelled: Callable[[], bool]
) -> Mapping[str, Blob]:
    """Return the films, by scene, that stand in this master for takes of another shape than they are shown in; made
    once a take and shape."""
    made: dict[str, Blob] = {}
    for take, (width, height) in shapes.items():
        attempt = _filmed_here(take)
        if attempt is None or abs(take.width / take.height * height / width - 1) < SAME_SHAPE:
            continue
        relation = f"reshaped_{width}:{height}"
        known = Lineage.objects.filter(parent=take.blob, relation=relation).select_related("child").first()
        ratio, own = f"{width}:{height}", folder / take.clip.scene_key
        blob = known.child if known else _film(master, attempt, ratio, own_policy, own, cancelled)
        if blob is not None:
            record_lineage(child=blob, parent=take.blob, relation=relation)
            made[take.clip.scene_key] = blob
    return made


def _film(
    master: Master, attempt: Attempt, ratio: str, own_policy: str, folder: Path, cancelled: Callable[[], bool]
) -> Blob | None:
    """The clip of an attempt in a shape; None where it cannot be made, since there is a take to fall back on."""
    folder.mkdir(exist_ok=True)
    try:
        local = build_adapter(
            provider=attempt.provider,
            workspace=master.workspace,
            mode=master.job.mode,
            correlation_id=attempt.correlation_id,
        )
        assert isinstance(local, LocalEngine)
        local.policy = engine_policy(master.workspace, own_policy)
        request = replace(scaled(build_request(attempt, folder)), ratio=ratio)
        finished = local.render(request, folder, None, cancelled)
        return store_blob(workspace=master.workspace, media_type="video/mp4", path=finished.artefacts[0].path)
    except RenderCancelled:
        raise
    except (ProviderError, MediaError, OSError) as problem:
        log.warning("a take was not filmed again", extra={"attempt": str(attempt.pk), "error": str(problem)})
        return None


def _filmed_here(take: Take) -> Attempt | None:
    """The attempt of the local engine that a take is from, be it by way of another job; none for what stands in."""
    origin: Take | None = take
    while origin is not None and origin.attempt is None:
        origin = origin.parent
    attempt = origin.attempt if origin else None
    if attempt is None or attempt.provider != LocalEngine.name:
        return None
    return None if attempt.details.get("engine", {}).get("engine_used") == "stand_in" else attempt
