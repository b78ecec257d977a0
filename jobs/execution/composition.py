"""From a plan and its selected takes to the RenderSpec of one master. Pure: values in, JSON values out.

Time: a scene starts at the frame nearest to its own absolute time, so that rounding never adds up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from genengine.media import CHANNELS, Cue, bar_for_words, cues_from_script
from genengine.media.channels import RATIO_SIZES
from genengine.media.spec.brand import CALM
from jobs.execution.branding import OTHER_LOGO, kit_assets, kit_values
from jobs.execution.colours import spoken_colour, words_on
from jobs.looks import look_of
from jobs.plan import FPS, ClipPlan, LocalePlan, Plan, ScenePlan

if TYPE_CHECKING:
    from genengine.media import Framing  # loads a picture library, which nobody needs who only reads a plan

TRANSITION_FRAMES = {"crossfade": 12, "fade_black": 14, "fade_white": 14, "slide": 12, "wipe": 12}
LOGO_SECONDS = 3
LOGO_BUG = {"place": "bottom_right", "size": 0.28}
TALL, BESIDE = 0.7, 0.44
"""Width by height under which words stand above a product; else they stand beside it in this share of the width."""

SIMULATED_TITLE = "SIMULATED"


@dataclass(frozen=True)
class TakeRef:
    """The selected take of one scene, as a file of the spec."""

    scene: str
    sha256: str


@dataclass(frozen=True)
class MasterOrder:
    """What is to be composed. `scenes` are those with a take, in order."""

    ratio: str
    locale: str
    takes: Sequence[TakeRef]
    simulated: bool
    asset_hashes: Mapping[str, str]  # asset id → sha256 of its working blob
    cards: frozenset[str] = frozenset()  # scenes that are text cards and bear their own words
    scale: float = 1.0
    framings: Mapping[str, "Framing"] = field(default_factory=dict)  # scene → how its take fills the frame
    engine_policy: str = "local_preferred"
    look: str = ""
    grounds: Mapping[str, str] = field(default_factory=dict)  # as `grounds_of`


def master_spec(plan: Plan, order: MasterOrder) -> dict[str, Any]:
    """Return the RenderSpec 1.0 of a master as JSON values."""
    scenes = [plan.scene(t.scene) for t in order.takes]
    starts = slot_starts(scenes)
    total = starts[-1]
    assets = _assets(plan, order)
    brand = kit_values(plan.brand, assets)
    return {
        "version": "1.0",
        **({"archetype": look_of(order.look).archetype} if order.look else {}),
        "output": output_values(plan, order),
        "duration_frames": total,
        "assets": assets,
        **({"brand": brand} if brand else {}),
        "segments": _segments(plan, scenes, starts, order),
        "captions": _captions(plan, order, scenes, starts),
        "overlays": _overlays(plan, order, scenes, starts),
        "audio": _audio(plan, order),
        "marks": _marks(plan, order),
        "metadata": {"title": _title(plan, order)},
        "constraints": {
            "brand_safe": _brand_safe(scenes),
            "max_duration_s": max(60, -(-total // FPS)),
            "engine_policy": order.engine_policy,
        },
    }


def _brand_safe(scenes: Sequence[ScenePlan]) -> bool:
    """On, unless a person chose a transition in the plan that brand-safe work does not have (slide, wipe)."""
    return all(scene.transition in CALM for scene in scenes)


def slot_starts(scenes: Sequence[ScenePlan]) -> list[int]:
    """Return the first frame of each scene and, last, the total; each rounded from its own absolute time."""
    starts, at_ms = [], 0
    for scene in scenes:
        starts.append(frame_at(at_ms))
        at_ms += scene.duration_ms
    return [*starts, frame_at(at_ms)]


def frame_at(milliseconds: int) -> int:
    """Return the frame nearest to a time."""
    return (milliseconds * FPS + 500) // 1000


def output_values(plan: Plan, order: MasterOrder) -> dict[str, Any]:
    """Return size, rate, loudness and bit-rate floor of the channel and ratio."""
    channel = CHANNELS[plan.channel] if plan.channel in CHANNELS else CHANNELS["generic"]
    width, height = RATIO_SIZES[order.ratio]
    return {
        "width": round(width * order.scale / 2) * 2,
        "height": round(height * order.scale / 2) * 2,
        "fps": FPS,
        "loudness_lufs": channel.lufs,
        "true_peak_dbtp": channel.true_peak_dbtp,
        "channel": channel.key,
        **({"min_bit_rate": channel.min_bit_rate} if channel.min_bit_rate else {}),
    }


def caption_cues(plan: Plan, locale: str, scenes: Sequence[ScenePlan]) -> list[Cue]:
    """Return the caption cards of a locale over the given scenes, in milliseconds of the master."""
    starts, words = slot_starts(scenes), _locale(plan, locale).scripts
    times = [start * 1000 // FPS for start in starts]
    passages = [
        (words.get(scene.key, scene.script).strip(), end - start)
        for scene, start, end in zip(scenes, times, times[1:], strict=False)
    ]
    return cues_from_script(passages)


def is_card(clip: ClipPlan) -> bool:
    """Say whether a clip is a text card."""
    return bool(clip.options.get("headline")) and not clip.inputs


def grounds_of(plan: Plan, branch: str) -> dict[str, str]:
    """Return the scenes in which this machine sets a product before a ground, each with the plain colour of that ground
    behind words; empty where it is a picture or not known."""
    found = {}
    for clip in plan.clips_of(branch):
        look = look_of(str(clip.options.get("look", "")))
        if look.cut_out:
            found[clip.scene] = str(clip.options.get("background_from", "")) if look.plain_ground else ""
    return found


def _locale(plan: Plan, code: str) -> LocalePlan:
    return next(entry for entry in plan.locales if entry.code == code)


def _assets(plan: Plan, order: MasterOrder) -> dict[str, Any]:
    files = {f"take-{t.scene}": {"kind": "video", "sha256": t.sha256} for t in order.takes}
    if plan.brand.logo_asset_id:
        files["logo"] = {"kind": "image", "sha256": order.asset_hashes[plan.brand.logo_asset_id]}
    if plan.brand.logo_asset_id and plan.brand.other_logo_asset_id in order.asset_hashes:
        files[OTHER_LOGO] = {"kind": "image", "sha256": order.asset_hashes[plan.brand.other_logo_asset_id]}
    if plan.bed_asset_id:
        files["bed"] = {"kind": "audio", "sha256": order.asset_hashes[plan.bed_asset_id]}
    voice = _locale(plan, order.locale).voice_asset_id
    if voice:
        files["voice"] = {"kind": "audio", "sha256": order.asset_hashes[voice]}
    return files | kit_assets(plan.brand, order.asset_hashes)


def bar_height(plan: Plan, order: MasterOrder, scene: ScenePlan) -> float:
    """Return the share of the frame's height that a bar takes above a scene; 0 where its look has none, and before the
    first words. The bar stays, with the words that were last, where a scene has none of its own."""
    look, shown = look_of(order.look), {take.scene for take in order.takes}
    until = [one for one in plan.scenes[: plan.scenes.index(scene) + 1] if one.key in shown - order.cards]
    if not look.bar or scene not in until or not any(_on_screen(plan, order, one) for one in until):
        return 0.0
    output = output_values(plan, order)
    return bar_for_words(output["width"], output["height"], output["channel"], look.words["size"])


def shown_size(plan: Plan, order: MasterOrder, scene: ScenePlan) -> tuple[int, int]:
    """Return the pixels of a full-size frame that a scene's take fills: all of them, or those below its bar."""
    width, height = RATIO_SIZES[order.ratio]
    return width, height - round(bar_height(plan, order, scene) * height / 2) * 2


def _on_screen(plan: Plan, order: MasterOrder, scene: ScenePlan) -> str:
    return _locale(plan, order.locale).on_screen.get(scene.key, scene.on_screen_text).strip()


def _segments(
    plan: Plan, scenes: Sequence[ScenePlan], starts: Sequence[int], order: MasterOrder
) -> list[dict[str, Any]]:
    segments = []
    cuts = look_of(order.look).cuts
    for number, (scene, start, end) in enumerate(zip(scenes, starts, starts[1:], strict=False)):
        segment: dict[str, Any] = {
            "type": "video",
            "asset": f"take-{scene.key}",
            "duration_frames": end - start,
            "when_short": "hold",
            "fit": _fit(order.framings.get(scene.key)),
            **_subject(order.framings.get(scene.key)),
        }
        if bar := bar_height(plan, order, scene):
            segment["bar"] = {"height": bar}
        frames = min(TRANSITION_FRAMES.get(scene.transition, 0), (end - start) // 3)
        if number and frames and not (cuts and scene.transition == "crossfade"):
            segment["transition"] = {"type": scene.transition, "frames": frames}
        segments.append(segment)
    return segments


def _fit(framing: "Framing | None") -> dict[str, Any]:
    return framing.to_fit() if framing else {"mode": "crop"}


def _subject(framing: "Framing | None") -> dict[str, Any]:
    """What captions keep clear of, where a take was looked at."""
    subject = framing.subject if framing else None
    return {"subject": asdict(subject)} if subject and not subject.is_empty else {}


def _captions(plan: Plan, order: MasterOrder, scenes: Sequence[ScenePlan], starts: Sequence[int]) -> dict[str, Any]:
    cues: list[dict[str, Any]] = [
        {"start_frame": frame_at(c.start_ms), "end_frame": min(frame_at(c.end_ms), starts[-1]), "text": c.text}
        for c in caption_cues(plan, order.locale, scenes)
    ]
    mode, style = "burned" if plan.captions == "burned" else "sidecar", look_of(order.look).captions
    look = {} if style == "plate" else {"style": style}
    if style == "karaoke" and (spoken := spoken_colour(plan.brand.colours)):
        look["accent"] = spoken
    return {"mode": mode, **look, "cues": [c for c in cues if c["end_frame"] > c["start_frame"]]}


def _overlays(
    plan: Plan, order: MasterOrder, scenes: Sequence[ScenePlan], starts: Sequence[int]
) -> list[dict[str, Any]]:
    overlays: list[dict[str, Any]] = []
    for scene, start, end in zip(scenes, starts, starts[1:], strict=False):
        text = _on_screen(plan, order, scene)
        if text and scene.key not in order.cards:
            below = plan.brand.logo_asset_id and scene is scenes[-1]  # the closing logo stands at the bottom
            framing = order.framings.get(scene.key)
            place = framing.headline_place if framing and not below else "top"
            overlays.append(
                {
                    "type": "text", "text": text[:200], "start_frame": start, "end_frame": end,
                    "place": place, **look_of(order.look).words, **_beside_product(plan, order, scene),
                }
            )  # fmt: skip
        elif overlays and bar_height(plan, order, scene):
            overlays[-1]["end_frame"] = end
    if plan.brand.logo_asset_id:
        overlays.append(
            {
                "type": "image", "asset": "logo", "start_frame": max(starts[-2], starts[-1] - LOGO_SECONDS * FPS),
                "end_frame": starts[-1], "fade_frames": 8,
                **({"place": "top", "size": 0.42} if scenes[-1].key in order.cards else LOGO_BUG),
            }
        )  # fmt: skip
    return overlays


def _beside_product(plan: Plan, order: MasterOrder, scene: ScenePlan) -> dict[str, Any]:
    """Where words stand beside a product that was set before a ground, in a colour that is read on it."""
    if scene.key not in order.grounds:
        return {}
    width, height = RATIO_SIZES[order.ratio]
    place = {"place": "top"} if width / height < TALL else {"place": "left", "max_width": BESIDE}
    ground = order.grounds[scene.key]
    return place | ({"color": words_on(ground, plan.brand.colours)} if ground else {})


def _audio(plan: Plan, order: MasterOrder) -> dict[str, Any]:
    audio: dict[str, Any] = {}
    if plan.bed_asset_id:
        audio["bed"] = {"asset": "bed"}
    if _locale(plan, order.locale).voice_asset_id:
        audio["voice"] = [{"asset": "voice", "start_frame": 0}]
    return audio


def _marks(plan: Plan, order: MasterOrder) -> dict[str, Any]:
    label = " · ".join(plan.disclosures)
    return {"simulated": order.simulated, **({"ai_label": label[:160]} if label else {})}


def _title(plan: Plan, order: MasterOrder) -> str:
    title = f"{plan.title} ({order.locale}, {order.ratio})"
    return f"{SIMULATED_TITLE}: {title}" if order.simulated else title
