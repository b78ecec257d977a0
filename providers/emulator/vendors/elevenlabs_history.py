"""ElevenLabs' history of speech: what was said can be listed and heard again without being paid again."""

from __future__ import annotations

from typing import Any

from providers.emulator.media.sound import Speech
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Route, route
from providers.emulator.vendors.elevenlabs_calls import CallingVendor, sound_answer
from providers.emulator.vendors.elevenlabs_rules import VOICES, Refused
from providers.emulator.wire import Answer, Call


class HistoryVendor(CallingVendor):
    """`/v1/history`, `/v1/history/{id}`, `/v1/history/{id}/audio`."""

    def _history_routes(self) -> list[Route]:
        item = "/v1/history/{item_id}"
        return [
            route("GET", "/v1/history", "list", self.guarded(self._history)),
            route("GET", f"{item}/audio", "fetch", self.guarded(self._heard_again)),
            route("GET", item, "poll", self.guarded(self._history_item)),
            route("DELETE", item, "cancel", self.guarded(self._forget)),
        ]

    def _said(self, account: str) -> list[StoredTask]:
        tasks = self.world.store.newest(self.name, account, limit=100_000)
        return [task for task in tasks if "text" in task.params and task.cancelled is None]

    def _item(self, account: str, item_id: str) -> StoredTask:
        task = self.world.store.get(self.name, item_id)
        if task is None or task.account != account or "text" not in task.params or task.cancelled is not None:
            raise Refused(404, "history_item_not_found", "The history item was not found")
        return task

    def _history(self, call: Call, account: str) -> Answer:
        """Newest first; a page begins after the item that is named."""
        found, last = self._said(account), call.query.get("start_after_history_item_id", "")
        wanted = call.query.get("voice_id", "")
        found = [task for task in found if not wanted or task.params["voice"] == wanted]
        start = next((number + 1 for number, task in enumerate(found) if task.id == last), 0)
        size = min(int(call.query.get("page_size") or 100), 1000)
        page = found[start : start + size]
        more = {"has_more": start + size < len(found), "last_history_item_id": page[-1].id if page else None}
        return Answer.of_json({"history": [_view(task) for task in page], **more, "scanned_until": None})

    def _history_item(self, call: Call, account: str, item_id: str) -> Answer:
        return Answer.of_json(_view(self._item(account, item_id)))

    def _heard_again(self, call: Call, account: str, item_id: str) -> Answer:
        said = self._item(account, item_id).params
        return sound_answer(Speech(said["text"], said["voice"], said["speed"]), call)

    def _forget(self, call: Call, account: str, item_id: str) -> Answer:
        self.world.store.cancel(self._item(account, item_id), self.world.now())
        return Answer.of_json({"status": "ok"})


def _view(task: StoredTask) -> dict[str, Any]:
    said = task.params
    count = {"character_count_change_from": 0, "character_count_change_to": said["characters"]}
    voice = {"voice_id": said["voice"], "voice_name": VOICES.get(said["voice"]), "voice_category": "premade"}
    kind = {"content_type": "audio/mpeg", "state": "created", "source": "TTS"}
    ids = {"history_item_id": task.id, "request_id": task.id, "model_id": task.model}
    return {**ids, **voice, "text": said["text"], "date_unix": int(task.created), **count, **kind}
