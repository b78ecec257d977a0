"""Kling's other calls: effects, avatars, the older lip-sync, Omni and motion control, sound, pictures, try-on, bills.

Shapes of calls that the reference only names follow those it shows; ``docs/providers/kling.md`` says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.inputs import UNSEEN, sound_seconds
from providers.emulator.media.sound import Speech, render_speech
from providers.emulator.media.still import render_still
from providers.emulator.media.video import Clip
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, MediaPlan, Route, decode_base64, even, route
from providers.emulator.vendors import kling_films as films
from providers.emulator.vendors.kling import KlingVendor
from providers.emulator.vendors.kling_answers import envelope, ms
from providers.emulator.vendors.kling_rules import (
    LEGACY_MODELS,
    NEW_MODELS,
    OMNI_MODELS,
    RATIOS,
    Refused,
    check_prompt,
    json_object,
    part_of,
    required_text,
)
from providers.emulator.wire import Answer, Call

MODES = {"std": "720p", "pro": "1080p"}
AVATAR_USD = {"720p": "0.056", "1080p": "0.112"}
OMNI_NAMES = {"kling-video-o1": "kling-o1", "kling-o1": "kling-o1", "kling-v3-omni": "kling-3.0-omni"}
MOTION_MODELS = {"kling-v2-6": "kling-2.6", "kling-v3": "kling-3.0", "kling-2.6": "kling-2.6", "kling-3.0": "kling-3.0"}
IMAGE_MODELS = ("kling-v1", "kling-v1-5", "kling-v2", "kling-v2-new", "kling-v2-1", "kling-v3")
TRY_ON = ("kolors-virtual-try-on-v1", "kolors-virtual-try-on-v1-5")
IMAGE_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")
ORIENTATIONS = ("image", "video")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for: its model's name, the task's facts, its price in dollars, seconds of work."""

    model: str
    params: dict[str, Any] = field(default_factory=dict)
    cost: Decimal = Decimal(0)
    render_s: float = 40.0


class WholeKlingVendor(KlingVendor):
    """All of ``KlingVendor``, and the calls of this module."""

    def routes(self) -> list[Route]:
        found = [
            route("POST", "/motion-control/{model}", "submit", self._motion_new),
            route("POST", "/v1/audio/tts", "submit", self._speak),
            route("POST", "/account/billing/(?P<kind>balance|package)", "account", self._bills),
        ]
        for path, read in self._readers().items():
            root, _, name = path.removeprefix("/v1/").partition("/")
            place = f"/v1/{root}/(?P<kind>{name})"
            found += [
                route("POST", place, "submit", partial(self._create_more, read)),
                route("GET", f"{place}/{{task_id}}", "poll", self.query_legacy),
                route("GET", place, "list", self.list_legacy),
            ]
        return [*found, *super().routes()]

    def _readers(self) -> dict[str, Callable[[Mapping[str, Any], str], Asked]]:
        """What reads the body of each address."""
        return {
            "/v1/videos/effects": self._effect,
            "/v1/videos/avatar/image2video": self._avatar,
            "/v1/videos/lip-sync": self._older_lips,
            "/v1/videos/omni-video": self._older_omni,
            "/v1/videos/motion-control": self._motion,
            "/v1/audio/text-to-audio": self._sound,
            "/v1/audio/video-to-audio": self._film_sound,
            "/v1/images/generations": self._still,
            "/v1/images/kolors-virtual-try-on": self._try_on,
        }

    def _create_more(self, read: Callable[[Mapping[str, Any], str], Asked], call: Call, kind: str) -> Answer:
        def work(account: str) -> Answer:
            body = json_object(call)
            draft = self._plain_draft(account, kind, read(body, account), body)
            return self._take(call, draft, lambda task: self._legacy_view(task, ""))

        return self._guarded(call, work)

    @staticmethod
    def _plain_draft(account: str, kind: str, asked: Asked, options: Mapping[str, Any]) -> Draft:
        return Draft(
            account=account,
            kind=kind,
            model=asked.model,
            params={"audio": "off", "resolution": "720p", "legacy": kind != "motion", **asked.params},
            cost=asked.cost,
            currency="USD",
            queue_s=6,
            render_s=asked.render_s,
            idempotency_key=str(options.get("external_task_id") or ""),
            callback_url=str(options.get("callback_url") or ""),
        )

    # -- films -----------------------------------------------------------------------------------------------

    def _effect(self, body: Mapping[str, Any], account: str) -> Asked:
        scene, given = required_text(body, "effect_scene"), part_of(body, "input")
        pictures = given.get("images") if "images" in given else [given.get("image")]
        if not isinstance(pictures, list) or not 1 <= len(pictures) <= 2 or not all(pictures):
            raise Refused(1201, "input needs image, or images with two of them")
        kept = self._store_references([str(value) for value in pictures])
        return Asked("effects", {"prompt": scene, "duration": 5, "first_frame": kept}, Decimal("0.28"))

    def _avatar(self, body: Mapping[str, Any], account: str) -> Asked:
        picture = self._store_references([required_text(body, "image")])
        seconds = self._seconds_of(body, "sound_file", "audio_id")
        if not 2 <= seconds <= 300:
            raise Refused(1201, "the sound must last 2 to 300 seconds")
        prompt, resolution = str(body.get("prompt") or ""), _mode(body)
        check_prompt(prompt, 2500)
        params = {"prompt": prompt, "duration": seconds, "first_frame": picture, "audio": "sound"}
        cost = Decimal(AVATAR_USD[resolution]) * Decimal(str(seconds))
        return Asked("avatar", {**params, "resolution": resolution}, cost, 20 * seconds)

    def _older_lips(self, body: Mapping[str, Any], account: str) -> Asked:
        given = part_of(body, "input")
        source = films.film_named(self.world, account, given)
        mode, text = given.get("mode"), str(given.get("text") or "")
        if mode not in ("text2video", "audio2video"):
            raise Refused(1201, "mode must be text2video or audio2video")
        if mode == "text2video" and (not 1 <= len(text) <= 120 or not given.get("voice_id")):
            raise Refused(1201, "text of at most 120 characters and voice_id are required")
        if not 0.8 <= float(given.get("voice_speed") or 1.0) <= 2.0:
            raise Refused(1201, "voice_speed must be from 0.8 to 2.0")
        if mode == "audio2video":
            self._seconds_of(given, "audio_file", "audio_url")
        shown = {"prompt": text, "duration": source.seconds, "shape": source.shape, "resolution": source.resolution}
        named = {"first_frame": source.picture} if source.picture else {}
        cost = Decimal(films.LIP_SYNC_USD_PER_5_S) * -(-int(source.seconds * 1000) // 5000)
        return Asked("lip-sync", {**shown, **named, "audio": "sound"}, cost, 25 * source.seconds)

    def _older_omni(self, body: Mapping[str, Any], account: str) -> Asked:
        name = str(body.get("model_name") or "kling-video-o1")
        if name not in OMNI_NAMES:
            raise Refused(1203, f"model {name} does not exist")
        facts, prompt = OMNI_MODELS[OMNI_NAMES[name]], required_text(body, "prompt")
        check_prompt(prompt, facts.prompt_limit)
        duration, ratio = str(body.get("duration") or "5"), str(body.get("aspect_ratio") or "16:9")
        if not duration.isdigit() or int(duration) not in facts.durations or ratio not in RATIOS:
            raise Refused(1201, f"duration {duration} or aspect_ratio {ratio} is not supported by {name}")
        pictures = [str(item.get("image_url") or item.get("image") or "") for item in body.get("image_list") or []]
        if len(pictures) > films.MOST_PICTURES["omni-video"] or not all(pictures):
            raise Refused(1201, "image_list holds at most 7 pictures with image_url")
        for film in body.get("video_list") or []:
            films.film_named(self.world, account, film)
        resolution = _mode(body, "pro")
        params = {"prompt": prompt, "duration": int(duration), "ratio": ratio, "resolution": resolution}
        kept = {"first_frame": self._store_references(pictures)} if pictures else {}
        cost = Decimal(facts.price[resolution]) * int(duration)
        return Asked(name, {**params, **kept}, cost, facts.render_s * int(duration))

    def _motion(self, body: Mapping[str, Any], account: str) -> Asked:
        """A picture moves as the film does; as long as the film."""
        name = str(body.get("model_name") or "kling-v2-6")
        if name not in MOTION_MODELS:
            raise Refused(1203, f"model {name} does not exist")
        if body.get("character_orientation") not in ORIENTATIONS:
            raise Refused(1201, "character_orientation must be image or video")
        picture = required_text(body, "image_url")
        source = films.film_named(self.world, account, {"video_url": required_text(body, "video_url")})
        sound = "sound" if body.get("keep_original_sound", "yes") == "yes" else "off"
        return self._moved(name, picture, source, _mode(body), sound, str(body.get("prompt") or ""))

    def _moved(self, name: str, picture: str, source: films.Source, resolution: str, sound: str, prompt: str) -> Asked:
        facts = NEW_MODELS[MOTION_MODELS[name]]
        check_prompt(prompt, facts.prompt_limit)
        price = facts.price.get(resolution) or LEGACY_MODELS["kling-v2-6"].split()[resolution != "720p"]
        shown = {"prompt": prompt, "duration": source.seconds, "resolution": resolution, "audio": sound}
        kept = self._store_pictures({"first_frame": picture})
        cost = Decimal(price) * Decimal(str(source.seconds))
        return Asked(name, {**shown, **kept}, cost, facts.render_s * source.seconds)

    def _motion_new(self, call: Call, model: str) -> Answer:
        def work(account: str) -> Answer:
            if model not in ("kling-3.0", "kling-2.6"):
                raise Refused(1203, f"model {model} does not exist")
            body = json_object(call)
            settings = part_of(body, "settings")
            contents = [item for item in body.get("contents") or [] if isinstance(item, dict)]
            given = {str(item.get("type")): str(item.get("url") or item.get("text") or "") for item in contents}
            if not given.get("image") or not given.get("video"):
                raise Refused(1201, "contents needs an image and a video")
            if settings.get("character_orientation", "video") not in ORIENTATIONS:
                raise Refused(1201, "character_orientation must be image or video")
            source = films.film_named(self.world, account, {"video_url": given["video"]})
            sound = "sound" if settings.get("audio", "original") != "off" else "off"
            resolution = str(settings.get("resolution", "720p"))
            if resolution not in NEW_MODELS[model].price:
                raise Refused(1201, f"resolution {resolution} is not supported by {model}")
            asked = self._moved(model, given["image"], source, resolution, sound, given.get("prompt", ""))
            draft = self._plain_draft(account, "motion", asked, part_of(body, "options"))
            return self._take(call, draft, lambda task: {**self._view(task), "outputs": None, "billing": None})

        return self._guarded(call, work)

    # -- sound and pictures ----------------------------------------------------------------------------------

    def _speak(self, call: Call) -> Answer:
        """Speech is made by the call itself."""

        def work(account: str) -> Answer:
            body = json_object(call)
            text = required_text(body, "text")
            check_prompt(text, 1000)
            required_text(body, "voice_id")
            if not 0.8 <= float(body.get("voice_speed") or 1.0) <= 2.0:
                raise Refused(1201, "voice_speed must be from 0.8 to 2.0")
            seconds = Speech(text, speed=float(body.get("voice_speed") or 1.0)).duration_s
            params = {"prompt": text, "voice": str(body["voice_id"]), "duration": round(seconds, 2), "medium": "sound"}
            draft = self._plain_draft(account, "tts", Asked("tts", params, Decimal("0.007"), 0), body)
            task = self.accept(call, replace(draft, queue_s=0))
            return envelope(self._legacy_view(task, call.origin)).noting(self.bill(task))

        return self._guarded(call, work)

    def _sound(self, body: Mapping[str, Any], account: str) -> Asked:
        prompt, seconds = required_text(body, "prompt"), float(body.get("duration") or 5)
        check_prompt(prompt, 200)
        if not 3 <= seconds <= 10:
            raise Refused(1201, "duration must be from 3.0 to 10.0")
        return Asked("text-to-audio", {"prompt": prompt, "duration": seconds, "medium": "sound"}, Decimal("0.035"))

    def _film_sound(self, body: Mapping[str, Any], account: str) -> Asked:
        source = films.film_named(self.world, account, body)
        prompt = str(body.get("sound_effect_prompt") or body.get("bgm_prompt") or "")
        check_prompt(prompt, 200)
        params = {"prompt": prompt, "duration": source.seconds, "medium": "sound"}
        return Asked("video-to-audio", params, Decimal("0.035"))

    def _still(self, body: Mapping[str, Any], account: str) -> Asked:
        model, prompt = str(body.get("model_name") or "kling-v1"), required_text(body, "prompt")
        if model not in IMAGE_MODELS:
            raise Refused(1203, f"model {model} does not exist")
        check_prompt(prompt, 2500)
        count, ratio = body.get("n", 1), str(body.get("aspect_ratio") or "16:9")
        if not isinstance(count, int) or not 1 <= count <= 9 or ratio not in IMAGE_RATIOS:
            raise Refused(1201, "n must be 1 to 9 and aspect_ratio one of " + ", ".join(IMAGE_RATIOS))
        wide, _, tall = ratio.partition(":")
        shape = {"shape": int(wide) / int(tall), "medium": "image", "count": count, "duration": 1}
        kept = self._store_pictures({"first_frame": str(body["image"])}) if body.get("image") else {}
        kept.pop("shape", None)
        return Asked(model, {"prompt": prompt, **shape, **kept}, Decimal("0.014") * count, 10)

    def _try_on(self, body: Mapping[str, Any], account: str) -> Asked:
        model = str(body.get("model_name") or TRY_ON[0])
        if model not in TRY_ON:
            raise Refused(1203, f"model {model} does not exist")
        kept = self._store_pictures({"first_frame": required_text(body, "human_image")})
        self._store_references([required_text(body, "cloth_image")])
        params = {"prompt": "virtual try-on", "medium": "image", "count": 1, "duration": 1, **kept}
        return Asked(model, params, Decimal("0.07"), 12)

    def _seconds_of(self, body: Mapping[str, Any], inline: str, named: str) -> float:
        """Length of a sound that is given inline or named; exactly one of the two."""
        sound = str(body.get(inline) or "")
        if bool(sound) == bool(body.get(named)):
            raise Refused(1201, f"give either {named} or {inline}")
        if not sound or re.match(r"https?://", sound):
            return UNSEEN.seconds
        data = decode_base64(sound)
        if data is None or sound.startswith("data:"):
            raise Refused(1201, f"{inline} is not valid base64")
        return max(2.0, sound_seconds(self.world, self.world.save_input(data)))

    # -- what is told and shown ------------------------------------------------------------------------------

    def _legacy_view(self, task: StoredTask, origin: str, trouble: Any = None) -> dict[str, Any]:
        view = super()._legacy_view(task, origin, trouble)
        medium = task.params.get("medium")
        if medium is None or "task_result" not in view:
            return view
        if medium == "image":
            urls = [self.file_url(task, number, ".png", origin) for number in range(task.params["count"])]
            view["task_result"] = {"images": [{"index": number, "url": url} for number, url in enumerate(urls)]}
            return view
        url, seconds = self.file_url(task, 0, ".mp3", origin), f"{task.params['duration']:.1f}"
        both = {"url": url, "duration": seconds, "url_mp3": url, "duration_mp3": seconds}
        view["task_result"] = {"audios": [{"id": f"a-{task.id}", **both}]}
        return view

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        params = task.params
        medium = params.get("medium")
        if medium is None:
            return super().media(task, index)
        if task.phase(self.world.now()) != "succeeded" or not 0 <= index < params.get("count", 1):
            return None
        if medium == "sound":
            length = 0.0 if task.kind == "tts" else float(params["duration"])
            speech = Speech(params["prompt"] or "sound", params.get("voice", "kling"), seconds=length)
            return MediaPlan(f"{speech.key()}.mp3", "audio/mpeg", partial(render_speech, speech))
        shape, picture = params.get("shape", 16 / 9), params.get("first_frame", "")
        tall = (1024 * 1024 / shape) ** 0.5
        clip = Clip(
            model=f"KlingAI {task.model}",
            prompt=params["prompt"],
            width=even(tall * shape),
            height=even(tall),
            seconds=1,
            mark=self.mark_of(task),
            seed=self.seed_of(task) + index,
            picture=self.world.input_path(picture) if picture and "/" not in picture else None,
        )
        return MediaPlan(f"{clip.key()}.png", "image/png", partial(render_still, clip))

    def _bills(self, call: Call, kind: str) -> Answer:
        """What each task took from the balance or, in units, from a package."""

        def work(account: str) -> Answer:
            body = json_object(call)
            limit, start = min(int(body.get("limit") or 100), 500), int(body.get("cursor") or 0)
            tasks = [task for task in self.world.store.newest(self.name, account, limit=100_000) if task.billed]
            page = tasks[start : start + limit] if kind == "balance" else []
            rows = [
                {
                    "task_id": task.id,
                    "external_task_id": task.idempotency_key,
                    "amount": str(task.cost),
                    "currency": "USD",
                    "deduct_time": ms(task.created),
                }
                for task in page
            ]
            more = kind == "balance" and len(tasks) > start + limit
            cursor = str(start + limit) if more else ""
            return envelope({"result": rows, "count": len(rows), "next_cursor": cursor, "has_more": more})

        return self._guarded(call, work)


def _mode(body: Mapping[str, Any], usual: str = "std") -> str:
    """The resolution of ``mode``."""
    mode = str(body.get("mode") or usual)
    if mode not in MODES:
        raise Refused(1201, "mode must be std or pro")
    return MODES[mode]
