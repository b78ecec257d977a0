"""Check a value against the JSON Schema and say, for each fault, where it is and how to fix it.

Only the words our schema uses are known (a test holds this reader against the reference implementation). It is our
own because every fault must carry a remedy, and because it costs no start-up time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from genengine.media.errors import SpecProblem

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list, tuple),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def faults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str = "$") -> Iterator[SpecProblem]:
    """Every fault of ``value`` under ``schema``; ``root`` is the document that ``$ref`` points into."""
    schema = resolve(schema, root)
    if "oneOf" in schema:
        yield from _variant(value, schema, root, path)
    elif "anyOf" in schema:
        options = [list(faults(value, option, root, path)) for option in schema["anyOf"]]
        if all(options):
            yield SpecProblem(path, f"{_show(value)} is not allowed.", f"Give this: {schema.get('description', '')}")
    elif "const" in schema or "enum" in schema:
        yield from _choice(value, schema, path)
    elif not _has_type(value, schema["type"]):
        yield SpecProblem(
            path,
            f"{_show(value)} is not {_article(schema['type'])}.",
            f"Give {_article(schema['type'])}: {schema.get('description', '')}",
        )
    elif schema["type"] == "object":
        yield from _object(value, schema, root, path)
    elif schema["type"] == "array":
        yield from _array(value, schema, root, path)
    elif schema["type"] == "string":
        yield from _string(value, schema, path)
    elif schema["type"] in ("integer", "number"):
        yield from _number(value, schema, path)


def resolve(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow ``$ref`` inside the document."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _variant(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[SpecProblem]:
    """Variants differ in ``type``: judge by that one, instead of listing the faults of all of them."""
    variants = [resolve(option, root) for option in schema["oneOf"]]
    by_type = {variant["properties"]["type"]["const"]: variant for variant in variants}
    names = ", ".join(sorted(by_type))
    if not isinstance(value, dict):
        yield SpecProblem(path, f"{_show(value)} is not an object.", f"Give an object whose `type` is one of {names}.")
    elif not isinstance(value.get("type"), str) or value["type"] not in by_type:
        yield SpecProblem(f"{path}.type", f"{_show(value.get('type'))} is not a known type.", f"Use one of {names}.")
    else:
        yield from faults(value, by_type[value["type"]], root, path)


def _choice(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[SpecProblem]:
    allowed = [schema["const"]] if "const" in schema else schema["enum"]
    if not isinstance(value, str) or value not in allowed:
        yield SpecProblem(path, f"{_show(value)} is not allowed.", f"Use {' or '.join(map(repr, allowed))}.")


def _object(
    value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Iterator[SpecProblem]:
    known, extra = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", []):
        if name not in value:
            yield SpecProblem(
                f"{path}.{name}",
                "is missing.",
                f"Add it: {resolve(known[name], root).get('description', '')}",
            )
    if len(value) > schema.get("maxProperties", len(value)):
        yield SpecProblem(path, f"has {len(value)} entries.", f"Give at most {schema['maxProperties']}.")
    for name, item in value.items():
        if name in known:
            yield from faults(item, known[name], root, f"{path}.{name}")
        elif isinstance(extra, Mapping):
            yield from faults(item, extra, root, f"{path}.{name}")
        elif extra is False:
            yield SpecProblem(
                f"{path}.{name}",
                "is not part of a RenderSpec.",
                f"Remove it; known here: {', '.join(known)}.",
            )


def _array(value: list[Any], schema: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[SpecProblem]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        bounds = f"{schema.get('minItems', 0)} to {schema.get('maxItems', 'any number of')}"
        yield SpecProblem(path, f"has {len(value)} entries.", f"Give {bounds} entries.")
    for index, item in enumerate(value[: schema.get("maxItems", len(value))]):
        yield from faults(item, schema["items"], root, f"{path}[{index}]")


def _string(value: str, schema: Mapping[str, Any], path: str) -> Iterator[SpecProblem]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        limits = f"{schema.get('minLength', 0)} to {schema.get('maxLength')} characters"
        yield SpecProblem(path, f"has {len(value)} characters.", f"Use {limits}.")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield SpecProblem(
            path,
            f"{_show(value)} does not match.",
            f"Write it like this: {schema.get('description', schema['pattern'])}",
        )


def _number(value: float, schema: Mapping[str, Any], path: str) -> Iterator[SpecProblem]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        yield SpecProblem(path, f"{value} is out of range.", f"Use a value from {low} to {high}.")
    elif schema.get("multipleOf") and value % schema["multipleOf"]:
        yield SpecProblem(
            path,
            f"{value} is not a multiple of {schema['multipleOf']}.",
            f"Use {int(value) - int(value) % schema['multipleOf']}.",
        )


def _has_type(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[name])


def _article(name: str) -> str:
    return {
        "object": "an object",
        "array": "a list",
        "integer": "a whole number",
        "boolean": "true or false",
    }.get(name, f"a {name}")


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
