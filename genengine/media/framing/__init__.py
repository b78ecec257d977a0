"""How pictures and films of any shape fill a frame without bars, distortion or a cut subject."""

from genengine.media.framing.analysis import Analysis, analyse
from genengine.media.framing.boxes import Box
from genengine.media.framing.camera import kept_in_view
from genengine.media.framing.room import Roomy, with_room
from genengine.media.framing.windows import Framing, frame_for, suggest_framing

__all__ = [
    "Analysis",
    "Box",
    "Framing",
    "Roomy",
    "analyse",
    "frame_for",
    "kept_in_view",
    "suggest_framing",
    "with_room",
]
