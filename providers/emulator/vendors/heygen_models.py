"""HeyGen's models beyond presenters: the clip model, the Video Agent and its session, speech with word times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from PIL import Image

from providers.emulator.faults import Trouble
from providers.emulator.media.sound import Speech, render_speech
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, MediaPlan
from providers.emulator.vendors.heygen_files import Refused, good
from providers.emulator.vendors.heygen_hooks import HooksVendor
from providers.emulator.wire import Answer, Call

FRAMES = {
    ("480p", "21:9"): (960, 416),
    ("480p", "16:9"): (832, 480),
    ("480p", "4:3"): (640, 480),
    ("480p", "1:1"): (480, 480),
    ("480p", "3:4"): (480, 640),
    ("480p", "9:16"): (480, 832),
    ("768p", "21:9"): (1536, 672),
    ("768p", "16:9"): (1344, 768),
    ("768p", "4:3"): (1024, 768),
    ("768p", "1:1"): (768, 768),
    ("768p", "3:4"): (768, 1024),
    ("768p", "9:16"): (768, 1344),
    ("1080p", "16:9"): (1920, 1080),
    ("1080p", "9:16"): (1080, 1920),
    ("2k", "16:9"): (2560, 1440),
    ("2k", "9:16"): (1440, 2560),
}
CLIP_PRICES = {"480p": "0.02", "768p": "0.03", "1080p": "0.06", "2k": "0.10"}  # the larger two are guesses
REFERENCES = {"reference_images": 9, "reference_videos": 3, "reference_audio": 3}
MOST_REFERENCES = 12
CLIP_FIELDS = {
    "model",
    "mode",
    "prompt",
    "duration",
    "resolution",
    "aspect_ratio",
    "seed",
    "prompt_enhancement",
    "image",
    "reference_images",
    "reference_videos",
    "reference_audio",
    "callback_url",
    "callback_id",
}
SESSION = "agent-"


class ModelsVendor(HooksVendor):
    """The drafts and views of `/v3/models/videos`, `/v3/video-agents` and `/v3/voices/speech`."""

    def clip_draft(self, body: Any, account: str) -> Draft:
        if not isinstance(body, dict) or body.get("model") != "heygen-video-1":
            raise Refused(400, "invalid_parameter", "only heygen-video-1 is supported", "model")
        for field in set(body) - CLIP_FIELDS:
            raise Refused(400, "invalid_parameter", "Extra inputs are not permitted", field)
        mode, seconds = body.get("mode"), body.get("duration", 5)
        if mode not in ("text_to_video", "image_to_video", "reference_to_video"):
            raise Refused(400, "invalid_parameter", f"mode {mode} is not supported here", "mode")
        if not isinstance(seconds, int) or not 5 <= seconds <= 15:
            raise Refused(400, "invalid_parameter", "Input should be an integer from 5 to 15", "duration")
        resolution = str(body.get("resolution", "768p"))
        params = {"prompt": _prompt(body, 32_000), "seconds": seconds, "resolution": resolution, "title": ""}
        picture = self.asset_of(account, body.get("image"), "image") if mode == "image_to_video" else ""
        if mode == "reference_to_video":
            picture = self._references(body, account)
        asked = body.get("aspect_ratio", "16:9")
        ratio = self._shape_of(picture) if picture and (mode != "reference_to_video" or asked == "adaptive") else asked
        if (resolution, ratio) not in FRAMES:
            raise Refused(400, "invalid_parameter", f"{resolution} at {ratio} is not supported", "aspect_ratio")
        width, height = FRAMES[resolution, ratio]
        return Draft(
            account=account,
            kind="clip",
            model="heygen-video-1",
            params={**params, "width": width, "height": height, "ratio": ratio, "picture": picture},
            cost=Decimal(CLIP_PRICES[resolution]) * seconds,
            currency="USD",
            queue_s=2,
            render_s=2 * seconds,
        )

    def _references(self, body: Mapping[str, Any], account: str) -> str:
        """Check pictures, films and sounds that the clip follows; the first picture that came is shown."""
        given = {name: body.get(name) or [] for name in REFERENCES}
        for name, most in REFERENCES.items():
            if not isinstance(given[name], list) or len(given[name]) > most:
                raise Refused(400, "invalid_parameter", f"at most {most} {name}", name)
        if not 1 <= sum(map(len, given.values())) <= MOST_REFERENCES:
            raise Refused(400, "invalid_parameter", f"1 to {MOST_REFERENCES} references", "reference_images")
        kept = {name: [self.asset_of(account, item, name) for item in items] for name, items in given.items()}
        return next((name for name in kept["reference_images"] if name), "")

    def _shape_of(self, picture: str) -> str:
        """The nearest shape that has a size: clips follow their first frame."""
        with Image.open(self.world.input_path(picture)) as image:
            shape = image.width / image.height
        return min(("21:9", "16:9", "4:3", "1:1", "3:4", "9:16"), key=lambda name: abs(_value(name) / shape - 1))

    def clip_view(self, task: StoredTask, origin: str) -> dict[str, Any]:
        phase = task.phase(self.world.now())
        words = {"queued": "pending", "running": "processing", "succeeded": "completed", "cancelled": "cancelled"}
        view: dict[str, Any] = {
            "video_id": task.id,
            "model": task.model,
            "status": words.get(phase, "failed"),
            "created_at": int(task.created),
        }
        if phase == "succeeded":
            size = {name: task.params[name] for name in ("width", "height")}
            url = self.file_url(task, 0, ".mp4", origin)
            view |= {"video_url": url, "duration": task.params["seconds"], "seed": self.seed_of(task), **size}
        elif view["status"] == "failed":
            words_of = "Content policy violation" if phase == "refused" else "The generation failed"
            view |= {"failure_code": "generation_failed", "failure_message": words_of}
        return view

    def agent_draft(self, body: Any, account: str) -> Draft:
        """The length follows the brief: its "N seconds", else half a minute."""
        body = body if isinstance(body, dict) else {}
        prompt, files = _prompt(body, 10_000), body.get("files") or []
        if len(files) > 20:
            raise Refused(400, "invalid_parameter", "at most 20 files", "files")
        for item in files:
            self.asset_of(account, item, "files")
        orientation = body.get("orientation") or "landscape"
        if orientation not in ("landscape", "portrait"):
            raise Refused(400, "invalid_parameter", "orientation must be landscape or portrait", "orientation")
        asked = re.search(r"(\d+)[- ]seconds?", prompt)
        seconds = min(300, max(5, int(asked.group(1)))) if asked else 30
        wide, tall = (1920, 1080) if orientation == "landscape" else (1080, 1920)
        return Draft(
            account=account,
            kind="agent",
            model="video-agent",
            params={
                "prompt": prompt,
                "title": prompt[:60],
                "callback_id": str(body.get("callback_id") or ""),
                "seconds": seconds,
                "width": wide,
                "height": tall,
            },
            cost=Decimal("0.0333") * seconds,
            currency="USD",
            queue_s=20,
            render_s=8 * seconds,
        )

    def _session(self, call: Call, account: str, session_id: str) -> Answer:
        task = self.world.store.get(self.name, session_id.removeprefix(SESSION))
        if task is None or task.account != account or task.kind != "agent":
            raise Refused(404, "resource_not_found", f"session {session_id} does not exist")
        phase = task.phase(self.world.now())
        status = {"queued": "thinking", "running": "generating", "succeeded": "completed"}.get(phase, "failed")
        odd = call.fault is not None and call.fault.do is Trouble.UNKNOWN_STATE
        return good(
            {
                "session_id": session_id,
                "status": "storyboarding" if odd else status,
                "video_id": None if odd or phase == "queued" else task.id,
                "created_at": int(task.created),
            }
        )

    def _speak(self, call: Call, account: str) -> Answer:
        """Speech is made and charged by the call itself; the key is not replayed."""
        body = call.json if isinstance(call.json, dict) else {}
        text, voice, speed = str(body.get("text") or ""), str(body.get("voice_id") or ""), body.get("speed", 1)
        if not 1 <= len(text) <= 5000:
            raise Refused(400, "tts_text_invalid", "text must have 1 to 5000 characters", "text")
        if not voice:
            raise Refused(400, "invalid_parameter", "voice_id is required", "voice_id")
        if not isinstance(speed, (int, float)) or not 0.5 <= speed <= 2:
            raise Refused(400, "invalid_parameter", "speed must be from 0.5 to 2", "speed")
        if "[forbidden]" in text or (call.fault and call.fault.do is Trouble.REFUSE_AT_END):
            raise Refused(400, "content_policy_violation", "the text violates the content policy", "text")
        speech = Speech(text, voice, float(speed))
        draft = Draft(
            account=account,
            kind="speech",
            model="starfish",
            params={"text": text, "voice": voice, "speed": float(speed), "title": ""},
            cost=Decimal("0.000667") * Decimal(str(round(speech.duration_s, 3))),
            currency="USD",
            queue_s=0,
            render_s=0,
            idempotency_key=call.headers.get("idempotency-key", ""),
        )
        task = self.accept(call, draft)
        times = [{"word": word, "start": start, "end": end} for word, start, end in speech.word_times()]
        answer = {
            "audio_url": self.file_url(task, 0, ".wav", call.origin),
            "duration": round(speech.duration_s, 3),
            "request_id": task.id,
            "word_timestamps": times,
        }
        return good(answer).noting(self.bill(task))

    @staticmethod
    def speech_plan(params: Mapping[str, Any]) -> MediaPlan:
        speech = Speech(params["text"], params["voice"], params["speed"])
        return MediaPlan(f"{speech.key()}.wav", "audio/wav", partial(render_speech, speech))


def _prompt(body: Mapping[str, Any], limit: int) -> str:
    prompt = str(body.get("prompt") or "")
    if not 1 <= len(prompt) <= limit:
        raise Refused(400, "invalid_parameter", f"prompt must have 1 to {limit} characters", "prompt")
    if "[forbidden]" in prompt:
        raise Refused(400, "content_policy_violation", "the prompt violates the content policy", "prompt")
    return prompt


def _value(ratio: str) -> float:
    width, _, height = ratio.partition(":")
    return float(width) / float(height)
