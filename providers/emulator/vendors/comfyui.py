"""A ComfyUI server: one job at a time, graph validation, history by id, files by name. No authentication.

Written from the behaviour of a real server (0.3.64) and the public reference (2026-11). Every address exists with
and without ``/api``. Posting the same id twice runs twice; the later run takes the history entry.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from providers.emulator.faults import Trouble
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, MediaPlan, Route, Vendor, route
from providers.emulator.wire import Answer, Call, LogNote

API = "(?:/api)?"
ACCOUNT = "server"
NODES = {
    "UNETLoader",
    "CLIPLoader",
    "VAELoader",
    "ModelSamplingSD3",
    "CLIPTextEncode",
    "LoadImage",
    "Wan22ImageToVideoLatent",
    "WanImageToVideo",
    "EmptyHunyuanLatentVideo",
    "KSampler",
    "VAEDecode",
    "CreateVideo",
    "SaveVideo",
}
LATENTS = ("Wan22ImageToVideoLatent", "WanImageToVideo", "EmptyHunyuanLatentVideo")


class Refused(Exception):
    """A 400 with ComfyUI's error object."""

    def __init__(self, kind: str, message: str, node_errors: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        error = {"type": kind, "message": message, "details": "", "extra_info": {}}
        self.body = {"error": error, "node_errors": dict(node_errors or {})}


class ComfyUIVendor(Vendor):
    """`/prompt`, `/queue`, `/history`, `/interrupt`, `/view`, `/upload/image`, `/object_info`, `/api/jobs`."""

    name = "comfyui"

    def routes(self) -> list[Route]:
        return [
            route("POST", f"{API}/prompt", "submit", self._prompt),
            route("GET", f"{API}/prompt", "queue", self._remaining),
            route("GET", f"{API}/queue", "poll", self._queue),
            route("POST", f"{API}/queue", "cancel", self._delete),
            route("POST", f"{API}/interrupt", "cancel", self._interrupt),
            route("GET", f"{API}/history/{{prompt_id}}", "history", self._history),
            route("GET", "/api/jobs/{prompt_id}", "job", self._job),
            route("POST", "/api/jobs/{prompt_id}/cancel", "cancel", self._cancel_job),
            route("GET", f"{API}/view", "fetch", self._view),
            route("POST", f"{API}/upload/image", "upload", self._upload),
            route("GET", f"{API}/object_info/{{node}}", "account", self._object_info),
            route("GET", f"{API}/object_info", "account", self._object_info),
            route("GET", f"{API}/system_stats", "account", self._stats),
        ]

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

    # -- running ---------------------------------------------------------------------------------------------

    def _prompt(self, call: Call) -> Answer:
        body = call.json
        if not isinstance(body, dict):
            return self.server_error(500)
        try:
            return self._accept(call, body)
        except Refused as error:
            return Answer.of_json(error.body, 400)

    def _accept(self, call: Call, body: Mapping[str, Any]) -> Answer:
        graph = body.get("prompt")
        if not isinstance(graph, dict) or not graph:
            raise Refused("no_prompt", "No prompt provided")
        prompt_id = str(body.get("prompt_id") or uuid.uuid4())
        if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", prompt_id):
            raise Refused("invalid_prompt_id", "prompt_id must be a canonical lowercase UUID")
        params = self._params(graph)
        now = self.world.now()
        seconds = params["frames"] / params["fps"]
        run = uuid.uuid4().hex
        draft = Draft(
            account=ACCOUNT,
            kind="video",
            model="workflow",
            params={**params, "prompt_id": prompt_id, "run": run},
            cost=Decimal(0),
            currency="USD",
            queue_s=0.5,
            render_s=20 * seconds,
            task_id=self._run_id(prompt_id),
            not_before=self.world.store.slot_free_at(self.name, ACCOUNT, "workflow", 1, now),
        )
        task = self.accept(call, draft)
        note = LogNote(True, Decimal(0), "USD", prompt_id, call.headers.get("x-correlation-id", ""))
        self.world.store.mark_logged(self.name, task.id)
        return Answer.of_json({"prompt_id": prompt_id, "number": 1, "node_errors": {}}).noting(note)

    def _run_id(self, prompt_id: str) -> str:
        """The id itself; a second posting of it runs again under a name of its own."""
        runs = 0
        while self.world.store.get(self.name, f"{prompt_id}#{runs}") is not None:
            runs += 1
        return f"{prompt_id}#{runs}"

    def _params(self, graph: Mapping[str, Any]) -> dict[str, Any]:
        """Validate as the server does and read size, length and words out of the graph."""
        for node_id, node in graph.items():
            if not isinstance(node, dict) or node.get("class_type") not in NODES:
                raise Refused("invalid_prompt", f"Cannot execute because node {node_id} does not exist")
        kinds = {node["class_type"]: node["inputs"] for node in graph.values()}
        if "SaveVideo" not in kinds:
            raise Refused("prompt_no_outputs", "Prompt has no outputs")
        latent = next((kinds[name] for name in LATENTS if name in kinds), None)
        if latent is None:
            raise Refused("prompt_no_outputs", "Prompt has no outputs")
        self._check(graph, latent)
        sampler = kinds.get("KSampler", {})
        positive = graph.get(str((sampler.get("positive") or ["", 0])[0]), {}).get("inputs", {})
        picture = str(kinds.get("LoadImage", {}).get("image") or "")
        return {
            "prompt": str(positive.get("text") or ""),
            "width": int(latent["width"]),
            "height": int(latent["height"]),
            "frames": int(latent["length"]),
            "fps": int(kinds.get("CreateVideo", {}).get("fps") or 16),
            "seed": int(sampler.get("seed") or 0),
            "prefix": str(kinds["SaveVideo"].get("filename_prefix") or "video"),
            "picture": picture.rpartition("/")[2] if picture else "",
        }

    def _check(self, graph: Mapping[str, Any], latent: Mapping[str, Any]) -> None:
        errors: dict[str, Any] = {}
        for node_id, node in graph.items():
            inputs, found = node["inputs"], []
            if node["class_type"] == "LoadImage" and not self.world.input_path(_name(inputs.get("image"))).exists():
                found.append(_node_error("custom_validation_failed", f"Invalid image file: {inputs.get('image')}"))
            if inputs is latent and not 16 <= int(inputs.get("width", 0)) <= 8192:
                found.append(_node_error("value_smaller_than_min", "width"))
            links = [str(value[0]) for value in inputs.values() if isinstance(value, list) and value]
            found += [_node_error("exception_during_inner_validation", f"'{at}'") for at in links if at not in graph]
            if found:
                errors[node_id] = {"errors": found, "dependent_outputs": [], "class_type": node["class_type"]}
        if errors:
            raise Refused("prompt_outputs_failed_validation", "Prompt outputs failed validation", errors)

    # -- looking ---------------------------------------------------------------------------------------------

    def _latest(self, prompt_id: str) -> StoredTask | None:
        found, runs = None, 0
        while (task := self.world.store.get(self.name, f"{prompt_id}#{runs}")) is not None:
            found, runs = task, runs + 1
        return found

    def _open(self) -> list[StoredTask]:
        now = self.world.now()
        tasks = self.world.store.newest(self.name, ACCOUNT, limit=2000)
        return [task for task in reversed(tasks) if task.phase(now) in ("queued", "running")]

    def _queue(self, call: Call) -> Answer:
        now = self.world.now()
        lists: dict[str, list[Any]] = {"queue_running": [], "queue_pending": []}
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            return Answer.of_json(lists)
        for number, task in enumerate(self._open()):
            name = "queue_running" if task.phase(now) == "running" else "queue_pending"
            lists[name].append([number, task.params["prompt_id"], {}, {}, ["12"]])
        return Answer.of_json(lists)

    def _remaining(self, call: Call) -> Answer:
        return Answer.of_json({"exec_info": {"queue_remaining": len(self._open())}})

    def _history(self, call: Call, prompt_id: str) -> Answer:
        task = self._latest(prompt_id)
        phase = task.phase(self.world.now()) if task else "queued"
        if task is None or phase in ("queued", "running"):
            return Answer.of_json({})
        interrupted = phase == "cancelled" and (task.cancelled or 0) > task.starts
        if phase == "cancelled" and not interrupted:
            return Answer.of_json({})
        return Answer.of_json({prompt_id: self._entry(task, phase)})

    def _entry(self, task: StoredTask, phase: str) -> dict[str, Any]:
        stamp = {"prompt_id": task.params["prompt_id"], "timestamp": int(task.ends * 1000)}
        messages: list[Any] = [["execution_start", stamp]]
        outputs: dict[str, Any] = {}
        if phase == "succeeded":
            messages.append(["execution_success", stamp])
            folder, _, prefix = task.params["prefix"].rpartition("/")
            item = {"filename": f"{prefix}_00001_.mp4", "subfolder": folder, "type": "output"}
            outputs = {"12": {"images": [item], "animated": [True]}}
        elif phase == "cancelled":
            messages.append(["execution_interrupted", {**stamp, "node_id": "9", "node_type": "KSampler"}])
        else:
            told = {
                "node_id": "9",
                "node_type": "KSampler",
                "exception_type": "torch.OutOfMemoryError",
                "exception_message": "Allocation on device",
                "traceback": ['  File "/srv/comfy/execution.py", line 1'],
            }
            messages.append(["execution_error", {**stamp, **told}])
        word = "success" if phase == "succeeded" else "error"
        status = {"status_str": word, "completed": phase == "succeeded", "messages": messages}
        return {
            "prompt": [1, task.params["prompt_id"], {}, {}, ["12"]],
            "outputs": outputs,
            "status": status,
            "meta": {},
        }

    def _job(self, call: Call, prompt_id: str) -> Answer:
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            return Answer.of_json({"id": prompt_id, "status": "parked"})
        task = self._latest(prompt_id)
        if task is None:
            return Answer.of_json({"error": "Job not found"}, 404)
        words = {"queued": "pending", "running": "in_progress", "succeeded": "completed", "cancelled": "cancelled"}
        return Answer.of_json({"id": prompt_id, "status": words.get(task.phase(self.world.now()), "failed")})

    # -- stopping --------------------------------------------------------------------------------------------

    def _stop(self, prompt_id: str, phases: tuple[str, ...]) -> bool:
        task, now = self._latest(prompt_id), self.world.now()
        if task is None or task.phase(now) not in phases:
            return False
        self.world.store.cancel(task, now)
        return True

    def _delete(self, call: Call) -> Answer:
        asked = call.json if isinstance(call.json, dict) else {}
        for prompt_id in asked.get("delete") or []:
            self._stop(str(prompt_id), ("queued",))
        return Answer(200)

    def _interrupt(self, call: Call) -> Answer:
        asked = call.json if isinstance(call.json, dict) else {}
        now = self.world.now()
        # Without an id the job that runs is ended, whoever's it is.
        chosen = asked.get("prompt_id") or next(
            (task.params["prompt_id"] for task in self._open() if task.phase(now) == "running"), ""
        )
        self._stop(str(chosen), ("running",))
        return Answer(200)

    def _cancel_job(self, call: Call, prompt_id: str) -> Answer:
        return Answer.of_json({"cancelled": self._stop(prompt_id, ("queued", "running"))})

    # -- files and facts -------------------------------------------------------------------------------------

    def _upload(self, call: Call) -> Answer:
        parts = call.multipart()
        part = parts.get("image")
        if part is None or not part.data:
            return Answer(400)
        name = _name(part.filename)
        path = self.world.input_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() != part.data:
            stem, _, suffix = name.rpartition(".")
            name = f"{stem} (1).{suffix}"
            path = self.world.input_path(name)
        path.write_bytes(part.data)
        folder = parts["subfolder"].data.decode() if "subfolder" in parts else ""
        return Answer.of_json({"name": name, "subfolder": folder, "type": "input"})

    def _view(self, call: Call) -> Answer:
        file, folder = call.query.get("filename", ""), call.query.get("subfolder", "")
        if ".." in file or file.startswith("/"):
            return Answer(400)
        if ".." in folder or folder.startswith("/"):
            return Answer(403)
        prompt_id = file.removesuffix("_00001_.mp4")
        task = self._latest(prompt_id) or self._by_prefix(f"{folder}/{prompt_id}" if folder else prompt_id)
        plan = self.media(task, 0) if task is not None else None
        return Answer(media=plan, media_type="video/mp4") if plan is not None else self.not_found(call)

    def _by_prefix(self, prefix: str) -> StoredTask | None:
        tasks = self.world.store.newest(self.name, ACCOUNT, limit=2000)
        return next((task for task in tasks if task.params["prefix"] == prefix), None)

    def media(self, task: StoredTask, index: int) -> MediaPlan | None:
        if task.phase(self.world.now()) != "succeeded" or index != 0:
            return None
        params = task.params
        picture = params["picture"]
        clip = Clip(
            model="ComfyUI workflow",
            prompt=params["prompt"],
            width=params["width"] // 2 * 2,
            height=params["height"] // 2 * 2,
            seconds=params["frames"] / params["fps"],
            mark=self.mark_of(task),
            seed=self.seed_of(task),
            fps=params["fps"],
            picture=self.world.input_path(picture) if picture else None,
        )
        return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))

    def _object_info(self, call: Call, node: str = "") -> Answer:
        named = {node} & NODES if node else NODES
        return Answer.of_json({name: {"input": {"required": {}}, "name": name} for name in sorted(named)})

    def _stats(self, call: Call) -> Answer:
        device = {"name": "emulated", "type": "cuda", "vram_total": 24 * 2**30, "vram_free": 20 * 2**30}
        return Answer.of_json({"system": {"comfyui_version": "0.38.0", "os": "posix"}, "devices": [device]})


def _name(value: Any) -> str:
    """The bare file name of an input, safe to look for."""
    name = str(value or "none").rpartition("/")[2]
    return re.sub(r"[^\w.() -]", "_", name).lstrip(".") or "none"


def _node_error(kind: str, details: str) -> dict[str, Any]:
    return {"type": kind, "message": kind.replace("_", " "), "details": details, "extra_info": {}}
