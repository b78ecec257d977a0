"""HeyGen's frame (sign-in, error envelope) and its assets, with uploads past the API."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from providers.emulator.accounts import account_of
from providers.emulator.vendor import Route, Vendor, decode_base64, route
from providers.emulator.wire import Answer, Call

PROXIED_BYTES, DIRECT_BYTES = 32_000_000, 500_000_000
UPLOAD_S = 3600


class Refused(Exception):
    """An error of the vendor: status, code, words and the parameter it is about."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param


class FilesVendor(Vendor):
    """`/v3/assets…`; everything but the storage itself asks for the key."""

    name = "heygen"

    def file_routes(self) -> list[Route]:
        guarded = self.guarded
        return [
            route("POST", "/v3/assets", "upload", guarded(self._asset)),
            route("POST", "/v3/assets/direct-uploads", "upload", guarded(self._start_upload)),
            route("PUT", "/storage/{asset_id}", "storage", self._store),
            route("POST", "/v3/assets/{asset_id}/complete", "upload", guarded(self._complete)),
        ]

    def server_error(self, status: int) -> Answer:
        codes = {503: "service_unavailable", 504: "gateway_timeout"}
        return failed(status, codes.get(status, "internal_error"), "Something went wrong on our side")

    def rate_limited(self, retry_after: float | None) -> Answer:
        answer = failed(429, "rate_limit_exceeded", "Too many requests or concurrent jobs")
        if retry_after is not None:
            answer.headers["Retry-After"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return failed(200, "internal_error", "Something went wrong on our side")

    def not_found(self, call: Call) -> Answer:
        return Answer(404, b"404 page not found", media_type="text/plain")

    def new_id(self) -> str:
        return uuid.uuid4().hex

    def guarded(self, work: Callable[..., Answer]) -> Callable[..., Answer]:
        return partial(self._guarded, work)

    def _guarded(self, work: Callable[..., Answer], call: Call, **groups: str) -> Answer:
        try:
            account = account_of(call.headers.get("x-api-key", "") or call.bearer())
            if not account:
                raise Refused(401, "unauthorized", "The API key is missing or not valid")
            return work(call, account, **groups)
        except Refused as error:
            return failed(error.status, error.code, error.message, error.param)

    # -- assets ----------------------------------------------------------------------------------------------

    def asset_of(self, account: str, value: Any, param: str) -> str:
        """The kept file of ``{"type": "asset_id" | "base64" | "url", …}``; an address is not opened: empty."""
        value = value if isinstance(value, dict) else {}
        if value.get("type") == "url":
            if not str(value.get("url") or "").startswith("https://"):
                raise Refused(400, "invalid_parameter", "url must be a public https address", param)
            return ""
        if value.get("type") == "base64":
            data = decode_base64(str(value.get("data") or ""))
            if data is None:
                raise Refused(400, "invalid_parameter", "data is not valid base64", param)
            return self.world.save_input(data)
        named = value.get("asset_id") if value.get("type") == "asset_id" else ""
        file = asset_file(account, str(named))
        if not named or not self.world.input_path(file).exists():
            raise Refused(404, "asset_not_found", f"the {param} asset does not exist", param)
        return file

    def keep_asset(self, account: str, asset: str, data: bytes, media_type: str) -> dict[str, Any]:
        path = self.world.input_path(asset_file(account, asset))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        url = f"https://files.heygen.ai/{asset}"
        return {"asset_id": asset, "url": url, "mime_type": media_type, "size_bytes": len(data)}

    def _asset(self, call: Call, account: str) -> Answer:
        part = call.multipart().get("file")
        if part is None or not part.data:
            raise Refused(400, "invalid_parameter", "file is required", "file")
        if len(part.data) > PROXIED_BYTES:
            raise Refused(413, "payload_too_large", "the file has more than 32 MB", "file")
        return good(self.keep_asset(account, uuid.uuid4().hex, part.data, part.media_type))

    def _start_upload(self, call: Call, account: str) -> Answer:
        asked = call.json if isinstance(call.json, dict) else {}
        for field in ("filename", "content_type", "size_bytes"):
            if not asked.get(field):
                raise Refused(400, "invalid_parameter", f"{field} is required", field)
        if int(asked["size_bytes"]) > DIRECT_BYTES:
            raise Refused(413, "payload_too_large", "the file is too large", "size_bytes")
        asset = uuid.uuid4().hex
        path, until = f"/storage/{asset}", int(self.world.now() + UPLOAD_S)
        self._upload_note(asset).parent.mkdir(parents=True, exist_ok=True)
        self._upload_note(asset).write_text(json.dumps({**asked, "account": account, "until": until}))
        query = urlencode({"X-Amz-Expires": UPLOAD_S, "X-Amz-Signature": self.world.sign(f"{path}?{until}")})
        return good(
            {
                "asset_id": asset,
                "upload_url": f"{call.origin}/{self.name}{path}?{query}",
                "upload_headers": {"Content-Type": asked["content_type"]},
                "expires_in_seconds": UPLOAD_S,
                "max_bytes": DIRECT_BYTES,
                "status": "pending_upload",
            }
        )

    def _store(self, call: Call, asset_id: str) -> Answer:
        """The storage behind the API: a signed address, exact headers and size, and no other way of signing in."""
        note = self._note(asset_id)
        signed = call.query.get("X-Amz-Signature") == self.world.sign(f"/storage/{asset_id}?{note.get('until')}")
        if not note or not signed or note["until"] < self.world.now():
            return _storage_error(403, "AccessDenied")
        if "x-api-key" in call.headers or "authorization" in call.headers:
            return _storage_error(400, "InvalidArgument")
        checksum = str(note.get("checksum_sha256") or "")
        wrong = len(call.body) != note["size_bytes"] or call.headers.get("content-type") != note["content_type"]
        if wrong or (checksum and hashlib.sha256(call.body).hexdigest() != checksum):
            return _storage_error(400, "BadDigest")
        self._upload_note(asset_id).with_suffix(".bytes").write_bytes(call.body)
        return Answer(200)

    def _complete(self, call: Call, account: str, asset_id: str) -> Answer:
        note, stored = self._note(asset_id), self._upload_note(asset_id).with_suffix(".bytes")
        if note.get("account") != account:
            raise Refused(404, "asset_not_found", "the asset does not exist", "asset_id")
        if not stored.exists():
            raise Refused(400, "invalid_parameter", "the bytes have not been uploaded", "asset_id")
        kept = self.keep_asset(account, asset_id, stored.read_bytes(), note["content_type"])
        return good({**kept, "status": "processing"})

    def _upload_note(self, asset: str) -> Path:
        named = asset if re.fullmatch(r"[0-9a-f]{32}", asset) else "none"
        return self.world.folder / "heygen-uploads" / f"{named}.json"

    def _note(self, asset: str) -> dict[str, Any]:
        path = self._upload_note(asset)
        note: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return note


def asset_file(account: str, asset: str) -> str:
    return f"{account}-{asset}" if re.fullmatch(r"[0-9a-f]{32}", asset) else "none"


def good(value: Any, status: int = 200) -> Answer:
    return Answer.of_json({"data": value}, status)


def failed(status: int, code: str, message: str, param: str = "") -> Answer:
    page = f"https://developers.heygen.com/docs/error-codes#{code.replace('_', '-')}"
    return Answer.of_json(
        {"error": {"code": code, "message": message, "param": param or None, "doc_url": page}}, status
    )


def _storage_error(status: int, code: str) -> Answer:
    return Answer(status, f"<Error><Code>{code}</Code></Error>".encode(), media_type="application/xml")
