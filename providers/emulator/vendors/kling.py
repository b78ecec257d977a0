"""Kling AI's protocol, both designs: envelopes with a service code, task states, callbacks, billing.

Written from Kling's published reference as of 2026-11. Where the reference is silent the choice is said in
``docs/providers/kling.md``: a duplicate external_task_id is 1201, an unknown task id an empty list (new design)
or 1203 (legacy).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import cv2
import numpy as np

from providers.emulator.accounts import account_of
from providers.emulator.faults import Trouble
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask, StoredWebhook
from providers.emulator.vendor import (
    Delivery,
    Draft,
    DuplicateKey,
    MediaPlan,
    Route,
    Vendor,
    decode_base64,
    even,
    route,
)
from providers.emulator.vendors import kling_films as films
from providers.emulator.vendors.kling_answers import envelope, error_answer, legacy_view, sign, task_view
from providers.emulator.vendors.kling_rules import (
    LEGACY_MODELS,
    LEGACY_SOUND,
    LINES,
    NEW_MODELS,
    OMNI_MODELS,
    PARALLEL,
    RATIOS,
    SHORT_OR_LONG,
    UNIT_USD,
    Model,
    Refused,
    account_of_jwt,
    check_prompt,
    json_object,
    part_of,
    read_contents,
    read_legacy,
    read_settings,
    required_text,
)
from providers.emulator.wire import Answer, Call, LogNote


class KlingVendor(Vendor):
    """`/text-to-video`, `/image-to-video`, `/tasks`, `/account/costs` and the legacy `/v1/videos`."""

    name = "kling"
    url_lifetime_s = 30 * 86_400.0

    def routes(self) -> list[Route]:
        return [
            route("POST", "/text-to-video/{model}", "submit", self.create_from_text),
            route("POST", "/image-to-video/{model}", "submit", self.create_from_image),
            route("POST", "/omni-video/{model}", "submit", self.create_omni),
            route("GET", "/tasks", "poll", self.query),
            route("POST", "/tasks", "list", self.list_tasks),
            route("GET", "/account/costs", "account", self.costs),
            route("POST", "/v1/videos/identify-face", "faces", self.identify_face),
            route("POST", "/v1/videos/{kind}", "submit", self.create_legacy),
            route("GET", "/v1/videos/{kind}/{task_id}", "poll", self.query_legacy),
            route("GET", "/v1/videos/{kind}", "list", self.list_legacy),
        ]

    # -- errors ----------------------------------------------------------------------------------------------

    def server_error(self, status: int) -> Answer:
        return error_answer({500: 5000, 503: 5001, 504: 5002}.get(status, 5000), status=status)

    def rate_limited(self, retry_after: float | None) -> Answer:
        answer = error_answer(1302)
        if retry_after is not None:
            answer.headers["Retry-After"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return error_answer(5000, status=200)

    def not_found(self, call: Call) -> Answer:
        return error_answer(1202)

    # -- new design ------------------------------------------------------------------------------------------

    def create_from_text(self, call: Call, model: str) -> Answer:
        return self._guarded(call, partial(self._create, call, model, "text-to-video"))

    def create_from_image(self, call: Call, model: str) -> Answer:
        return self._guarded(call, partial(self._create, call, model, "image-to-video"))

    def create_omni(self, call: Call, model: str) -> Answer:
        return self._guarded(call, partial(self._create_omni, call, model))

    def _create_omni(self, call: Call, model: str, account: str) -> Answer:
        facts = OMNI_MODELS.get(model)
        if facts is None:
            raise Refused(1203, f"model {model} does not exist")
        body = json_object(call)
        settings, options = part_of(body, "settings"), part_of(body, "options")
        prompt, pictures = films.read_omni(body)
        check_prompt(prompt, facts.prompt_limit)
        params = {
            "prompt": prompt,
            **read_settings(settings, facts, model, "omni-video"),
            "first_frame": self._store_references(pictures),
        }
        return self._take(
            call,
            self._draft(account, "omni-video", model, params, options, facts),
            lambda task: {**self._view(task), "outputs": None, "billing": None},
        )

    def _store_references(self, given: list[str]) -> str:
        """Keep every picture; a simulated film begins with the first one that came inline."""
        kept = [self._store_pictures({"image": value})["image"] for value in given]
        return next((name for name in kept if "/" not in name), "")

    def _guarded(self, call: Call, work: Any) -> Answer:
        try:
            return work(self._account(call))
        except Refused as error:
            return error_answer(error.code, error.message)

    def _create(self, call: Call, model: str, kind: str, account: str) -> Answer:
        facts = NEW_MODELS.get(model)
        if facts is None:
            raise Refused(1203, f"model {model} does not exist")
        body = json_object(call)
        settings, options = part_of(body, "settings"), part_of(body, "options")
        prompt, pictures = read_contents(body) if kind == "image-to-video" else (required_text(body, "prompt"), {})
        check_prompt(prompt, facts.prompt_limit)
        if kind == "image-to-video":
            pictures = self._store_pictures(pictures)
        params = {"prompt": prompt, **read_settings(settings, facts, model, kind), **pictures}
        return self._take(
            call,
            self._draft(account, kind, model, params, options, facts),
            lambda task: {**self._view(task), "outputs": None, "billing": None},
        )

    def _draft(
        self,
        account: str,
        kind: str,
        model: str,
        params: dict[str, Any],
        options: Mapping[str, Any],
        facts: Model,
    ) -> Draft:
        prices = facts.sound if params["audio"] != "off" else facts.price
        cost = Decimal(prices[params["resolution"]]) * params["duration"]
        return Draft(
            account=account,
            kind=kind,
            model=model,
            params=params,
            cost=cost,
            currency="USD",
            queue_s=6,
            render_s=facts.render_s * params["duration"],
            idempotency_key=str(options.get("external_task_id") or ""),
            callback_url=str(options.get("callback_url") or ""),
        )

    def _take(self, call: Call, draft: Draft, view: Any) -> Answer:
        if self.world.store.open_count(self.name, draft.account, draft.model, self.world.now()) >= PARALLEL:
            raise Refused(1303)
        try:
            task = self.accept(call, draft)
        except DuplicateKey as error:
            note = LogNote(remote_id=error.task.id, idempotency_key=draft.idempotency_key, replay=True)
            return error_answer(1201, "external_task_id already exists").noting(note)
        data = {name: value for name, value in view(task).items() if value is not None}
        return envelope(data).noting(self.bill(task))

    def query(self, call: Call) -> Answer:
        return self._guarded(call, partial(self._query, call))

    def _query(self, call: Call, account: str) -> Answer:
        ids, keys = call.query.get("task_ids", ""), call.query.get("external_task_ids", "")
        if bool(ids) == bool(keys):
            raise Refused(1201, "give either task_ids or external_task_ids")
        store = self.world.store
        if ids:
            found = [store.get(self.name, item) for item in ids.split(",")]
        else:
            found = [store.by_key(self.name, account, item) for item in keys.split(",")]
        mine = [task for task in found if task is not None and task.account == account]
        return envelope([self._view(task, call.fault and call.fault.do, call.origin) for task in mine])

    def list_tasks(self, call: Call) -> Answer:
        return self._guarded(call, partial(self._list, call))

    def _list(self, call: Call, account: str) -> Answer:
        body = json_object(call)
        limit, start = min(int(body.get("limit") or 100), 500), int(body.get("cursor") or 0)
        tasks = self.world.store.newest(self.name, account, limit=limit + 1, offset=start)
        page = [self._view(task, None, call.origin) for task in tasks[:limit]]
        more = len(tasks) > limit
        cursor = str(start + limit) if more else ""
        return envelope({"result": page, "count": len(page), "next_cursor": cursor, "has_more": more})

    def costs(self, call: Call) -> Answer:
        return self._guarded(call, self._costs)

    def _costs(self, account: str) -> Answer:
        spent = sum((task.cost for task in self.world.store.newest(self.name, account) if task.billed), Decimal(0))
        pack = {
            "resource_pack_name": "Video pack (emulated)",
            "resource_pack_id": f"pack-{account}",
            "resource_pack_type": "decreasing_total",
            "total_quantity": 100000.0,
            "remaining_quantity": float(100000 - spent / UNIT_USD),
            "purchase_time": 1780000000000,
            "effective_time": 1780000000000,
            "invalid_time": 1990000000000,
            "status": "online",
        }
        return envelope({"code": 0, "msg": "success", "resource_pack_subscribe_infos": [pack]})

    def _view(self, task: StoredTask, trouble: Any = None, origin: str = "") -> dict[str, Any]:
        url = self.file_url(task, 0, ".mp4", origin)
        return task_view(task, self.world.now(), url, strange=trouble is Trouble.UNKNOWN_STATE)

    # -- legacy ----------------------------------------------------------------------------------------------

    def create_legacy(self, call: Call, kind: str) -> Answer:
        return self._guarded(call, partial(self._create_legacy, call, kind))

    def _create_legacy(self, call: Call, kind: str, account: str) -> Answer:
        if kind in films.FILM_KINDS:
            return self._create_film(call, kind, account)
        if kind not in ("text2video", "image2video"):
            raise Refused(1202)
        body = json_object(call)
        model = str(body.get("model_name") or "kling-v1")
        if model not in LEGACY_MODELS:
            raise Refused(1203, f"model {model} does not exist")
        params = read_legacy(body, model, kind)
        if kind == "image2video":
            named = {"first_frame": body.get("image"), "last_frame": body.get("image_tail")}
            given = {role: str(value) for role, value in named.items() if value}
            if not given:
                raise Refused(1201, "image and image_tail are both empty")
            if any(value.startswith("data:") for value in given.values()):
                raise Refused(1201, "image must be base64 without a data: prefix")
            params.update(self._store_pictures(given))
        standard, better = LEGACY_MODELS[model].split()
        facts = Model(
            SHORT_OR_LONG, {"720p": standard, "1080p": better, "4k": "0.42"}, LEGACY_SOUND.get(model, {}), 2500, 20
        )
        return self._take(
            call,
            self._draft(account, kind, model, params, body, facts),
            lambda task: self._legacy_view(task, ""),
        )

    def _create_film(self, call: Call, kind: str, account: str) -> Answer:
        body, world = json_object(call), self.world
        if kind == films.REFERENCES:
            model = str(body.get("model_name") or "")
            if model != "kling-v1-6":
                raise Refused(1201, "model_name must be kling-v1-6")
            required_text(body, "prompt")
            pictures = films.pictures_of(body.get("image_list"), kind)
            params = {**read_legacy(body, model, "text2video"), "first_frame": self._store_references(pictures)}
            cost = Decimal(LEGACY_MODELS[model].split()[params["resolution"] != "720p"]) * params["duration"]
        elif kind == films.EXTENSION:
            model, params = kind, films.extension(world, account, body)
            cost = Decimal(LEGACY_MODELS["kling-v1-6"].split()[0]) * films.ADDED_S
        else:
            model, params = kind, films.lip_sync(world, account, body)
            cost = Decimal(films.LIP_SYNC_USD_PER_5_S) * -(-int(params["duration"] * 1000) // 5000)
        draft = Draft(
            account=account,
            kind=kind,
            model=model,
            params=params,
            cost=cost,
            currency="USD",
            queue_s=6,
            render_s=25 * params["duration"],
            idempotency_key=str(body.get("external_task_id") or ""),
            callback_url=str(body.get("callback_url") or ""),
        )
        return self._take(call, draft, lambda task: self._legacy_view(task, ""))

    def identify_face(self, call: Call) -> Answer:
        return self._guarded(call, lambda account: envelope(films.find_faces(self.world, account, json_object(call))))

    def query_legacy(self, call: Call, kind: str, task_id: str) -> Answer:
        return self._guarded(call, partial(self._query_legacy, call, kind, task_id))

    def _query_legacy(self, call: Call, kind: str, task_id: str, account: str) -> Answer:
        store = self.world.store
        task = store.get(self.name, task_id)
        if task is None and kind != films.LIPS:  # lip-sync is read by its own id only
            task = store.by_key(self.name, account, task_id)
        if task is None or task.account != account or task.kind != kind:
            raise Refused(1203, "task not found")
        return envelope(self._legacy_view(task, call.origin, call.fault and call.fault.do))

    def list_legacy(self, call: Call, kind: str) -> Answer:
        return self._guarded(call, partial(self._list_legacy, call, kind))

    def _list_legacy(self, call: Call, kind: str, account: str) -> Answer:
        number, size = int(call.query.get("pageNum", 1)), min(int(call.query.get("pageSize", 30)), 500)
        tasks = [task for task in self.world.store.newest(self.name, account, limit=100_000) if task.kind == kind]
        page = tasks[(number - 1) * size : number * size]
        return envelope([self._legacy_view(task, call.origin) for task in page])

    def _legacy_view(self, task: StoredTask, origin: str, trouble: Any = None) -> dict[str, Any]:
        url = self.file_url(task, 0, ".mp4", origin)
        return legacy_view(task, self.world.now(), url, strange=trouble is Trouble.UNKNOWN_STATE)

    # -- accounts, files, callbacks --------------------------------------------------------------------------

    def _account(self, call: Call) -> str:
        if not call.headers.get("authorization"):
            raise Refused(1001)
        token = call.bearer()
        if token.count(".") == 2:
            if not call.path.startswith(("/v1/", "/account/")):
                raise Refused(1002, "this API takes an API key")
            return account_of_jwt(token, self.world.now())
        account = account_of(token)
        if not account:
            raise Refused(1000)
        return account

    def _store_pictures(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Keep the pictures that came inline, after Kling's checks; addresses are kept as they are."""
        kept: dict[str, Any] = {}
        for role, value in given.items():
            if re.match(r"https?://", value):
                kept[role] = value
                continue
            data = decode_base64(value)
            picture = None if data is None else cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            if data is None or picture is None:
                raise Refused(1201, f"{role} is not a valid image")
            height, width = picture.shape[:2]
            if min(width, height) < 300 or not 0.4 <= width / height <= 2.5:
                raise Refused(1201, f"{role} must have sides of at least 300px and a ratio between 1:2.5 and 2.5:1")
            kept[role] = self.world.save_input(data)
            kept.setdefault("shape", width / height)
        return kept

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        if task.phase(self.world.now()) != "succeeded" or index != 0:
            return None
        params = task.params
        shape = RATIOS.get(params.get("ratio", ""), params.get("shape", 16 / 9))
        lines = LINES[params["resolution"]]
        width, height = (lines * shape, lines) if shape >= 1 else (lines, lines / shape)
        picture = params.get("first_frame", "")
        clip = Clip(
            model=f"KlingAI {task.model}",
            prompt=params["prompt"],
            width=even(width),
            height=even(height),
            seconds=params["duration"],
            mark=self.mark_of(task),
            seed=self.seed_of(task),
            picture=self.world.input_path(picture) if picture and "/" not in picture else None,
            sound=params["audio"] != "off",
        )
        return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))

    def webhook_moments(self, task: StoredTask) -> tuple[tuple[str, float], ...]:
        return (("queued", task.created + 0.05), ("running", task.starts), ("end", task.ends))

    def webhook(self, task: StoredTask, hook: StoredWebhook, now: float) -> Delivery | None:
        legacy = task.params.get("legacy") or task.kind in {"text2video", "image2video", *films.FILM_KINDS}
        value = self._legacy_view(task, "") if legacy else self._view(task)
        body = json.dumps(value).encode()
        headers = {"Content-Type": "application/json"}
        secret = self.world.webhook_secrets.get(self.name, "")
        if secret:
            headers.update(sign(secret, f"msg_{hook.id}", int(now), body))
        if hook.trouble == "forged":
            headers["webhook-signature"] = "v1," + base64.b64encode(b"x" * 32).decode()
        return Delivery(task.callback_url, headers, body)
