"""The Gemini API's resumable uploads: a place is asked for, the bytes follow, the file is known for two days."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.emulator.vendors.google import GoogleVendor, Refused, google_error
from providers.emulator.wire import Answer, Call

KEPT_S = 2 * 86_400.0


class GeminiFiles(GoogleVendor):
    """`/upload/v1beta/files` and `/v1beta/files/{name}`."""

    def _note(self, name: str) -> Path:
        return self.world.folder / "gemini-files" / f"{name if name.isalnum() else 'none'}.json"

    def _start_upload(self, call: Call, account: str) -> Answer:
        asked = (call.json or {}).get("file") or {}
        name = "".join(random.SystemRandom().choices("abcdefghijklmnopqrstuvwxyz0123456789", k=12))
        kind = call.headers.get("x-goog-upload-header-content-type") or asked.get("mimeType") or ""
        about = {"account": account, "mime": kind, "title": str(asked.get("displayName") or "")}
        note = self._note(name)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(about))
        place = f"{call.origin}/{self.name}/upload/place/{name}"
        return Answer(200, b"{}", {"X-Goog-Upload-URL": place, "X-Goog-Upload-Status": "active"})

    def _finish_upload(self, call: Call, upload: str) -> Answer:
        """Chunks come one after another; the last one says ``finalize``."""
        note = self._note(upload)
        if not note.exists():
            return google_error(404, "The upload was not found.")
        part = note.with_suffix(".bin")
        with part.open("ab") as file:
            file.write(call.body)
        if "finalize" not in call.headers.get("x-goog-upload-command", ""):
            return Answer(200, b"", {"X-Goog-Upload-Status": "active"})
        data = part.read_bytes()
        kept = {**json.loads(note.read_text()), "sha256": self.world.save_input(data), "size": len(data)}
        note.write_text(json.dumps({**kept, "created": self.world.now()}))
        answer = Answer.of_json({"file": self._file_view(upload)})
        answer.headers["X-Goog-Upload-Status"] = "final"
        return answer

    def _file_view(self, name: str, account: str = "") -> dict[str, Any]:
        note = self._note(name)
        kept: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {}
        if "sha256" not in kept or account not in ("", kept["account"]) or kept["created"] + KEPT_S < self.world.now():
            raise Refused(404, f"The file {name} was not found.")
        digest = base64.b64encode(hashlib.sha256(self.world.input_path(kept["sha256"]).read_bytes()).digest())
        return {
            "name": f"files/{name}",
            "displayName": kept["title"],
            "mimeType": kept["mime"],
            "sizeBytes": str(kept["size"]),
            "createTime": _time(kept["created"]),
            "updateTime": _time(kept["created"]),
            "expirationTime": _time(kept["created"] + KEPT_S),
            "sha256Hash": digest.decode(),
            "uri": f"https://generativelanguage.googleapis.com/v1beta/files/{name}",
            "state": "ACTIVE",
            "source": "UPLOADED",
        }

    def _list_files(self, call: Call, account: str) -> Answer:
        """Newest first, in pages."""
        views = []
        for note in (self.world.folder / "gemini-files").glob("*.json"):
            kept = json.loads(note.read_text())
            if kept["account"] == account and kept.get("created", 0) + KEPT_S > self.world.now():
                views.append(self._file_view(note.stem))
        views.sort(key=lambda view: str(view["createTime"]), reverse=True)
        size, start = int(call.query.get("pageSize") or 10), int(call.query.get("pageToken") or 0)
        more = {"nextPageToken": str(start + size)} if start + size < len(views) else {}
        return Answer.of_json({"files": views[start : start + size], **more})

    def _about_file(self, call: Call, account: str, file: str) -> Answer:
        return Answer.of_json(self._file_view(file, account))

    def _delete_file(self, call: Call, account: str, file: str) -> Answer:
        self._file_view(file, account)
        self._note(file).unlink()
        return Answer.of_json({})


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
