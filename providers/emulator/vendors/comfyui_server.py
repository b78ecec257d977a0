"""What a ComfyUI server is besides its queue: uploads, its nodes and models, its facts, its plain error bodies."""

from __future__ import annotations

import re
from typing import Any

from providers.emulator.vendor import Vendor
from providers.emulator.vendors.comfyui_graph import NODES, node_view
from providers.emulator.wire import Answer, Call

FOLDERS = ("checkpoints", "clip_vision", "diffusion_models", "loras", "text_encoders", "vae")


class ServerVendor(Vendor):
    """`/upload/…`, `/object_info`, `/models`, `/system_stats`, `/features`."""

    name = "comfyui"
    cors = False

    def server_error(self, status: int) -> Answer:
        return Answer(status, b"500 Internal Server Error\n\nServer got itself in trouble", media_type="text/plain")

    def rate_limited(self, retry_after: float | None) -> Answer:
        """What a proxy in front would say; the server itself has no limits."""
        answer = Answer(429, b"Too Many Requests", media_type="text/plain")
        if retry_after is not None:
            answer.headers["Retry-After"] = f"{retry_after:g}"
        return answer

    def error_in_ok(self) -> Answer:
        return Answer.of_json({"error": {"type": "internal", "message": "something went wrong"}, "node_errors": {}})

    def not_found(self, call: Call) -> Answer:
        return Answer(404, b"404: Not Found", media_type="text/plain")

    def wrong_method(self, call: Call, methods: list[str]) -> Answer:
        allowed = {"Allow": ", ".join(methods)}
        return Answer(405, b"405: Method Not Allowed", allowed, media_type="text/plain")

    def _upload(self, call: Call) -> Answer:
        parts = call.multipart()
        part = parts.get("image")
        if part is None or not part.data:
            return Answer(400)
        name = file_name(part.filename)
        overwrite = "overwrite" in parts and parts["overwrite"].data.decode().lower() in ("true", "1")
        stem, dot, suffix = name.rpartition(".")
        copies, path = 0, self.world.input_path(name)
        while not overwrite and path.exists() and path.read_bytes() != part.data:
            copies += 1
            name = f"{stem} ({copies}){dot}{suffix}"
            path = self.world.input_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part.data)
        folder = parts["subfolder"].data.decode() if "subfolder" in parts else ""
        kind = parts["type"].data.decode() if "type" in parts else "input"
        return Answer.of_json({"name": name, "subfolder": folder, "type": kind})

    def _object_info(self, call: Call, node: str = "") -> Answer:
        named = {node} & set(NODES) if node else set(NODES)
        return Answer.of_json({name: node_view(name) for name in sorted(named)})

    def _features(self, call: Call) -> Answer:
        return Answer.of_json({"supports_preview_metadata": True, "max_upload_size": 104_857_600})

    def _folders(self, call: Call) -> Answer:
        return Answer.of_json(list(FOLDERS))

    def _models(self, call: Call, folder: str) -> Answer:
        if folder not in FOLDERS:
            return Answer(404)
        return Answer.of_json([f"emulated-{folder}.safetensors"])

    def _stats(self, call: Call) -> Answer:
        device = {"name": "emulated", "type": "cuda", "vram_total": 24 * 2**30, "vram_free": 20 * 2**30}
        system = {"comfyui_version": "0.38.0", "os": "posix", "python_version": "3.12", "ram_total": 64 * 2**30}
        return Answer.of_json({"system": {**system, "ram_free": 48 * 2**30}, "devices": [device]})


def file_name(value: Any) -> str:
    """The bare file name of an input, safe to look for."""
    name = str(value or "none").rpartition("/")[2]
    return re.sub(r"[^\w.() -]", "_", name).lstrip(".") or "none"
