"""ElevenLabs' voices as its lists show them, and how one is chosen by the name a person knows it by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from providers.errors import InvalidRequest
from providers.shapes import as_dict, objects
from providers.voice_values import Voice

SHOWN = 10  # names in a refusal


def read_voice(item: Mapping[str, Any]) -> Voice:
    """One entry of a list of voices. Its languages are those that ElevenLabs has verified, else the one it is labelled
    with."""
    labels = {str(name): str(value) for name, value in as_dict(item.get("labels")).items()}
    words = {name: str(item.get(name) or "") for name in ("voice_id", "name", "category", "preview_url")}
    verified = dict.fromkeys(str(entry.get("language") or "") for entry in objects(item, "verified_languages"))
    languages = tuple(filter(None, verified)) or tuple(filter(None, [labels.pop("language", "")]))
    return Voice(words["voice_id"], words["name"], words["category"], labels, words["preview_url"], languages)


def choose_voice(voices: Iterable[Voice], name: str) -> Voice:
    """The one voice of this name in whatever case. Raises ``InvalidRequest`` that says what there is."""
    known = list(voices)
    found = [voice for voice in known if voice.name.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(voice.voice_id for voice in found)
        raise InvalidRequest(f"Several ElevenLabs voices are called {name}; give options.voice_id, one of {ids}.")
    names = ", ".join(sorted(voice.name for voice in known)[:SHOWN]) or "none"
    raise InvalidRequest(f"This ElevenLabs account has no voice {name}; it has {names}.")
