"""Kling's calls on films and several pictures: multi-image, omni, extension, faces and lip-sync.

The reference names no code for an unknown or old video_id; here it is 1201. A film behind a foreign address is not
opened: it counts as five seconds of 720p with one face.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from providers.emulator.inputs import UNSEEN
from providers.emulator.store import StoredTask
from providers.emulator.vendor import World, decode_base64
from providers.emulator.vendors.kling_rules import RATIOS, Refused, check_prompt, required_text

REFERENCES, EXTENSION, LIPS = "multi-image2video", "video-extend", "advanced-lip-sync"
FILM_KINDS = frozenset({REFERENCES, EXTENSION, LIPS})
MOST_PICTURES = {REFERENCES: 4, "omni-video": 7}
OLD_MODELS = frozenset({"kling-v1", "kling-v1-5", "kling-v1-6", EXTENSION})
ADDED_S = 5
KEPT_S = 30 * 86_400.0
LIP_SYNC_USD_PER_5_S = "0.07"


@dataclass(frozen=True, slots=True)
class Source:
    """A film that an operation works on. ``shape`` is width over height."""

    model: str
    seconds: float
    resolution: str
    shape: float
    picture: str = ""


def made_here(world: World, account: str, task_id: str) -> Source:
    """A film of this account that is done and younger than 30 days."""
    task = world.store.get("kling", task_id)
    good = task is not None and task.account == account and task.phase(world.now()) == "succeeded"
    if task is None or not good or world.now() - task.ends > KEPT_S:
        raise Refused(1201, "video_id does not exist or is older than 30 days")
    return _source(task)


def _source(task: StoredTask) -> Source:
    params = task.params
    shape = RATIOS.get(params.get("ratio", ""), params.get("shape", 16 / 9))
    picture = params.get("first_frame", "")
    return Source(task.model, params["duration"], params["resolution"], shape, picture)


def film_named(world: World, account: str, body: Mapping[str, Any]) -> Source:
    """The film of ``video_id`` or ``video_url``, exactly one of them."""
    video_id, url = str(body.get("video_id") or ""), str(body.get("video_url") or "")
    if bool(video_id) == bool(url):
        raise Refused(1201, "give either video_id or video_url")
    if video_id:
        return made_here(world, account, video_id.removeprefix("v-"))
    if not re.match(r"https?://", url):
        raise Refused(1201, "video_url must be a URL")
    own = re.search(r"/files/kling/(\d+)/", url)
    if own:
        return made_here(world, account, own[1])
    return Source("", UNSEEN.seconds, "720p", UNSEEN.width / UNSEEN.height)


def pictures_of(items: Any, kind: str) -> list[str]:
    """The pictures of ``image_list`` or of ``refer_image`` contents, addresses or base64."""
    most = MOST_PICTURES[kind]
    if not isinstance(items, list) or not 1 <= len(items) <= most:
        raise Refused(1201, f"1 to {most} images are expected")
    values = [str(item.get("image") or item.get("url") or "") if isinstance(item, dict) else "" for item in items]
    if not all(values) or any(value.startswith("data:") for value in values):
        raise Refused(1201, "image must be a URL or base64 without a data: prefix")
    return values


def read_omni(body: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Prompt and reference images of an omni request's ``contents``."""
    contents = body.get("contents")
    if not isinstance(contents, list) or not all(isinstance(item, dict) for item in contents):
        raise Refused(1201, "contents is required")
    known = {"prompt", "refer_image", "element", "feature_video", "base_video"}
    odd = next((item.get("type") for item in contents if item.get("type") not in known), None)
    if odd is not None:
        raise Refused(1201, f"contents: type {odd} is not supported here")
    prompt = next((str(item.get("text") or "") for item in contents if item["type"] == "prompt"), "")
    pictures = [item for item in contents if item["type"] == "refer_image"]
    seen = [item for item in contents if item["type"] in ("feature_video", "base_video")]
    if any(not re.match(r"https?://", str(item.get("url") or "")) for item in seen) or len(seen) > 1:
        raise Refused(1201, "at most one video with a url is expected")
    if not pictures and (seen or any(item["type"] == "element" for item in contents)):
        return prompt, []
    return prompt, pictures_of(pictures, "omni-video")


def extension(world: World, account: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What an extension makes: the film's own size, longer by five seconds."""
    source = made_here(world, account, required_text(body, "video_id").removeprefix("v-"))
    if source.model not in OLD_MODELS:
        raise Refused(1201, f"videos of {source.model} cannot be extended")
    for name in ("prompt", "negative_prompt"):
        check_prompt(str(body.get(name) or ""), 2500)
    return {**_params(source, str(body.get("prompt") or "")), "duration": source.seconds + ADDED_S}


def find_faces(world: World, account: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A session, signed so that it outlives a restart, and the one face of a simulated film."""
    source = film_named(world, account, body)
    if not 2 <= source.seconds <= 60:
        raise Refused(1201, "the video must be 2 to 60 seconds long")
    held = base64.urlsafe_b64encode(json.dumps([account, asdict(source)]).encode()).decode()
    face = {"face_id": "0", "face_image": "", "start_time": 0, "end_time": int(source.seconds * 1000)}
    faces = [] if "no-face" in str(body.get("video_url") or "") else [face]
    return {"session_id": f"{held}.{world.sign(held)}", "face_data": faces}


def lip_sync(world: World, account: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a lip-sync makes: the session's film with sound."""
    source = _session(world, account, str(body.get("session_id") or ""))
    chosen = body.get("face_choose")
    if not isinstance(chosen, list) or len(chosen) != 1 or not isinstance(chosen[0], dict):
        raise Refused(1201, "face_choose must hold one face")
    face = chosen[0]
    if face.get("face_id") != "0":
        raise Refused(1201, "face_id is not in this session")
    sound = str(face.get("sound_file") or "")
    if bool(sound) == bool(face.get("audio_id")):
        raise Refused(1201, "give either audio_id or sound_file")
    data = None if re.match(r"https?://", sound) or not sound else decode_base64(sound)
    if sound and not sound.startswith("http") and (data is None or len(data) > 5_000_000 or sound.startswith("data:")):
        raise Refused(1201, "sound_file is not valid base64 of at most 5 MB")
    _check_times(face, source)
    return {**_params(source, ""), "duration": source.seconds, "audio": "sound"}


def _check_times(face: Mapping[str, Any], source: Source) -> None:
    names = ("sound_start_time", "sound_end_time", "sound_insert_time")
    times = [face.get(name) for name in names]
    if any(not isinstance(value, int) or isinstance(value, bool) or value < 0 for value in times):
        raise Refused(1201, f"{', '.join(names)} are whole milliseconds")
    start, end, insert = (int(value or 0) for value in times)
    if not 2000 <= end - start <= 60_000 or insert + end - start > source.seconds * 1000:
        raise Refused(1201, "the sound must last 2 to 60 seconds and end within the video")
    for name in ("sound_volume", "original_audio_volume"):
        volume = face.get(name, 1)
        if not isinstance(volume, int | float) or not 0 <= volume <= 2:
            raise Refused(1201, f"{name} must be from 0 to 2")


def _session(world: World, account: str, text: str) -> Source:
    held, _, signature = text.partition(".")
    if not held or signature != world.sign(held):
        raise Refused(1201, "session_id is not valid")
    owner, fields = json.loads(base64.urlsafe_b64decode(held))
    if owner != account:
        raise Refused(1201, "session_id is not valid")
    return Source(**fields)


def _params(source: Source, prompt: str) -> dict[str, Any]:
    named = {"first_frame": source.picture} if source.picture else {}
    return {"prompt": prompt, "resolution": source.resolution, "shape": source.shape, "audio": "off", **named}
