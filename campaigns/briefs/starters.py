"""Starter templates: one for each kind of ad, with a script whose brackets direct and whose lines are said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.briefs.models import AdType


@dataclass(frozen=True)
class Starter:
    """A template: what it is for, the values it sets, the script to write over."""

    ad_type: AdType
    description: str
    script: str
    length_ms: int
    channel: str
    ratios: tuple[str, ...]
    tone: tuple[str, ...]
    captions: str = "burned"
    variants: int = 2

    @property
    def label(self) -> str:
        """The name people choose by."""
        return str(self.ad_type.label)

    def values(self) -> dict[str, Any]:
        """Return the values as a brief keeps them."""
        return {
            "ad_type": str(self.ad_type),
            "script": self.script,
            "length_ms": self.length_ms,
            "channel": self.channel,
            "ratios": list(self.ratios),
            "tone": list(self.tone),
            "captions": self.captions,
            "variants": self.variants,
        }


_ALL = (
    Starter(
        AdType.UGC_TALKING_HEAD,
        "One person, one phone, one honest opinion. Hook first, product second, ask last.",
        """[Scene 1, 0-3 s. Hook. Face close to the camera, natural light.]
I did not expect this to work.

[Scene 2, 3-9 s. Holds the product up to the lens, uses it once, honest reaction.]
Here is what it does, and what surprised me about it.

[Scene 3, 9-13 s. Points at the result.]
This is the part I would tell a friend.

[Scene 4, 13-15 s. Product towards the camera.]
Try it yourself.
""",
        15_000,
        "tiktok",
        ("9:16",),
        ("honest", "quick"),
    ),
    Starter(
        AdType.PRODUCT_EXPLAINER,
        "A problem, the product, how it works, what it costs you to try it.",
        """[Scene 1, 0-5 s. The everyday moment in which the problem shows. Slow push-in.]
You know this moment.

[Scene 2, 5-12 s. The product enters the picture and is used for the first time.]
That is why we made it like this.

[Scene 3, 12-20 s. Close-up of the detail that makes the difference.]
Look at this one detail.

[Scene 4, 20-25 s. The result, side by side with before.]
This is what changes.

[Scene 5, 25-30 s. Product in full view, logo.]
Try it today.
""",
        30_000,
        "youtube_instream",
        ("16:9", "1:1", "9:16"),
        ("clear", "warm"),
    ),
    Starter(
        AdType.CINEMATIC_INTRO,
        "Few words, slow pictures, the name at the end.",
        """[Scene 1, 0-4 s. Wide landscape before dawn. Slow crane up.]

[Scene 2, 4-8 s. Extreme close-up of the product's surface, light moves across it.]
Some things take their time.

[Scene 3, 8-12 s. The product in the centre. Slow orbit.]
One sentence that only you can say.

[Scene 4, 12-15 s. Logo on a plain ground.]
Your name. Your line.
""",
        15_000,
        "connected_tv",
        ("16:9",),
        ("quiet", "cinematic"),
    ),
    Starter(
        AdType.HERO,
        "The product is the star: light, surface, one claim.",
        """[Scene 1, 0-4 s. The product appears out of the dark, rim light. Slow push-in.]
Meet it.

[Scene 2, 4-8 s. Macro shot of the material. Camera slides left to right.]
Made of what matters.

[Scene 3, 8-12 s. The product in use, one clean move.]
Made to be used.

[Scene 4, 12-15 s. Packshot with room for words.]
Available now.
""",
        15_000,
        "instagram_reels",
        ("9:16", "4:5"),
        ("bold", "precise"),
    ),
    Starter(
        AdType.OVERLAY,
        "Your clip or picture runs through; large words carry the message.",
        """[Scene 1, 0-3 s. The product on a calm ground. On-screen text: Say the surprising thing]
[Scene 2, 3-6 s. The product from nearer. On-screen text: Give the one number]
[Scene 3, 6-10 s. The product with room for words. On-screen text: Tell them what to do]
""",
        10_000,
        "instagram_feed",
        ("4:5", "1:1"),
        ("clear",),
        captions="sidecar",
    ),
    Starter(
        AdType.MEME,
        "A known feeling, a cut, the product as the punch line.",
        """[Scene 1, 0-3 s. A plain reaction shot, centred, still. On-screen text: Me before]
[Scene 2, 3-6 s. Hard cut to the product, flat light. On-screen text: Me after]
[Scene 3, 6-8 s. The product, far too close. On-screen text: No further questions]
""",
        8_000,
        "tiktok",
        ("9:16",),
        ("funny", "quick"),
        captions="sidecar",
        variants=3,
    ),
    Starter(
        AdType.MUSIC_VIDEO,
        "Cut to the track: places, moves and the product, no words needed.",
        """[Scene 1, 0-4 s. Neon street at night, one figure walks towards the camera. Handheld.]
[Scene 2, 4-8 s. Dancers in coloured light, fast turns. Slow orbit.]
[Scene 3, 8-12 s. The product on a spinning turntable, light sweeps over it.]
[Scene 4, 12-16 s. Rooftop at sunrise, arms up. Crane up.]
[Scene 5, 16-20 s. The product in the foreground, the city behind it. Pull out.]
""",
        20_000,
        "youtube_shorts",
        ("9:16",),
        ("energetic", "lively"),
        captions="sidecar",
    ),
)
STARTERS: Mapping[str, Starter] = {str(starter.ad_type): starter for starter in _ALL}
