"""RenderSpec: its JSON Schema, its parsed form and the checks that a schema cannot express."""

from genengine.media.spec.model import RenderSpec
from genengine.media.spec.parse import parse, schema

__all__ = ["RenderSpec", "parse", "schema"]
