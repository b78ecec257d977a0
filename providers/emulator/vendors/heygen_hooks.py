"""HeyGen's registered webhook endpoints: called for every video of the account, signed with a secret of their own.

At HeyGen an address must be https; one on this machine may be plain http here, so that a rehearsal can receive.
"""

from __future__ import annotations

import json
import re
import secrets
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.emulator.store import StoredTask
from providers.emulator.vendor import Route, route
from providers.emulator.vendors.heygen_files import FilesVendor, Refused, good
from providers.emulator.wire import Answer, Call

HOOKS = "/v3/webhooks/endpoints"
ADDRESS = re.compile(r"https://.+|http://(?:127\.0\.0\.1|localhost)(?::\d+)?(?:/.*)?")
SUBJECTS = {"agent": "video_agent", "translation": "video_translate"}  # by kind of task; all others are avatar_video
EVENTS = tuple(f"{name}.{end}" for name in ("avatar_video", *SUBJECTS.values()) for end in ("success", "fail"))
MOMENT = "endpoint:"


class HooksVendor(FilesVendor):
    """`/v3/webhooks/endpoints…`, `/v3/webhooks/event-types`."""

    def hook_routes(self) -> list[Route]:
        guarded, one = self.guarded, HOOKS + "/{endpoint_id}"
        return [
            route("POST", HOOKS, "webhooks", guarded(self._add_hook)),
            route("GET", HOOKS, "webhooks", guarded(self._hooks)),
            route("GET", "/v3/webhooks/event-types", "webhooks", guarded(self._event_types)),
            route("GET", "/v3/webhooks/events", "webhooks", guarded(self._told_so_far)),
            route("POST", f"{one}/rotate-secret", "webhooks", guarded(self._rotate)),
            route("PATCH", one, "webhooks", guarded(self._change_hook)),
            route("DELETE", one, "webhooks", guarded(self._drop_hook)),
        ]

    def plan_endpoints(self, task: StoredTask) -> None:
        """Have the account's endpoints told of the task's end."""
        for hook in self._kept_hooks(task.account):
            if hook["status"] == "enabled":
                self.world.store.plan_webhook(self.name, task.id, MOMENT + hook["endpoint_id"], task.ends)

    def endpoint_of(self, account: str, moment: str) -> dict[str, Any] | None:
        """The endpoint that a planned call is for; ``None`` when it is gone or switched off by now."""
        named = moment.removeprefix(MOMENT)
        found = (hook for hook in self._kept_hooks(account) if hook["endpoint_id"] == named)
        return next((hook for hook in found if hook["status"] == "enabled"), None)

    def _event_types(self, call: Call, account: str) -> Answer:
        return good([{"event_type": name} for name in EVENTS])

    def _add_hook(self, call: Call, account: str) -> Answer:
        return good(self.add_hook(account, call.json))

    def add_hook(self, account: str, asked: Any) -> dict[str, Any]:
        """Keep an endpoint; its secret is told now and when it is changed."""
        asked = asked if isinstance(asked, dict) else {}
        hook = {
            "endpoint_id": uuid.uuid4().hex,
            "url": _address(asked),
            "events": _events(asked),
            "status": "enabled",
            "created_at": datetime.fromtimestamp(self.world.now(), UTC).isoformat(),
            "secret": secrets.token_hex(24),
        }
        self._write_hook(account, hook)
        return hook

    def _hooks(self, call: Call, account: str) -> Answer:
        return Answer.of_json({"data": self.hooks_of(account), "has_more": False, "next_token": None})

    def hooks_of(self, account: str) -> list[dict[str, Any]]:
        """The account's endpoints without their secrets."""
        return [_view(hook) for hook in self._kept_hooks(account)]

    def _change_hook(self, call: Call, account: str, endpoint_id: str) -> Answer:
        hook = self._hook(account, endpoint_id)
        asked = call.json if isinstance(call.json, dict) else {}
        changes = {"url": _address(asked)} if "url" in asked else {}
        if asked.get("status", "enabled") not in ("enabled", "disabled"):
            raise Refused(400, "invalid_parameter", "status must be enabled or disabled", "status")
        kept = {name: asked[name] for name in ("status",) if name in asked}
        events = {"events": _events(asked)} if "events" in asked else {}
        hook |= {**changes, **kept, **events}
        self._write_hook(account, hook)
        return good(_view(hook))

    def _rotate(self, call: Call, account: str, endpoint_id: str) -> Answer:
        hook = {**self._hook(account, endpoint_id), "secret": secrets.token_hex(24)}
        self._write_hook(account, hook)
        return good({"endpoint_id": endpoint_id, "secret": hook["secret"]})

    def _drop_hook(self, call: Call, account: str, endpoint_id: str) -> Answer:
        self.drop_hook(account, endpoint_id)
        return good({})

    def drop_hook(self, account: str, endpoint_id: str) -> None:
        self._hook(account, endpoint_id)
        self._hook_file(account, endpoint_id).unlink()

    def _told_so_far(self, call: Call, account: str) -> Answer:
        """What has happened to the account's videos, newest first."""
        now, wanted = self.world.now(), call.query.get("event_type", "")
        tasks = self.world.store.newest(self.name, account, limit=1000)
        ended = [task for task in tasks if task.phase(now) in ("succeeded", "failed", "refused")]
        events = [_happened(task, now) for task in ended if task.kind not in ("clip", "speech")]
        found = [event for event in events if wanted in ("", event["event_type"])]
        return Answer.of_json({"data": found[:100], "has_more": False, "next_token": None})

    # -- kept beside the log ---------------------------------------------------------------------------------

    def _kept_hooks(self, account: str) -> list[dict[str, Any]]:
        folder = self.world.folder / "heygen-webhooks" / account
        kept = [json.loads(path.read_text()) for path in folder.glob("*.json")]
        return sorted(kept, key=lambda hook: str(hook["created_at"]))

    def _hook_file(self, account: str, endpoint_id: str) -> Path:
        named = endpoint_id if endpoint_id.isalnum() else "none"
        return self.world.folder / "heygen-webhooks" / account / f"{named}.json"

    def _hook(self, account: str, endpoint_id: str) -> dict[str, Any]:
        path = self._hook_file(account, endpoint_id)
        if not path.exists():
            raise Refused(404, "resource_not_found", "the endpoint does not exist", "endpoint_id")
        hook: dict[str, Any] = json.loads(path.read_text())
        return hook

    def _write_hook(self, account: str, hook: dict[str, Any]) -> None:
        path = self._hook_file(account, hook["endpoint_id"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(hook))


def _address(asked: dict[str, Any]) -> str:
    url = str(asked.get("url") or "")
    if not ADDRESS.fullmatch(url):
        raise Refused(400, "invalid_parameter", "url must be a public https address", "url")
    return url


def _events(asked: dict[str, Any]) -> list[str] | None:
    """The asked event types; ``None`` for all."""
    events = asked.get("events")
    odd = next((name for name in events or [] if name not in EVENTS), None)
    if odd is not None:
        raise Refused(400, "invalid_parameter", f"event type {odd} does not exist", "events")
    return events or None


def _view(hook: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in hook.items() if name != "secret"}


def _happened(task: StoredTask, now: float) -> dict[str, Any]:
    subject = SUBJECTS.get(task.kind, "avatar_video")
    end = "success" if task.phase(now) == "succeeded" else "fail"
    told = {"video_id": task.id, "callback_id": task.params.get("callback_id") or None}
    moment = datetime.fromtimestamp(task.ends, UTC).isoformat()
    return {"event_id": f"evt_{task.id}", "event_type": f"{subject}.{end}", "event_data": told, "created_at": moment}
