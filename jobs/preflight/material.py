"""Is what the brief brings large and long enough: read from what is known of the files, not from the files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from genengine.media.channels import RATIO_SIZES
from jobs.plan import ClipInput, ClipPlan, Plan, ScenePlan
from jobs.preflight.types import Level, PlanFinding

ENLARGED_TOO_MUCH = 1.6  # as the compiler's own check
SPARE_MS = 100


@dataclass(frozen=True)
class Material:
    """What is known of an asset: sizes in pixels as displayed, 0 where it has none."""

    name: str
    kind: str
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    put_away: bool = False


def material_findings(plan: Plan, known: Mapping[str, Material], scale: float) -> Iterator[PlanFinding]:
    """Yield what is too small, too short, or not there any more. `known` is by asset id."""
    for number, scene in enumerate(plan.scenes, 1):
        clips = [clip for clip in plan.clips if clip.scene == scene.key]
        shown = [i.asset_id for clip in clips for i in clip.inputs if not _is_followed(clip, i)]
        yield from _references_gone(plan, scene, number, known)
        for asset_id in dict.fromkeys(shown):
            found = known.get(asset_id)
            if found is None:
                yield _gone(scene.key, number, "a picture or clip")
                continue
            yield from _too_small(plan, scene.key, number, found, scale)
            if found.kind == "video" and 0 < found.duration_ms + SPARE_MS < scene.duration_ms:
                cause = f"It lasts {_s(found.duration_ms)}, the scene {_s(scene.duration_ms)}: it begins again."
                fix = "Shorten the scene, or give a longer clip."
                yield PlanFinding("clip_short", Level.WARNING, scene.key, number, f"“{found.name}”", cause, fix)
    yield from _sound(plan, known)
    if plan.brand.logo_asset_id and plan.brand.logo_asset_id not in known:
        yield _gone("", 0, "the logo")


def _is_followed(clip: ClipPlan, given: ClipInput) -> bool:
    """Say whether a picture guides a vendor's model; the local engine shows every picture that it is given."""
    return given.role == "reference" and clip.provider != "local"


def _references_gone(plan: Plan, scene: ScenePlan, number: int, known: Mapping[str, Material]) -> Iterator[PlanFinding]:
    """Yield the reference pictures that are not there any more; an error where a clip is to be made by them."""
    clips = [clip for clip in plan.clips if clip.scene == scene.key]
    asked = [i.asset_id for clip in clips for i in clip.inputs if _is_followed(clip, i)]
    for asset_id in dict.fromkeys((*asked, *scene.reference_images)):
        found = known.get(asset_id)
        if found is None or found.put_away:
            level = Level.ERROR if asset_id in asked else Level.WARNING
            cause = "It is not in the library any more."
            fix = "Take it out of the scene, or choose another one."
            subject = f"the reference picture “{found.name}”" if found else "a reference picture"
            yield PlanFinding("reference_gone", level, scene.key, number, subject, cause, fix)


def _too_small(plan: Plan, scene: str, number: int, found: Material, scale: float) -> Iterator[PlanFinding]:
    if not (found.width and found.height):
        return
    sizes = {ratio: (RATIO_SIZES[ratio][0] * scale, RATIO_SIZES[ratio][1] * scale) for ratio in plan.ratios}
    by_ratio = {ratio: max(width / found.width, height / found.height) for ratio, (width, height) in sizes.items()}
    blurred = [ratio for ratio, factor in by_ratio.items() if factor > ENLARGED_TOO_MUCH]
    if not blurred:
        return
    worst = max(by_ratio[ratio] for ratio in blurred)
    films = tuple(f"{ratio} {locale.code}" for ratio in blurred for locale in plan.locales)
    cause = f"Its {found.width}×{found.height} pixels are enlarged {worst:.1f} times to fill the frame."
    fix = f"Give at least {round(found.width * worst)}×{round(found.height * worst)} pixels."
    yield PlanFinding("asset_small", Level.WARNING, scene, number, f"“{found.name}”", cause, fix, films)


def _sound(plan: Plan, known: Mapping[str, Material]) -> Iterator[PlanFinding]:
    if plan.bed_asset_id:
        bed = known.get(plan.bed_asset_id)
        if bed is None:
            yield _gone("", 0, "the music")
        elif 0 < bed.duration_ms + SPARE_MS < plan.length_ms:
            cause = f"“{bed.name}” lasts {_s(bed.duration_ms)}, the ad {_s(plan.length_ms)}: it is looped."
            fix = "Give longer music if the joint can be heard."
            yield PlanFinding("music_short", Level.WARNING, "", 0, "the music", cause, fix)
    for locale in plan.locales:
        if not locale.voice_asset_id:
            continue
        voice, subject = known.get(locale.voice_asset_id), f"the voice-over in {locale.code}"
        if voice is None:
            yield _gone("", 0, subject)
        elif voice.duration_ms > plan.length_ms + SPARE_MS:
            cause = f"“{voice.name}” lasts {_s(voice.duration_ms)}, the ad {_s(plan.length_ms)}: its end is cut off."
            fix = "Choose a longer ad in the brief, or give a shorter recording."
            yield PlanFinding("voice_long", Level.WARNING, "", 0, subject, cause, fix)


def _gone(scene: str, number: int, subject: str) -> PlanFinding:
    fix = "Choose another one in the brief or the brand kit, then plan again."
    return PlanFinding("asset_gone", Level.ERROR, scene, number, subject, "It is not in the library any more.", fix)


def _s(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g} s" if milliseconds % 1000 == 0 else f"{milliseconds / 1000:.1f} s"
