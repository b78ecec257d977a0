"""RunwayML's developer protocol: version header, pixel ratios, THROTTLED, DELETE as cancel.

Written from the official SDKs' request and answer types and the public reference (2026-11).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, MediaPlan, Route, Vendor, decode_base64, route
from providers.emulator.wire import Answer, Call

VERSIONS = {"2024-11-06"}
SLOTS = 20
SIX = {"1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672"}
VEO = {"1280:720", "720:1280", "1920:1080", "1080:1920"}
RETIRED = {"gen3a_turbo": "gen4_turbo", "gen4_aleph": "aleph2", "veo3": "veo3.1"}


@dataclass(frozen=True, slots=True)
class Model:
    """Ratios and whole seconds by endpoint, credits a second silent and with sound, seconds of work a second."""

    ratios: Mapping[str, frozenset[str]]
    durations: frozenset[int]
    credits: int
    sound: int = 0
    render_s: float = 10


TEXT, IMAGE = "text_to_video", "image_to_video"
SHORT = frozenset(range(2, 11))
MODELS = {
    "gen4.5": Model({TEXT: frozenset({"1280:720", "720:1280"}), IMAGE: frozenset(SIX)}, SHORT, 12, 0, 12),
    "gen4_turbo": Model({IMAGE: frozenset(SIX)}, SHORT, 5, 0, 5),
    "veo3.1": Model({TEXT: frozenset(VEO), IMAGE: frozenset(VEO)}, frozenset({4, 6, 8}), 20, 40, 15),
    "veo3.1_fast": Model({TEXT: frozenset(VEO), IMAGE: frozenset(VEO)}, frozenset({4, 6, 8}), 10, 15, 8),
}


class Refused(Exception):
    """An HTTP error of the vendor: status and words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class RunwayVendor(Vendor):
    """`/v1/text_to_video`, `/v1/image_to_video`, `/v1/tasks/{id}`, `/v1/organization`, `/v1/uploads`."""

    name = "runway"
    url_lifetime_s = 36 * 3600.0

    def routes(self) -> list[Route]:
        return [
            route("POST", f"/v1/{TEXT}", "submit", partial(self._guarded, partial(self._create, TEXT))),
            route("POST", f"/v1/{IMAGE}", "submit", partial(self._guarded, partial(self._create, IMAGE))),
            route("GET", "/v1/tasks/{task_id}", "poll", partial(self._guarded, self._read)),
            route("DELETE", "/v1/tasks/{task_id}", "cancel", partial(self._guarded, self._delete)),
            route("GET", "/v1/organization", "account", partial(self._guarded, self._organization)),
            route("POST", "/v1/uploads", "upload", partial(self._guarded, self._start_upload)),
            route("POST", "/v1/uploads/{upload_id}/file", "upload", self._finish_upload),
        ]

    def server_error(self, status: int) -> Answer:
        return Answer.of_json({"error": "Internal server error"}, status)

    def rate_limited(self, retry_after: float | None) -> Answer:
        answer = Answer.of_json({"error": "You have reached the daily generation limit for this model"}, 429)
        if retry_after is not None:
            answer.headers["Retry-After"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return Answer.of_json({"error": "An unexpected error occurred"})

    def not_found(self, call: Call) -> Answer:
        return Answer.of_json({"error": "Not found"}, 404)

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def _guarded(self, work: Callable[..., Answer], call: Call, **groups: str) -> Answer:
        try:
            account = account_of(call.bearer())
            if not account:
                raise Refused(401, "Unauthorized: the API key is missing or invalid")
            if call.headers.get("x-runway-version") not in VERSIONS:
                raise Refused(400, "X-Runway-Version: a supported API version is required")
            return work(call, account, **groups)
        except Refused as error:
            return Answer.of_json({"error": error.message}, error.status)

    # -- tasks -----------------------------------------------------------------------------------------------

    def _create(self, endpoint: str, call: Call, account: str) -> Answer:
        body = call.json
        if not isinstance(body, dict):
            raise Refused(400, "Validation of body failed")
        model = str(body.get("model") or "")
        facts = MODELS.get(model)
        if facts is None or endpoint not in facts.ratios:
            hint = f"; use {RETIRED[model]}" if model in RETIRED else ""
            raise Refused(400, f"Model variant {model!r} is not available{hint}")
        params = self._params(body, facts, endpoint)
        credits = (facts.sound if params["audio"] else facts.credits) * params["duration"]
        now = self.world.now()
        slot = self.world.store.slot_free_at(self.name, account, model, SLOTS, now)
        draft = Draft(
            account=account,
            kind=endpoint,
            model=model,
            params={**params, "credits": credits, "throttled": slot > now},
            cost=Decimal(credits) / 100,
            currency="USD",
            queue_s=4,
            render_s=facts.render_s * params["duration"],
            charges_refusals=True,
            not_before=slot,
        )
        task = self.accept(call, draft)
        return Answer.of_json({"id": task.id, "estimatedCost": {"credits": credits}}).noting(self.bill(task))

    def _params(self, body: Mapping[str, Any], facts: Model, endpoint: str) -> dict[str, Any]:
        prompt, ratio, duration = body.get("promptText"), body.get("ratio"), body.get("duration")
        if ratio not in facts.ratios[endpoint]:
            raise Refused(400, f"Validation of body failed: ratio: expected one of {sorted(facts.ratios[endpoint])}")
        if not isinstance(duration, int) or duration not in facts.durations:
            raise Refused(400, f"Validation of body failed: duration: expected one of {sorted(facts.durations)}")
        if not isinstance(prompt, str) or not 1 <= len(prompt.encode("utf-16-le")) // 2 <= 1000:
            raise Refused(400, "Validation of body failed: promptText: 1 to 1000 characters are required")
        seed = body.get("seed", 0)
        if not isinstance(seed, int) or not 0 <= seed < 2**32:
            raise Refused(400, "Validation of body failed: seed")
        params: dict[str, Any] = {"prompt": prompt, "size": ratio, "duration": duration, "seed": seed}
        params["audio"] = bool(body.get("audio")) and facts.sound > 0
        if endpoint == IMAGE:
            params["picture"] = self._picture(body.get("promptImage"))
        return params

    def _picture(self, given: Any) -> str:
        """Keep the first frame; an https address is noted by an empty name."""
        if isinstance(given, list):
            given = next((item.get("uri") for item in given if item.get("position") == "first"), None)
        if not isinstance(given, str) or not given:
            raise Refused(400, "Validation of body failed: promptImage is required")
        if given.startswith("data:image/"):
            data = decode_base64(given)
            if data is None or len(given) > 5_242_880:
                raise Refused(400, "Invalid data URI")
            return self.world.save_input(data)
        if given.startswith("runway://"):
            return given.removeprefix("runway://")
        if not given.startswith("https://"):
            raise Refused(400, "Only HTTPS URLs are allowed")
        return ""

    def _task(self, task_id: str, account: str) -> StoredTask:
        task = self.world.store.get(self.name, task_id)
        if task is None or task.account != account or task.cancelled is not None:
            raise Refused(404, "Task not found")
        return task

    def _read(self, call: Call, account: str, task_id: str) -> Answer:
        task, now = self._task(task_id, account), self.world.now()
        phase = task.phase(now)
        created = datetime.fromtimestamp(task.created, UTC).isoformat(timespec="milliseconds")
        view: dict[str, Any] = {"id": task.id, "createdAt": created.replace("+00:00", "Z")}
        money = {"credits": task.params["credits"]}
        if phase == "queued":
            view |= {"status": "THROTTLED" if task.params["throttled"] else "PENDING", "estimatedCost": money}
        elif phase == "running":
            view |= {"status": "RUNNING", "progress": round(task.progress(now), 3), "estimatedCost": money}
        elif phase == "succeeded":
            view |= {"status": "SUCCEEDED", "output": [self.file_url(task, 0, ".mp4", call.origin)], "cost": money}
        elif phase == "refused":
            view |= {"status": "FAILED", "failure": "The prompt was rejected.", "failureCode": "SAFETY.INPUT.TEXT"}
            view["cost"] = money
        else:
            view |= {"status": "FAILED", "failure": "An internal error occurred.", "failureCode": "INTERNAL.BAD_OUTPUT"}
            view["cost"] = {"credits": 0}
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            view["status"] = "WARMING"
        return Answer.of_json(view)

    def _delete(self, call: Call, account: str, task_id: str) -> Answer:
        self.world.store.cancel(self._task(task_id, account), self.world.now())
        return Answer(204)

    def _organization(self, call: Call, account: str) -> Answer:
        charged = [task for task in self.world.store.newest(self.name, account) if task.billed]
        limits = {"maxConcurrentGenerations": SLOTS, "maxDailyGenerations": 25_000}
        used = {name: {"dailyGenerations": sum(task.model == name for task in charged)} for name in MODELS}
        return Answer.of_json(
            {
                "creditBalance": 1_000_000 - sum(task.params["credits"] for task in charged),
                "tier": {"maxMonthlyCreditSpend": 10_000_000, "models": dict.fromkeys(MODELS, limits)},
                "usage": {"models": used},
            }
        )

    # -- uploads and files -----------------------------------------------------------------------------------

    def _start_upload(self, call: Call, account: str) -> Answer:
        body = call.json if isinstance(call.json, dict) else {}
        if body.get("type") != "ephemeral" or not body.get("filename"):
            raise Refused(400, "Validation of body failed: filename and type are required")
        upload = uuid.uuid4().hex
        url = f"{call.origin}/{self.name}/v1/uploads/{upload}/file"
        return Answer.of_json({"uploadUrl": url, "fields": {"key": upload}, "runwayUri": f"runway://{upload}"})

    def _finish_upload(self, call: Call, upload_id: str) -> Answer:
        part = call.multipart().get("file")
        if part is None or not re.fullmatch(r"[0-9a-f]{32}", upload_id):
            return Answer.of_json({"error": "file is required"}, 400)
        path = self.world.input_path(upload_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part.data)
        return Answer(204)

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        if task.phase(self.world.now()) != "succeeded" or index != 0:
            return None
        width, height = (int(side) for side in task.params["size"].split(":"))
        picture = task.params.get("picture", "")
        clip = Clip(
            model=f"RunwayML {task.model}",
            prompt=task.params["prompt"],
            width=width,
            height=height,
            seconds=task.params["duration"],
            mark=self.mark_of(task),
            seed=self.seed_of(task),
            picture=self.world.input_path(picture) if picture else None,
            sound=task.params["audio"],
        )
        return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))
