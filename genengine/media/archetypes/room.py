"""A picture that leaves room for captions, where its ground allows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from genengine.media.archetypes.values import Material
from genengine.media.channels import CHANNELS
from genengine.media.compose.graphics import caption_height
from genengine.media.framing import with_room
from genengine.media.spec.model import Output


def leaving_room(material: Material, output: Mapping[str, Any], closest: float) -> Material:
    """The picture set in so that captions at the bottom of the safe zone clear its subject, even when the camera comes
    ``closest`` times nearer; the material itself where there is room, or where its ground cannot go on around it.
    ``output`` is a spec's output object."""
    cropped = material.fit.get("mode", "crop") == "crop" and material.plain_ground
    if not cropped or material.subject is None:
        return material
    values = Output(**output)
    safe = CHANNELS[values.channel].safe_box(values.width, values.height)
    roomy = with_room(material.subject, safe.bottom - caption_height(values) / values.height, closest)
    if roomy is None:
        return material
    return replace(material, fit=dict(material.fit) | {"inset": dict(roomy.inset)}, subject=roomy.subject)
