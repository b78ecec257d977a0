"""RunwayML's developer protocol: version header, pixel ratios, THROTTLED, DELETE as cancel.

Written from the official SDKs' request and answer types and the public reference (2026-11).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.sound import Speech, render_speech
from providers.emulator.media.still import render_still
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, MediaPlan, Route, route
from providers.emulator.vendors import runway_rules as rules
from providers.emulator.vendors.runway_avatars import AvatarsVendor
from providers.emulator.vendors.runway_inputs import InputsVendor
from providers.emulator.vendors.runway_routers import RoutersVendor
from providers.emulator.vendors.runway_rules import MODELS, Refused, invalid
from providers.emulator.wire import Answer, Call

VERSIONS = {"2024-11-06"}
SLOTS = 20
SUFFIXES = {"image": ".png", "sound": ".mp3"}


class RunwayVendor(RoutersVendor, InputsVendor, AvatarsVendor):
    """The generating addresses of ``ENDPOINTS``, `/v1/tasks/{id}`, `/v1/organization`, `/v1/uploads`."""

    name = "runway"
    cors = False
    url_lifetime_s = 36 * 3600.0

    def routes(self) -> list[Route]:
        creating = [
            route("POST", f"/v1/{name}", "submit", partial(self._guarded, partial(self._create, name)))
            for name in rules.ENDPOINTS
        ]
        return [
            *creating,
            *self.router_routes(partial(partial, self._guarded)),
            *self.avatar_routes(partial(partial, self._guarded)),
            route("GET", "/v1/tasks/{task_id}", "poll", partial(self._guarded, self._read)),
            route("DELETE", "/v1/tasks/{task_id}", "cancel", partial(self._guarded, self._delete)),
            route("GET", "/v1/organization", "account", partial(self._guarded, self._organization)),
            route("POST", "/v1/organization/usage", "account", partial(self._guarded, self._usage)),
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

    def malformed(self, call: Call, words: str) -> Answer:
        return Answer.of_json({"error": f"Validation of body failed: {words}"}, 400)

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
            return Answer.of_json(error.body, error.status)

    # -- tasks -----------------------------------------------------------------------------------------------

    def _create(self, endpoint: str, call: Call, account: str) -> Answer:
        return self.start(call, account, endpoint, call.json)[1]

    def start(self, call: Call, account: str, endpoint: str, body: Any) -> tuple[StoredTask, Answer]:
        """Check, price and accept a task; above the limit of its model it waits."""
        model, facts = rules.find_model(body, endpoint)
        params = self.params_of(body, model, facts, endpoint)
        credits = self._credits(params, facts, endpoint)
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
        return task, Answer.of_json({"id": task.id, "estimatedCost": {"credits": credits}}).noting(self.bill(task))

    @staticmethod
    def _credits(params: Mapping[str, Any], facts: rules.Model, endpoint: str) -> int:
        """Whole credits: by the second, by the picture, or by 50 characters of speech."""
        if endpoint == rules.PICTURE:
            large = "1080" in params["size"] or "1920" in params["size"]
            return int(facts.credits) + (3 if large and facts.credits == 5 else 0)
        if endpoint == rules.SPEECH:
            return -(-len(params["prompt"]) // 50)
        if endpoint in rules.FROM_SOUND:
            return max(1, -(-int(params["duration"]) // facts.seconds_a_credit))
        return -(-int((facts.sound if params["audio"] else facts.credits) * params["duration"] * 100) // 100)

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
            suffix = SUFFIXES.get(task.params["medium"], ".mp4")
            view |= {"status": "SUCCEEDED", "output": [self.file_url(task, 0, suffix, call.origin)], "cost": money}
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

    def _usage(self, call: Call, account: str) -> Answer:
        """Credits by model and day; ``beforeDate`` is exclusive."""
        body = call.json if isinstance(call.json, dict) else {}
        today = datetime.fromtimestamp(self.world.now(), UTC).date()
        first = date.fromisoformat(str(body.get("startDate") or today - timedelta(days=30)))
        before = date.fromisoformat(str(body.get("beforeDate") or today + timedelta(days=1)))
        if not 0 < (before - first).days <= 91:
            raise invalid("beforeDate", "at most 90 days after startDate")
        days: dict[date, dict[str, int]] = {}
        for task in self.world.store.newest(self.name, account, limit=100_000):
            day = datetime.fromtimestamp(task.created, UTC).date()
            if task.billed and first <= day < before:
                used = days.setdefault(day, {})
                used[task.model] = used.get(task.model, 0) + task.params["credits"]
        results = [
            {"date": f"{day}", "usedCredits": [{"model": name, "amount": sum_} for name, sum_ in used.items()]}
            for day, used in sorted(days.items())
        ]
        return Answer.of_json({"models": sorted({name for used in days.values() for name in used}), "results": results})

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
        params = task.params
        if params["medium"] == "sound":
            speech = Speech(params["prompt"], "runway", seconds=params["duration"])
            return MediaPlan(f"{speech.key()}.mp3", "audio/mpeg", partial(render_speech, speech))
        width, height = (int(side) for side in params["size"].split(":"))
        picture = params.get("picture", "")
        clip = Clip(
            model=f"RunwayML {task.model}",
            prompt=params["prompt"],
            width=width,
            height=height,
            seconds=params["duration"],
            mark=self.mark_of(task),
            seed=self.seed_of(task),
            fps=params.get("fps", 24),
            picture=self.world.input_path(picture) if picture else None,
            sound=params["audio"],
        )
        if params["medium"] == "image":
            return MediaPlan(f"{clip.key()}.png", "image/png", partial(render_still, clip))
        return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))
