"""JSON that fits a schema, made of the words of a prompt: what an emulated language model answers."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any


def sample(schema: Mapping[str, Any], prompt: str) -> Any:
    """A value of the schema; the same prompt gives the same value."""
    words = re.findall(r"[\w'-]{3,}", prompt) or ["morning", "light", "glass"]
    return _Sampler(schema, words, random.Random(prompt)).value(schema, "")


class _Sampler:
    def __init__(self, root: Mapping[str, Any], words: list[str], dice: random.Random) -> None:
        self.root, self.words, self.dice = root, words, dice

    def value(self, schema: Mapping[str, Any], name: str) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.dice.choice(schema["enum"])
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((item for item in kind if item != "null"), "null")
        makers = {"object": self._object, "array": self._array, "integer": self._integer, "number": self._number}
        if kind in makers:
            return makers[kind](schema, name)
        return {"boolean": True, "null": None}.get(str(kind), self._text(schema, name))

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            target: Any = self.root
            for part in str(schema["$ref"]).lstrip("#/").split("/"):
                target = target[part]
            schema = target
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self._resolved(next((s for s in schema[word] if s.get("type") != "null"), schema[word][0]))
        return schema

    def _object(self, schema: Mapping[str, Any], name: str) -> dict[str, Any]:
        return {key: self.value(part, key) for key, part in schema.get("properties", {}).items()}

    def _array(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        low, high = int(schema.get("minItems", 0)), int(schema.get("maxItems", 6))
        count = min(high, max(low, 3))
        return [self.value(schema.get("items", {"type": "string"}), name) for _ in range(count)]

    def _integer(self, schema: Mapping[str, Any], name: str) -> int:
        low, high = int(schema.get("minimum", 1)), int(schema.get("maximum", 10_000))
        usual = 4_000 if name.endswith("_ms") else 4
        return min(high, max(low, usual))

    def _number(self, schema: Mapping[str, Any], name: str) -> float:
        return float(min(schema.get("maximum", 100.0), max(schema.get("minimum", 0.0), 4.0)))

    def _text(self, schema: Mapping[str, Any], name: str) -> str:
        count = 3 if name in ("title", "key", "name", "on_screen_text") else 9
        start = self.dice.randrange(len(self.words))
        chosen = [self.words[(start + step) % len(self.words)] for step in range(count)]
        text = "-".join(chosen).lower() if name == "key" else " ".join(chosen)
        return text[: int(schema.get("maxLength", 400))].ljust(int(schema.get("minLength", 0)), ".")
