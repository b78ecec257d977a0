"""Layouts that turn a handful of pictures and lines into a RenderSpec: hero, overlay and meme."""

from genengine.media.archetypes.assemble import PRESETS, assemble
from genengine.media.archetypes.prepare import Prepared, prepare
from genengine.media.archetypes.room import leaving_room
from genengine.media.archetypes.values import Copy, Look, Material, Request

__all__ = ["PRESETS", "Copy", "Look", "Material", "Prepared", "Request", "assemble", "leaving_room", "prepare"]
