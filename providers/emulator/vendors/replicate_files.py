"""Replicate's files: kept for a day, listed and deleted by their account, used in inputs by their address."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

from providers.emulator.vendor import Vendor
from providers.emulator.vendors.replicate_models import Refused, iso_time
from providers.emulator.wire import Answer, Call

FILES_KEPT_S = 86_400.0


class FilesVendor(Vendor):
    """`/v1/files` and `/v1/files/{id}`."""

    def _upload(self, call: Call, account: str) -> Answer:
        parts = call.multipart()
        part = parts.get("content")
        if part is None or not part.data:
            raise Refused(422, "content: is required")
        digest, file_id, now = self.world.save_input(part.data), secrets.token_hex(32), self.world.now()
        view = {
            "id": file_id,
            "name": part.filename,
            "content_type": part.media_type,
            "size": len(part.data),
            "etag": digest[:32],
            "checksums": {"sha256": digest, "md5": hashlib.md5(part.data, usedforsecurity=False).hexdigest()},
            "metadata": json.loads(parts["metadata"].data) if "metadata" in parts else {},
            "created_at": iso_time(now),
            "expires_at": iso_time(now + FILES_KEPT_S),
            "urls": {"get": f"{call.origin}/{self.name}/v1/files/{file_id}"},
        }
        note = self._file_note(file_id)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"account": account, "until": now + FILES_KEPT_S, "view": view}))
        return Answer.of_json(view, 201)

    def _file_note(self, file_id: str) -> Path:
        return self.world.folder / "replicate-files" / f"{file_id if file_id.isalnum() else 'none'}.json"

    def _kept_file(self, file_id: str, account: str = "") -> dict[str, Any]:
        """What is known of an upload that is still kept."""
        note = self._file_note(file_id)
        kept: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {}
        if not kept or kept["until"] < self.world.now() or account not in ("", kept["account"]):
            raise Refused(404, "The requested resource could not be found.")
        view: dict[str, Any] = kept["view"]
        return view

    def _file(self, call: Call, account: str, file_id: str) -> Answer:
        return Answer.of_json(self._kept_file(file_id, account))

    def _files(self, call: Call, account: str) -> Answer:
        notes = [json.loads(note.read_text()) for note in (self.world.folder / "replicate-files").glob("*.json")]
        mine = [note["view"] for note in notes if note["account"] == account and note["until"] >= self.world.now()]
        mine.sort(key=lambda view: str(view["created_at"]), reverse=True)
        return Answer.of_json({"next": None, "previous": None, "results": mine})

    def _delete_file(self, call: Call, account: str, file_id: str) -> Answer:
        self._kept_file(file_id, account)
        self._file_note(file_id).unlink()
        return Answer(204)
