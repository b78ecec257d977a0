"""Lip-sync at KlingAI: which film, which face, which sound, and whether they fit together."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genengine.media import MediaError, probe
from providers.errors import InvalidRequest
from providers.shapes import objects
from providers.values import GenerationRequest

SOUND_BYTES = 5_000_000
SHORTEST_MS, LONGEST_MS = 2_000, 60_000
SOUNDS = frozenset({".mp3", ".wav", ".m4a", ".aac"})
LOUDEST = 2


def sound_length_ms(path: Path) -> int:
    """Length of a sound file in milliseconds; raises ``InvalidRequest`` for what KlingAI does not take."""
    if path.suffix.lower() not in SOUNDS:
        raise InvalidRequest(f"{path.name} is no MP3, WAV, M4A or AAC file; convert it.")
    if path.stat().st_size > SOUND_BYTES:
        raise InvalidRequest(f"{path.name} is larger than the 5 MB KlingAI takes; make it an MP3.")
    try:
        length = round(probe(path).duration_s * 1000)
    except MediaError as error:
        raise InvalidRequest(f"{path.name} cannot be read as sound; upload it again as MP3.") from error
    if not SHORTEST_MS <= length <= LONGEST_MS:
        raise InvalidRequest(f"{path.name} is {length / 1000:g} s long; KlingAI takes 2 to 60 s of sound.")
    return length


def inline_sound(path: Path) -> str:
    """The sound as bare base64, after KlingAI's checks."""
    sound_length_ms(path)
    return base64.b64encode(path.read_bytes()).decode()


def film_of(request: GenerationRequest) -> dict[str, str]:
    """The film by its id at KlingAI or by its public address: exactly one of them."""
    given = {name: str(request.options[name]) for name in ("video_id", "video_url") if request.options.get(name)}
    if len(given) != 1:
        raise InvalidRequest(
            "Lip-sync needs one film: its video_id at KlingAI or a public video_url. KlingAI takes no uploads of films."
        )
    if request.prompt.strip():
        raise InvalidRequest("Lip-sync takes no prompt; the words are in the sound. Leave it empty.")
    for name in ("sound_volume", "original_audio_volume"):
        volume = request.options.get(name, 1)
        if isinstance(volume, bool) or not isinstance(volume, int | float) or not 0 <= volume <= LOUDEST:
            raise InvalidRequest(f"{name} is a number from 0 to {LOUDEST}.")
    return given


def room_for(request: GenerationRequest, sound_ms: int, face_from_ms: int = 0) -> int:
    """The moment in the film, in milliseconds, at which the sound begins; a sound that does not fit is refused."""
    start = request.options.get("insert_ms", face_from_ms)
    if isinstance(start, bool) or not isinstance(start, int) or start < 0:
        raise InvalidRequest("insert_ms is a whole number of milliseconds from 0.")
    film_ms = round(request.duration_s * 1000)
    if start + sound_ms > film_ms:
        raise InvalidRequest(
            f"The sound is {sound_ms / 1000:g} s long and begins at {start / 1000:g} s, "
            f"but the film ends at {film_ms / 1000:g} s; shorten the sound or take a longer film."
        )
    return start


def chosen_face(request: GenerationRequest, session: Mapping[str, Any]) -> dict[str, Any]:
    """The face asked for by ``face_id``, else the one that is seen longest."""
    faces = [face for face in objects(session, "face_data") if face.get("face_id") is not None]
    if not faces or not session.get("session_id"):
        raise InvalidRequest("KlingAI sees no face in this film; choose one in which a face is large and still.")
    asked = request.options.get("face_id")
    if asked is None:
        return max(faces, key=lambda face: int(face.get("end_time") or 0) - int(face.get("start_time") or 0))
    named = {str(face["face_id"]): face for face in faces}
    if str(asked) not in named:
        raise InvalidRequest(f"The film has no face {asked}; it has {', '.join(sorted(named))}.")
    return named[str(asked)]
