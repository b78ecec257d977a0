"""Find the project's own apps, their state machines and their models, whatever layer they are in.

Nothing above is imported by name: apps are asked for by Django's registry, as for migrations.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import models

from genengine.core.states import Machine

LEFT_OUT = frozenset({"migrations", "management", "templatetags", "__pycache__"})


def source_files() -> Iterator[Path]:
    """Yield the modules of the project's own apps, in order."""
    root = Path(settings.BASE_DIR)
    for config in apps.get_app_configs():
        folder = Path(config.path)
        if folder.is_relative_to(root) and "site-packages" not in folder.parts:
            for path in sorted(folder.rglob("*.py")):
                if not LEFT_OUT.intersection(path.parts):
                    yield path


def machines() -> dict[str, Machine]:
    """Return every state machine by the name of its variable (`CLIP`), in the order of the apps."""
    found: dict[str, Machine] = {}
    for path in source_files():
        if path.name != "states.py":
            continue
        module = importlib.import_module(dotted(path))
        found |= {name: value for name, value in vars(module).items() if isinstance(value, Machine)}
    return found


def dotted(path: Path) -> str:
    """Return a module's import path."""
    return ".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts)


def model_named(name: str) -> type[models.Model] | None:
    """Return the model that a variable of that name holds by our naming, such as `clip`."""
    for model in apps.get_models():
        if model._meta.model_name == name and hasattr(model, "event_stream"):
            return model
    return None


def facts_of(name: str) -> tuple[str, ...]:
    """Return the fields that each event of this model carries."""
    model = model_named(name)
    if model is None or not hasattr(model, "event_facts"):
        return ()
    return tuple(model().event_facts())  # type: ignore[attr-defined]


def stream_of(name: str) -> str:
    """Return the kind of stream on which a model's events stand, read from its `event_stream`."""
    model = model_named(name)
    if model is None:
        return ""
    kind = re.search(r"StreamKind\.(\w+)", inspect.getsource(model.event_stream))  # type: ignore[attr-defined]
    return kind[1].lower() if kind else ""
