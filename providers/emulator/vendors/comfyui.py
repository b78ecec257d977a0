"""A ComfyUI server: one job at a time, graph validation, history by id, files by name, a socket. No authentication.

Written from the behaviour of a real server (0.3.64) and the public reference (2026-11). Every address exists with
and without ``/api``. Posting the same id twice runs twice; the later run takes the history entry.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from providers.emulator.faults import Trouble
from providers.emulator.media.still import render_still
from providers.emulator.media.video import Clip, render_clip
from providers.emulator.store import StoredTask
from providers.emulator.vendor import Draft, EventSource, MediaPlan, Route, World, route
from providers.emulator.vendors.comfyui_events import JobEvents, failure_of, node_named
from providers.emulator.vendors.comfyui_graph import PICTURES, Refused, read_graph
from providers.emulator.vendors.comfyui_server import ServerVendor, file_name
from providers.emulator.wire import Answer, Call, LogNote

API = "(?:/api)?"
ACCOUNT = "server"
OPEN = ("queued", "running")
WATCHED = 200
SUFFIXES = {"SaveWEBM": ".webm", "SaveAnimatedWEBP": ".webp", **dict.fromkeys(PICTURES, ".png")}
WORDS = {"queued": "pending", "running": "in_progress", "succeeded": "completed", "cancelled": "cancelled"}


class ComfyUIVendor(ServerVendor):
    """`/prompt`, `/queue`, `/history`, `/interrupt`, `/view`, `/upload/image`, `/object_info`, `/ws`, `/api/jobs`."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._made: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._watched: dict[str, list[str]] = {}
        self._forgotten: set[str] = set()
        for task in reversed(world.store.newest(self.name, ACCOUNT, limit=100_000)):
            self._index(task)

    def routes(self) -> list[Route]:
        return [
            route("POST", f"{API}/prompt", "submit", self._prompt),
            route("GET", f"{API}/prompt", "queue", self._remaining),
            route("GET", f"{API}/queue", "poll", self._queue),
            route("POST", f"{API}/queue", "cancel", self._delete),
            route("POST", f"{API}/interrupt", "cancel", self._interrupt),
            route("GET", f"{API}/history", "history", self._histories),
            route("POST", f"{API}/history", "history", self._forget),
            route("GET", f"{API}/history/{{prompt_id}}", "history", self._history),
            route("GET", "/api/jobs", "job", self._jobs),
            route("POST", "/api/jobs/cancel", "cancel", self._cancel_jobs),
            route("GET", "/api/jobs/{prompt_id}", "job", self._job),
            route("POST", "/api/jobs/{prompt_id}/cancel", "cancel", self._cancel_job),
            route("GET", f"{API}/view", "fetch", self._view),
            route("POST", f"{API}/upload/(?:image|mask)", "upload", self._upload),
            route("GET", f"{API}/object_info/{{node}}", "account", self._object_info),
            route("GET", f"{API}/object_info", "account", self._object_info),
            route("GET", f"{API}/system_stats", "account", self._stats),
            route("GET", f"{API}/features", "account", self._features),
            route("GET", f"{API}/models", "account", self._folders),
            route("GET", f"{API}/models/{{folder}}", "account", self._models),
            route("GET", f"{API}/(?:embeddings|extensions)", "account", lambda call: Answer.of_json([])),
            route("POST", f"{API}/free", "account", lambda call: Answer(200)),
        ]

    def _index(self, task: StoredTask) -> None:
        """Remember where a run's file is and what an equal graph would give again."""
        self._made[task.params["digest"]] = task.id
        if not task.params["cached"]:
            self._files[task.params["file"]] = task.id
            self._counts[task.params["prefix"]] += 1

    # -- running ---------------------------------------------------------------------------------------------

    def _prompt(self, call: Call) -> Answer:
        body = call.json
        if not isinstance(body, dict):
            return self.server_error(500)
        if _is_foreign(call):
            return Answer(403, media_type="text/plain")
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
        params = read_graph(graph, lambda value: self.world.input_path(file_name(value)).exists())
        params |= self._place(params)
        client = str(body.get("client_id") or "")
        now = self.world.now()
        number = self.world.store.open_count(self.name, ACCOUNT, "", now)
        draft = Draft(
            account=ACCOUNT,
            kind="video",
            model="workflow",
            params={**params, "prompt_id": prompt_id, "number": number, **_sampler(graph)},
            cost=Decimal(0),
            currency="USD",
            queue_s=0.5,
            render_s=0 if params["cached"] else 20 * params["frames"] / params["fps"],
            task_id=self._run_id(prompt_id),
            not_before=self.world.store.slot_free_at(self.name, ACCOUNT, "workflow", 1, now),
        )
        task = self.accept(call, draft)
        self._index(task)
        self._watched.setdefault(client, []).append(task.id)
        del self._watched[client][:-WATCHED]
        self._forgotten.discard(prompt_id)
        note = LogNote(True, Decimal(0), "USD", prompt_id, call.headers.get("x-correlation-id", ""))
        self.world.store.mark_logged(self.name, task.id)
        return Answer.of_json({"prompt_id": prompt_id, "number": number, "node_errors": {}}).noting(note)

    def _place(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The file that a graph's result goes to: counted by its prefix, or an equal earlier graph's own."""
        earlier = self.world.store.get(self.name, self._made.get(params["digest"], ""))
        if earlier is not None and earlier.phase(self.world.now()) == "succeeded":
            return {"file": earlier.params["file"], "cached": True, "run": earlier.params["run"]}
        number = self._counts[params["prefix"]] + 1
        suffix = SUFFIXES.get(params["saver"], ".mp4")
        return {"file": f"{params['prefix']}_{number:05}_{suffix}", "cached": False, "run": uuid.uuid4().hex}

    def _run_id(self, prompt_id: str) -> str:
        """The id itself; a second posting of it runs again under a name of its own."""
        runs = 0
        while self.world.store.get(self.name, f"{prompt_id}#{runs}") is not None:
            runs += 1
        return f"{prompt_id}#{runs}"

    # -- looking ---------------------------------------------------------------------------------------------

    def _latest(self, prompt_id: str) -> StoredTask | None:
        found, runs = None, 0
        while (task := self.world.store.get(self.name, f"{prompt_id}#{runs}")) is not None:
            found, runs = task, runs + 1
        return found

    def _open(self) -> list[StoredTask]:
        now = self.world.now()
        tasks = self.world.store.newest(self.name, ACCOUNT, limit=2000)
        return [task for task in reversed(tasks) if task.phase(now) in OPEN]

    def _queue(self, call: Call) -> Answer:
        now = self.world.now()
        lists: dict[str, list[Any]] = {"queue_running": [], "queue_pending": []}
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            return Answer.of_json(lists)
        for task in self._open():
            name = "queue_running" if task.phase(now) == "running" else "queue_pending"
            lists[name].append(_item(task))
        return Answer.of_json(lists)

    def _remaining(self, call: Call) -> Answer:
        return Answer.of_json({"exec_info": {"queue_remaining": len(self._open())}})

    def _history(self, call: Call, prompt_id: str) -> Answer:
        task = self._latest(prompt_id)
        return Answer.of_json({prompt_id: self._entry(task)} if task and self._is_history(task) else {})

    def _is_history(self, task: StoredTask) -> bool:
        """True for what has ended; what was taken out of the queue before it began leaves no trace."""
        phase = task.phase(self.world.now())
        vanished = phase == "cancelled" and (task.cancelled or 0) <= task.starts
        return phase not in OPEN and not vanished and task.params["prompt_id"] not in self._forgotten

    def _histories(self, call: Call) -> Answer:
        """Oldest first; the last ones when only their number is asked for."""
        ended = [task for task in self.world.store.newest(self.name, ACCOUNT, limit=10_000) if self._is_history(task)]
        entries = {task.params["prompt_id"]: self._entry(task) for task in reversed(ended)}
        most, offset = int(call.query.get("max_items") or len(entries)), call.query.get("offset")
        first = max(0, len(entries) - most) if offset is None else int(offset)
        return Answer.of_json(dict(list(entries.items())[first : first + most]))

    def _forget(self, call: Call) -> Answer:
        asked = call.json if isinstance(call.json, dict) else {}
        gone = {str(prompt_id) for prompt_id in asked.get("delete") or []}
        if asked.get("clear"):
            tasks = self.world.store.newest(self.name, ACCOUNT, limit=10_000)
            gone |= {task.params["prompt_id"] for task in tasks if self._is_history(task)}
        self._forgotten |= gone
        return Answer(200)

    def _entry(self, task: StoredTask) -> dict[str, Any]:
        phase = task.phase(self.world.now())
        stamp = {"prompt_id": task.params["prompt_id"], "timestamp": int(task.ends * 1000)}
        cached = task.params["nodes"] if task.params["cached"] else []
        messages: list[Any] = [["execution_start", stamp], ["execution_cached", {"nodes": cached, **stamp}]]
        outputs: dict[str, Any] = {}
        if phase == "succeeded":
            messages.append(["execution_success", stamp])
            outputs = self._outputs(task)
        elif phase == "cancelled":
            messages.append(["execution_interrupted", {**stamp, **node_named(task), "executed": []}])
        else:
            messages.append(["execution_error", {**stamp, **failure_of(task)}])
        word = "success" if phase == "succeeded" else "error"
        status = {"status_str": word, "completed": phase == "succeeded", "messages": messages}
        return {"prompt": _item(task), "outputs": outputs, "status": status, "meta": {}}

    @staticmethod
    def _outputs(task: StoredTask) -> dict[str, Any]:
        """The results by node. VHS_VideoCombine says ``gifs`` even for films; only films say that they are animated."""
        folder, _, file = task.params["file"].rpartition("/")
        saver = task.params["saver"]
        item = {"filename": file, "subfolder": folder, "type": "temp" if saver == "PreviewImage" else "output"}
        if saver == "VHS_VideoCombine":
            output: dict[str, Any] = {"gifs": [{**item, "format": "video/h264-mp4", "frame_rate": task.params["fps"]}]}
        elif saver in PICTURES:
            output = {"images": [item]}
        else:
            output = {"images": [item], "animated": [True]}
        return dict.fromkeys(task.params["kept"], output)

    def events(self, call: Call) -> EventSource | None:
        if call.path not in ("/ws", "/api/ws"):
            return None
        store = self.world.store

        def tasks(client: str) -> list[StoredTask]:
            found = [store.get(self.name, task_id) for task_id in self._watched.get(client, [])]
            return [task for task in found if task is not None]

        def waiting() -> int:
            return store.open_count(self.name, ACCOUNT, "", self.world.now())

        return JobEvents(call.query.get("clientId", ""), self.world.now, tasks, waiting, self._outputs)

    # -- jobs ------------------------------------------------------------------------------------------------

    def _job_view(self, task: StoredTask) -> dict[str, Any]:
        phase = task.phase(self.world.now())
        return {
            "id": task.params["prompt_id"],
            "status": WORDS.get(phase, "failed"),
            "create_time": int(task.created * 1000),
            "execution_start_time": int(task.starts * 1000) if phase != "queued" else None,
            "execution_end_time": int(task.ends * 1000) if phase not in OPEN else None,
            "outputs": self._outputs(task) if phase == "succeeded" else {},
        }

    def _jobs(self, call: Call) -> Answer:
        wanted = set(filter(None, call.query.get("status", "").split(",")))
        limit, offset = int(call.query.get("limit") or 100), int(call.query.get("offset") or 0)
        views = [self._job_view(task) for task in self.world.store.newest(self.name, ACCOUNT, limit=10_000)]
        found = [view for view in views if not wanted or view["status"] in wanted]
        page = {"offset": offset, "limit": limit, "total": len(found), "has_more": offset + limit < len(found)}
        return Answer.of_json({"jobs": found[offset : offset + limit], "pagination": page})

    def _job(self, call: Call, prompt_id: str) -> Answer:
        if call.fault and call.fault.do is Trouble.UNKNOWN_STATE:
            return Answer.of_json({"id": prompt_id, "status": "parked"})
        task = self._latest(prompt_id)
        if task is None:
            return Answer.of_json({"error": "Job not found"}, 404)
        return Answer.of_json(self._job_view(task))

    # -- stopping --------------------------------------------------------------------------------------------

    def _stop(self, prompt_id: str, phases: tuple[str, ...]) -> bool:
        task, now = self._latest(prompt_id), self.world.now()
        if task is None or task.phase(now) not in phases:
            return False
        self.world.store.cancel(task, now)
        return True

    def _delete(self, call: Call) -> Answer:
        asked = call.json if isinstance(call.json, dict) else {}
        named = asked.get("delete") or []
        for prompt_id in [task.params["prompt_id"] for task in self._open()] if asked.get("clear") else named:
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
        return Answer.of_json({"cancelled": self._stop(prompt_id, OPEN)})

    def _cancel_jobs(self, call: Call) -> Answer:
        asked = call.json.get("job_ids") if isinstance(call.json, dict) else None
        if not isinstance(asked, list) or not all(isinstance(item, str) and self._latest(item) for item in asked):
            return Answer.of_json({"error": "job_ids must name known jobs"}, 400)
        stopped = [self._stop(item, OPEN) for item in asked]
        return Answer.of_json({"cancelled": any(stopped)})

    # -- files and facts -------------------------------------------------------------------------------------

    def _view(self, call: Call) -> Answer:
        file, folder = call.query.get("filename", ""), call.query.get("subfolder", "")
        kind = call.query.get("type", "output")
        if not file or ".." in file or file.startswith("/") or kind not in ("output", "input", "temp"):
            return Answer(400)
        if ".." in folder or folder.startswith("/"):
            return Answer(403)
        if kind == "input":
            path = self.world.input_path(file_name(file))
            return Answer(body=path.read_bytes(), media_type="image/png") if path.exists() else self.not_found(call)
        task = self.world.store.get(self.name, self._files.get(f"{folder}/{file}" if folder else file, ""))
        plan = self.media(task, 0) if task is not None else None
        return Answer(media=plan, media_type=plan.media_type) if plan is not None else self.not_found(call)

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
        if params["saver"] in PICTURES:
            return MediaPlan(f"{clip.key()}.png", "image/png", partial(render_still, clip))
        return MediaPlan(f"{clip.key()}.mp4", "video/mp4", partial(render_clip, clip))


def _item(task: StoredTask) -> list[Any]:
    """A job as the queue and the history hold it; the graph itself is not kept."""
    return [task.params["number"], task.params["prompt_id"], {}, {}, task.params["kept"]]


def _sampler(graph: Mapping[str, Any]) -> dict[str, str]:
    """The node that takes the time."""
    found = [(node_id, node["class_type"]) for node_id, node in graph.items() if "Sampler" in node["class_type"]]
    return {"sampler": found[0][0], "sampler_type": found[0][1]} if found else {}


def _is_foreign(call: Call) -> bool:
    """True for a page of another origin that calls a server on this machine."""
    origin, host = call.headers.get("origin", ""), call.headers.get("host", "")
    loopback = host.rpartition(":")[0] in ("127.0.0.1", "localhost")
    return bool(origin) and loopback and urlsplit(origin).netloc != host
