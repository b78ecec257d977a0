"""Write the prompt of one clip for one model, within the model's limits. The exact text is stored and can be edited."""

from dataclasses import dataclass

from campaigns.planning.camera import BEAT_MOVES, names_a_move
from campaigns.planning.text import cut_at_word
from campaigns.planning.types import BriefValues
from jobs.plan import ScenePlan
from providers.values import ModelCard

CAMERA_PHRASES = {
    "push-in": "slow push-in",
    "pull-out": "slow pull out",
    "orbit": "slow orbit around the subject",
    "slide-right": "camera slides left to right",
    "slide-left": "camera slides right to left",
    "crane-up": "camera rises, crane up",
    "tilt-down": "camera tilts down",
    "handheld": "handheld phone camera, natural shake",
    "static": "static camera",
}
STYLES: dict[str, tuple[str, ...]] = {
    "ugc_talking_head": (
        "phone footage, daylight, unpolished",
        "kitchen table, warm lamp light",
        "outdoors, bright sun",
    ),
    "product_explainer": (
        "clean product light, true colours",
        "warm morning light, soft shadows",
        "bold contrast, graphic",
    ),
    "cinematic_intro": ("anamorphic, low key, fine grain", "blue hour, long shadows", "backlit, drifting haze"),
    "hero": ("studio light, deep contrast", "rim light on dark ground", "bright, airy set"),
    "overlay": ("plain backdrop, space for words", "soft gradient backdrop", "textured paper backdrop"),
    "meme": ("flat light, deadpan", "harsh flash", "security-camera look"),
    "music_video": ("coloured stage light, motion blur", "neon night", "strobing silhouettes"),
}
ALWAYS_AVOID = ("captions", "subtitles", "invented text", "watermark", "distorted logo", "extra fingers")
HEX_NAMES = (
    ("#000000", "black"), ("#ffffff", "white"), ("#0e1b33", "navy"), ("#ff0000", "red"), ("#f2603c", "coral"),
    ("#ffa500", "orange"), ("#ffff00", "yellow"), ("#008000", "green"), ("#19c7b0", "teal"), ("#0000ff", "blue"),
    ("#4c7bff", "azure"), ("#8b5cf6", "violet"), ("#ff69b4", "pink"), ("#8b4513", "brown"), ("#808080", "grey"),
    ("#f3e6d2", "sand"), ("#fff6e8", "cream"),
)  # fmt: skip


@dataclass(frozen=True)
class ClipText:
    """What a model is told: the prompt and what to keep out."""

    prompt: str
    negative: str


def write_prompt(scene: ScenePlan, *, brief: BriefValues, card: ModelCard, place: int, branch: int) -> ClipText:
    """Return the prompt of a scene for a model; `branch` varies the style and any move the words leave open."""
    move = camera_of(scene, place=place, branch=branch)
    visual = scene.visual.strip().rstrip(".")
    parts = [visual or scene.title, f"{CAMERA_PHRASES[move].capitalize()}"]
    tail = [f"Style: {style_of(brief, branch)}"]
    if brief.tone:
        tail.append(f"Mood: {', '.join(brief.tone)}")
    palette = palette_words(brief.colours)
    if palette:
        tail.append(f"Palette: {palette}")
    end = ". ".join(tail) + "."
    head = cut_at_word(". ".join(parts) + ".", max(60, card.max_prompt_chars - len(end) - 1))
    return ClipText(cut_at_word(f"{head} {end}", card.max_prompt_chars), negative_of(brief.forbidden))


def negative_of(forbidden: tuple[str, ...]) -> str:
    """Return everything that must not be seen: the brief's own list first."""
    return "; ".join(dict.fromkeys((*forbidden, *ALWAYS_AVOID)))


def style_of(brief: BriefValues, branch: int) -> str:
    """Return the look of a variant; neighbours differ."""
    styles = STYLES.get(brief.ad_type, STYLES["hero"])
    return styles[branch % len(styles)]


def camera_of(scene: ScenePlan, *, place: int, branch: int) -> str:
    """Return the scene's move; further variants move otherwise where the words name none."""
    camera = scene.camera if scene.camera in CAMERA_PHRASES else "push-in"
    if not branch or names_a_move(scene.visual) or camera == "static":
        return camera
    others = [move for move in BEAT_MOVES if move != camera]
    return others[(place + branch) % len(others)]


def palette_words(colours: dict[str, str]) -> str:
    """Return the names of the brand's first colours; models read words better than codes."""
    chosen = [colours[k] for k in ("primary", "secondary", "accent") if k in colours] or list(colours.values())[:3]
    return ", ".join(dict.fromkeys(_nearest_name(code) for code in chosen))


def _nearest_name(code: str) -> str:
    return min(HEX_NAMES, key=lambda pair: sum((a - b) ** 2 for a, b in zip(_rgb(pair[0]), _rgb(code), strict=True)))[1]


def _rgb(code: str) -> tuple[int, int, int]:
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)
