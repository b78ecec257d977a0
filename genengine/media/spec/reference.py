"""The reference page of RenderSpec, written from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genengine.media.spec.parse import schema
from genengine.media.spec.schema_check import resolve

INTRODUCTION = """# RenderSpec 1.0

{description}

- The machine-readable form is `python -m genengine.media schema`; this page is written from it
  (`python -m genengine.media schema --markdown`).
- A slot lasts `duration_frames`; a transition overlaps the **start** of the slot it opens, while the slot before runs
  on beneath it. So the length of the video is exactly the sum of the slots, whatever the transitions.
- Files are not part of a spec. `assets` names them; the compiler is given a path for each id (on the command line by
  `--assets FOLDER`: a file named like the id, or an extra top-level map `files` with paths relative to that folder).
- Every fault is reported with its JSON path and its remedy, all of them at once.
- Two examples: [one clip](renderspec-clip.json), a single picture with a camera move, without text and sound; and
  [a master](renderspec-master.json), several takes with captions, logo, music and an end card.
"""


def markdown() -> str:
    """The whole page."""
    document = schema()
    parts = [INTRODUCTION.format(description=document["description"]), _table("RenderSpec", document, document)]
    for name, entry in document["$defs"].items():
        if "oneOf" in entry:
            parts.append(f"## `{name}`\n\n{entry['description']} {_kind(entry)}.\n")
        elif resolve(entry, document).get("type") == "object":
            parts.append(_table(name, entry, document))
    return "\n".join(parts)


def _table(name: str, entry: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    head = f"## {name}\n" if name == "RenderSpec" else f"## `{name}`\n"
    about = f"\n{entry.get('description', '')}\n" if name != "RenderSpec" else ""
    return "\n".join(
        [head + about, "| field | value | default | meaning |", "|---|---|---|---|", *_rows(entry, root), ""]
    )


def _rows(entry: Mapping[str, Any], root: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for field, value in entry["properties"].items():
        needed = " (required)" if field in entry.get("required", []) else ""
        default = f"`{_json(value['default'])}`" if "default" in value else ""
        meaning = value.get("description") or resolve(value, root).get("description", "")
        yield f"| `{prefix}{field}`{needed} | {_kind(value)} | {default} | {meaning.replace('|', '/')} |"
        if value.get("type") == "object" and "properties" in value:
            yield from _rows(value, root, f"{prefix}{field}.")
        if "properties" in value.get("items", {}):
            yield from _rows(value["items"], root, f"{prefix}{field}[].")


def _kind(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        return f"[`{name}`](#{name})"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " · ".join(f"`{item}`" for item in value["enum"])
    for word in ("oneOf", "anyOf"):
        if word in value:
            return " or ".join(_kind(option) for option in value[word])
    if value["type"] == "array":
        return f"list of {_kind(value['items'])}"
    if value["type"] == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"map of id to {_kind(value['additionalProperties'])}"
    return _bounded(value)


def _bounded(value: Mapping[str, Any]) -> str:
    name = {"integer": "whole number", "string": "text", "boolean": "true or false"}.get(value["type"], value["type"])
    if "minimum" in value:
        return f"{name}, {value['minimum']} to {value['maximum']}"
    if "maxLength" in value:
        return f"{name}, up to {value['maxLength']} characters"
    return name


def _json(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'
