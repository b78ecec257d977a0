"""RunwayML's avatars, the documents they know, films in which they speak, and published workflows.

Written from the official client's calls and answer types (2026-11). Avatars and documents are kept beside the log. The
price of an avatar's film, how long an avatar is prepared and the one workflow that is published are guesses; live
conversations, their usage and voices of one's own are not here.
"""

from __future__ import annotations

import json
import re
import uuid
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.emulator.inputs import sound_seconds
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Route, Vendor, route
from providers.emulator.vendors import runway_rules as rules
from providers.emulator.vendors.runway_rules import Refused, invalid
from providers.emulator.wire import Answer, Call

PRESETS = (
    "game-character", "music-superstar", "game-character-man", "cat-character", "influencer", "tennis-coach",
    "human-resource", "fashion-designer", "cooking-teacher",
)  # fmt: skip
PREPARED_S = 20.0
WORDS_A_SECOND = 2.5
MOST_PAGE = 100
SPOKEN_MODEL = "gwm1_avatars"
WORKFLOW = "3f0e8a52-6f0b-4c39-9a51-5d0c2f7f4b11"
PROMPT_NODE, FILM_NODE = "a1c5b7de-0001-4000-8000-000000000001", "a1c5b7de-0002-4000-8000-000000000002"
PUBLISHED = "2026-10-01T09:00:00.000Z"
FIELDS = {"name": "name", "personality": "personality", "startScript": "startScript", "documentIds": "documentIds"}
VOICES = ("runway-live-preset", "custom")


class AvatarsVendor(Vendor):
    """`/v1/documents…`, `/v1/avatars…`, `/v1/avatar_videos`, `/v1/workflows…`, `/v1/workflow_invocations/{id}`."""

    @abstractmethod
    def start(self, call: Call, account: str, endpoint: str, body: Any) -> tuple[StoredTask, Answer]:
        """Accept a task for this body; the answer of its own address."""

    @abstractmethod
    def given_file(self, given: Any, field: str, kind: str) -> str:
        """The kept file of an address, an upload or a data URI; empty for one that is not opened."""

    def avatar_routes(self, guarded: Callable[[Callable[..., Answer]], Callable[..., Answer]]) -> list[Route]:
        document, avatar = "/v1/documents/{document}", "/v1/avatars/{avatar}"
        return [
            route("POST", "/v1/documents", "upload", guarded(self._add_document)),
            route("GET", "/v1/documents", "list", guarded(self._documents)),
            route("GET", document, "catalogue", guarded(self._document)),
            route("PATCH", document, "upload", guarded(self._change_document)),
            route("DELETE", document, "cancel", guarded(self._drop_document)),
            route("POST", "/v1/avatars", "upload", guarded(self._add_avatar)),
            route("GET", "/v1/avatars", "list", guarded(self._avatars)),
            route("GET", avatar, "catalogue", guarded(self._avatar)),
            route("PATCH", avatar, "upload", guarded(self._change_avatar)),
            route("DELETE", avatar, "cancel", guarded(self._drop_avatar)),
            route("POST", "/v1/avatar_videos", "submit", guarded(self._speak)),
            route("GET", "/v1/workflows", "list", guarded(self._workflows)),
            route("GET", "/v1/workflows/{workflow}", "catalogue", guarded(self._workflow)),
            route("POST", "/v1/workflows/{workflow}", "submit", guarded(self._run)),
            route("GET", "/v1/workflow_invocations/{invocation}", "poll", guarded(self._invocation)),
        ]

    # -- documents -------------------------------------------------------------------------------------------

    def _add_document(self, call: Call, account: str) -> Answer:
        body = _object(call)
        for name in ("name", "content"):
            if not isinstance(body.get(name), str) or not body[name]:
                raise invalid(name, "required")
        kept = {**self._stamped(), "name": body["name"], "content": body["content"], "type": "text"}
        self._keep(account, "documents", kept)
        return Answer.of_json({**kept, "usedBy": []})

    def _documents(self, call: Call, account: str) -> Answer:
        order, sort = call.query.get("order"), call.query.get("sort")
        if order not in ("asc", "desc"):
            raise invalid("order", "expected one of ['asc', 'desc']")
        if sort not in ("createdAt", "updatedAt"):
            raise invalid("sort", "expected one of ['createdAt', 'updatedAt']")
        found = sorted(self._all(account, "documents"), key=lambda kept: str(kept[sort]), reverse=order == "desc")
        for kept in found:
            del kept["content"]
        return _page(call, [{**kept, "usedBy": self._users(account, kept["id"])} for kept in found])

    def _document(self, call: Call, account: str, document: str) -> Answer:
        kept = self._one(account, "documents", document)
        return Answer.of_json({**kept, "usedBy": self._users(account, document)})

    def _change_document(self, call: Call, account: str, document: str) -> Answer:
        kept, body = self._one(account, "documents", document), _object(call)
        changed = {name: str(body[name]) for name in ("name", "content") if body.get(name)}
        self._keep(account, "documents", {**kept, **changed, "updatedAt": self._now()})
        return Answer(204)

    def _drop_document(self, call: Call, account: str, document: str) -> Answer:
        self._drop(account, "documents", document)
        return Answer(204)

    def _users(self, account: str, document: str) -> list[dict[str, Any]]:
        return [
            {"id": kept["id"], "name": kept["name"], "imageUrl": None}
            for kept in self._all(account, "avatars")
            if document in kept["documentIds"]
        ]

    # -- avatars ---------------------------------------------------------------------------------------------

    def _add_avatar(self, call: Call, account: str) -> Answer:
        body = _object(call)
        for name in ("name", "personality", "referenceImage", "voice"):
            if not body.get(name):
                raise invalid(name, "required")
        kept = {**self._stamped(), "documentIds": [], "startScript": None, "created": self.world.now()}
        return self._store_avatar(account, kept, body)

    def _change_avatar(self, call: Call, account: str, avatar: str) -> Answer:
        return self._store_avatar(account, self._one(account, "avatars", avatar), _object(call))

    def _store_avatar(self, account: str, kept: dict[str, Any], body: Mapping[str, Any]) -> Answer:
        changed = {name: body[name] for name in FIELDS if name in body}
        for document in changed.get("documentIds", ()):
            self._one(account, "documents", str(document))
        if "voice" in body:
            changed["voice"] = _voice(body["voice"])
        if "referenceImage" in body:
            changed["picture"] = self.given_file(body["referenceImage"], "referenceImage", "image")
            changed["created"] = self.world.now()
        new = {**kept, **changed, "updatedAt": self._now()}
        self._keep(account, "avatars", new)
        return Answer.of_json(self._avatar_view(new))

    def _avatars(self, call: Call, account: str) -> Answer:
        found = sorted(self._all(account, "avatars"), key=lambda kept: str(kept["createdAt"]), reverse=True)
        return _page(call, [self._avatar_view(kept) for kept in found])

    def _avatar(self, call: Call, account: str, avatar: str) -> Answer:
        return Answer.of_json(self._avatar_view(self._one(account, "avatars", avatar)))

    def _drop_avatar(self, call: Call, account: str, avatar: str) -> Answer:
        self._drop(account, "avatars", avatar)
        return Answer(204)

    def _avatar_view(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: value for name, value in kept.items() if name not in ("picture", "created")}
        addresses = {"referenceImageUri": None, "processedImageUri": None}
        return {**told, **addresses, "status": "READY" if self._is_ready(kept) else "PROCESSING"}

    def _is_ready(self, kept: Mapping[str, Any]) -> bool:
        return bool(self.world.now() >= kept["created"] + self.world.seconds(PREPARED_S))

    def _speak(self, call: Call, account: str) -> Answer:
        """A film in which an avatar says a text, or what is heard in a file."""
        body = _object(call)
        if body.get("model") != SPOKEN_MODEL:
            raise invalid("model", f"expected one of ['{SPOKEN_MODEL}']")
        avatar, speech = _part(body, "avatar"), _part(body, "speech")
        asked = {"model": SPOKEN_MODEL, "picture": self._face(account, avatar), **self._said(speech)}
        return self.start(call, account, rules.AVATAR, asked)[1]

    def _face(self, account: str, avatar: Mapping[str, Any]) -> str:
        if avatar.get("type") == "runway-preset":
            if avatar.get("presetId") not in PRESETS:
                raise invalid("avatar.presetId", f"expected one of {list(PRESETS)}")
            return ""
        if avatar.get("type") != "custom":
            raise invalid("avatar.type", "expected one of ['custom', 'runway-preset']")
        kept = self._one(account, "avatars", str(avatar.get("avatarId") or ""))
        if not self._is_ready(kept):
            raise Refused(400, "The avatar is still being processed")
        return str(kept["picture"])

    def _said(self, speech: Mapping[str, Any]) -> dict[str, Any]:
        if speech.get("type") == "audio":
            name = self.given_file(speech.get("audio"), "speech.audio", "audio")
            return {"promptText": "(voice file)", "seconds": sound_seconds(self.world, name)}
        text = speech.get("text")
        if speech.get("type") != "text" or not isinstance(text, str) or not text.strip():
            raise invalid("speech", "an object with type audio and audio, or type text and text, is expected")
        return {"promptText": text, "seconds": round(max(1.0, len(text.split()) / WORDS_A_SECOND), 1)}

    # -- workflows -------------------------------------------------------------------------------------------

    def _workflows(self, call: Call, account: str) -> Answer:
        versions = [{"id": WORKFLOW, "createdAt": PUBLISHED, "version": 1}]
        return Answer.of_json({"data": [{"name": "Product teaser", "versions": versions}]})

    def _workflow(self, call: Call, account: str, workflow: str) -> Answer:
        _known(workflow)
        nodes = [
            {"id": PROMPT_NODE, "type": "prompt", "outputs": {"prompt": {"type": "primitive", "value": "a kite"}}},
            {"id": FILM_NODE, "type": "text_to_video", "model": "gen4.5", "ratio": "1280:720", "duration": 5},
        ]
        edges = [{"source": PROMPT_NODE, "sourceOutput": "prompt", "target": FILM_NODE, "targetInput": "promptText"}]
        told = {"id": WORKFLOW, "name": "Product teaser", "description": "A clip from a prompt", "version": 1}
        graph = {"version": 1, "nodes": nodes, "edges": edges}
        return Answer.of_json({**told, "createdAt": PUBLISHED, "updatedAt": PUBLISHED, "graph": graph})

    def _run(self, call: Call, account: str, workflow: str) -> Answer:
        """Run the workflow; a prompt that is given takes the place of its own."""
        _known(workflow)
        given = _object(call).get("nodeOutputs") or {}
        if not isinstance(given, dict) or set(given) - {PROMPT_NODE}:
            raise invalid("nodeOutputs", f"only the outputs of node {PROMPT_NODE} may be given")
        prompt = (given.get(PROMPT_NODE) or {}).get("prompt") or {"type": "primitive", "value": "a kite"}
        if prompt.get("type") != "primitive" or not isinstance(prompt.get("value"), str):
            raise invalid(f"nodeOutputs.{PROMPT_NODE}.prompt", "a primitive text is expected")
        body = {"model": "gen4.5", "promptText": prompt["value"], "ratio": "1280:720", "duration": 5}
        task, answer = self.start(call, account, rules.TEXT, body)
        self._keep(account, "invocations", {"id": task.id})
        return Answer.of_json({"id": task.id}).noting(answer.note)

    def _invocation(self, call: Call, account: str, invocation: str) -> Answer:
        """Where a run stands: the files by the node that made them."""
        self._one(account, "invocations", invocation)
        task = self.world.store.get(self.name, invocation)
        if task is None:
            raise Refused(404, "Workflow invocation not found")
        now, cost = self.world.now(), {"credits": task.params["credits"]}
        phase = task.phase(now)
        view: dict[str, Any] = {"id": task.id, "createdAt": _moment(task.created)}
        if phase == "queued":
            view["status"] = "THROTTLED" if task.params["throttled"] else "PENDING"
        elif phase == "running":
            view |= {"status": "RUNNING", "progress": round(task.progress(now), 3), "output": {}}
        elif phase == "succeeded":
            output = {FILM_NODE: [self.file_url(task, 0, ".mp4", call.origin)]}
            view |= {"status": "SUCCEEDED", "output": output, "cost": cost}
        elif phase == "cancelled":
            view["status"] = "CANCELLED"
        else:
            code = "SAFETY.INPUT.TEXT" if phase == "refused" else "INTERNAL.BAD_OUTPUT"
            errors = {FILM_NODE: {"message": "The node failed.", "failureCode": code, "nodeName": "Text to video"}}
            view |= {"status": "FAILED", "failure": "A node failed.", "failureCode": code, "nodeErrors": errors}
        return Answer.of_json(view)

    # -- kept beside the log ---------------------------------------------------------------------------------

    def _shelf(self, account: str, kind: str) -> Path:
        return self.world.folder / f"runway-{kind}" / account

    def _all(self, account: str, kind: str) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in self._shelf(account, kind).glob("*.json")]

    def _path(self, account: str, kind: str, named: str) -> Path:
        path = self._shelf(account, kind) / f"{named if re.fullmatch('[0-9a-f-]{36}', named) else 'none'}.json"
        if not path.exists():
            raise Refused(404, f"{kind.removesuffix('s').capitalize()} not found")
        return path

    def _one(self, account: str, kind: str, named: str) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads(self._path(account, kind, named).read_text())
        return kept

    def _keep(self, account: str, kind: str, kept: Mapping[str, Any]) -> None:
        path = self._shelf(account, kind) / f"{kept['id']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept))

    def _drop(self, account: str, kind: str, named: str) -> None:
        self._path(account, kind, named).unlink()

    def _stamped(self) -> dict[str, Any]:
        return {"id": str(uuid.uuid4()), "createdAt": self._now(), "updatedAt": self._now()}

    def _now(self) -> str:
        return _moment(self.world.now())


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _object(call: Call) -> dict[str, Any]:
    return call.json if isinstance(call.json, dict) else {}


def _part(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    if not isinstance(part, dict):
        raise invalid(name, "required")
    return part


def _known(workflow: str) -> None:
    if workflow != WORKFLOW:
        raise Refused(404, "Workflow not found")


def _voice(given: Any) -> dict[str, Any]:
    """A voice as avatars show it; one of its own is not known here by more than its id."""
    if not isinstance(given, dict) or given.get("type") not in VOICES:
        raise invalid("voice.type", f"expected one of {list(VOICES)}")
    if given["type"] == "custom":
        return {"type": "custom", "id": str(given.get("id") or ""), "deleted": False}
    preset = str(given.get("presetId") or "")
    if not preset.isalpha():
        raise invalid("voice.presetId", "a preset voice is expected")
    return {"type": given["type"], "presetId": preset, "name": preset.title(), "description": "A preset voice"}


def _page(call: Call, items: list[dict[str, Any]]) -> Answer:
    """One page by ``limit``, which is required, and ``cursor``."""
    limit, start = call.query.get("limit", ""), int(call.query.get("cursor") or 0)
    if not limit.isdigit() or not 1 <= int(limit) <= MOST_PAGE:
        raise invalid("limit", f"a number from 1 to {MOST_PAGE} is expected")
    following = start + int(limit)
    return Answer.of_json(
        {"data": items[start:following], "nextCursor": str(following) if len(items) > following else None}
    )
