"""ComfyUI: open video models on a server of one's own, driven by API-format workflow templates.

Reference: https://docs.comfy.org. The server has no authentication: it belongs on a private network, and an
operator must have allowed its address. It is polled by queue and history; its socket is not used.
"""

from __future__ import annotations

import copy
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from providers.base import RemoteAdapter
from providers.errors import (
    ErrorKind,
    Exchange,
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    Transient,
    Unsupported,
)
from providers.http import CallKind, Reply
from providers.pictures import PictureLimits, prepare_picture
from providers.shapes import as_dict, has_word, objects
from providers.values import (
    Accepted,
    AccountReport,
    CancelOutcome,
    CancelResult,
    Facts,
    Feature,
    Free,
    GenerationRequest,
    InputAsset,
    InputRole,
    ModelCard,
    Output,
    RemoteState,
    RemoteTask,
    SecondsRange,
    StagedInput,
    StagedInputs,
    Task,
    TaskFailure,
    TaskReport,
)

PICTURE = PictureLimits(max_bytes=40_000_000, min_side=64, max_side=4096)
CLIENT_ID = "generation-engine"
VIDEO_SUFFIXES = (".mp4", ".webm", ".mkv", ".mov")
TEMPLATES = {"comfyui/wan2.2-5b": "wan2.2-5b.json"}


@dataclass(frozen=True)
class Template:
    """A workflow in API format and the places where a request's values go."""

    graph: Mapping[str, Any]
    places: Mapping[str, tuple[str, str]]
    without_picture: Mapping[str, Any]
    output: str
    fps: int
    frame_step: int
    sizes: Mapping[str, tuple[int, int]]

    def frames(self, seconds: float) -> int:
        """Wan and its kin make ``step × n + 1`` frames."""
        return self.frame_step * round(seconds * self.fps / self.frame_step) + 1


@cache
def template_of(model: str) -> Template:
    """The shipped template of a model."""
    source = resources.files("providers.adapters") / "comfyui_workflows" / TEMPLATES[model]
    values = json.loads(source.read_text(encoding="utf-8"))
    values["places"] = {name: (node, field) for name, (node, field) in values["places"].items()}
    values["sizes"] = {ratio: (width, height) for ratio, (width, height) in values["sizes"].items()}
    return Template(**values)


class ComfyUIAdapter(RemoteAdapter):
    """``POST /api/prompt`` under an id of our own, then ``/api/queue`` and ``/api/history`` by it."""

    name = "comfyui"
    label = "ComfyUI"
    docs_url = "https://docs.comfy.org"
    live_url = ""
    credential_fields = ("header_name", "header_value")
    needs_credentials = False
    is_self_hosted = True
    unknown_window = timedelta(minutes=2)
    poll_interval = timedelta(seconds=2)
    can_find_by_key = True
    models = (
        ModelCard(
            id="comfyui/wan2.2-5b",
            version="wan2.2_ti2v_5B_fp16",
            label="Wan 2.2 5B on ComfyUI",
            tasks=frozenset({Task.TEXT_TO_VIDEO, Task.IMAGE_TO_VIDEO}),
            durations=SecondsRange(1, 5, 0.5),
            ratios=("16:9", "9:16", "1:1"),
            resolutions=("720p",),
            supports=frozenset({Feature.SEED, Feature.NEGATIVE_PROMPT, Feature.CANCEL, Feature.FIND_BY_KEY}),
            input_roles=frozenset({InputRole.FIRST_FRAME}),
            max_prompt_chars=4_000,
            price=Free(),
            speed_s_per_s=60.0,
            quality=6,
            facts=Facts.SDK,
            prices_as_of=date(2026, 11, 21),
            notes="Costs the time of your own GPU.",
        ),
    )

    def secrets(self) -> tuple[str, ...]:
        value = self.credentials.get("header_value", "")
        return (value,) if value else ()

    def auth_headers(self) -> Mapping[str, str]:
        """A header for the proxy in front of the server, if there is one."""
        name = self.credentials.get("header_name", "")
        return {name: self.credentials.get("header_value", "")} if name else {}

    def check_credentials(self) -> AccountReport:
        """Ask what the server is and whether it has the nodes of our templates."""
        body, _ = self.call_json(CallKind.READ, "GET", "/api/system_stats")
        version = str(as_dict(body.get("system")).get("comfyui_version") or "unknown")
        for model in TEMPLATES:
            for node in sorted({part["class_type"] for part in template_of(model).graph.values()}):
                known, _ = self.call_json(CallKind.READ, "GET", f"/api/object_info/{node}")
                if node not in known:
                    raise InvalidRequest(f"This ComfyUI ({version}) has no node {node}; update it or install its pack.")
        return AccountReport(True, f"ComfyUI {version} has every node that is needed.", raw=body)

    # -- the run ---------------------------------------------------------------------------------------------

    def stage_inputs(self, inputs: tuple[InputAsset, ...], *, ratio: str = "") -> StagedInputs:
        """Pictures are uploaded under the hash of their bytes, so that no job reads another's."""
        staged = []
        for item in inputs:
            if item.role is not InputRole.FIRST_FRAME:
                raise Unsupported(f"This workflow takes a first frame, not {item.role.value} files.")
            picture = prepare_picture(item.path, PICTURE, ratio=ratio)
            name = f"{hashlib.sha256(picture.data).hexdigest()[:32]}.jpg"
            body, reply = self.call_json(
                CallKind.WRITE,
                "POST",
                "/api/upload/image",
                data={"type": "input", "subfolder": "generation-engine"},
                files={"image": (name, picture.data, picture.media_type)},
            )
            if not body.get("name"):
                raise Transient("ComfyUI took the file without naming it; try again.", exchange=reply.exchange)
            kept = "/".join(part for part in (str(body.get("subfolder") or ""), str(body["name"])) if part)
            staged.append(StagedInput(item.role, kept, picture.media_type))
        return StagedInputs(tuple(staged))

    def submit(
        self,
        request: GenerationRequest,
        staged: StagedInputs,
        *,
        idempotency_key: str,
        callback_url: str = "",
        sink: Path | None = None,
    ) -> Accepted:
        prompt_id = prompt_id_of(idempotency_key)
        body = {
            "prompt": build_graph(self.card(request.model), request, staged, prompt_id),
            "prompt_id": prompt_id,
            "client_id": CLIENT_ID,
        }
        answer, reply = self.call_json(CallKind.SUBMIT, "POST", "/api/prompt", body=body)
        named = str(answer.get("prompt_id") or "")
        if not named:
            raise OutcomeUnknown("ComfyUI accepted the call without naming it.", exchange=reply.exchange)
        task = RemoteTask(named, request.task, request.model)
        if answer.get("node_errors"):
            # The server drops the faulty output and runs the rest: of no use, so it is taken back.
            self.cancel(task)
            raise InvalidRequest("ComfyUI cannot run part of this workflow.", "node_errors", exchange=reply.exchange)
        return Accepted(named, answer, {}, reply.exchange)

    def poll(self, task: RemoteTask) -> TaskReport:
        """Queue first, history second: a job that ends in between is seen in the second."""
        queue, reply = self.call_json(CallKind.READ, "GET", "/api/queue")
        if "queue_running" not in queue:
            raise Transient("ComfyUI did not answer with its queue; try again.", exchange=reply.exchange)
        for name, state in (("queue_running", RemoteState.RUNNING), ("queue_pending", RemoteState.QUEUED)):
            if task.remote_id in _ids(queue.get(name)):
                return TaskReport(task.remote_id, state, {}, name, exchange=reply.exchange)
        history, reply = self.call_json(CallKind.READ, "GET", f"/api/history/{task.remote_id}")
        entry = as_dict(history.get(task.remote_id))
        return self._ended(task, entry, reply.exchange) if entry else self._absent(task)

    def _ended(self, task: RemoteTask, entry: Mapping[str, Any], exchange: Exchange) -> TaskReport:
        status = as_dict(entry.get("status"))
        word, events = str(status.get("status_str") or ""), _events(status)
        state, error = RemoteState.UNKNOWN, None
        outputs = _outputs(entry, self.base_url) if word == "success" else ()
        if outputs:
            state = RemoteState.SUCCEEDED
        elif word == "success":
            words = "The workflow ended without a video file; check its last node."
            state, error = RemoteState.FAILED, TaskFailure(ErrorKind.INVALID_REQUEST, "no_output", words)
        elif word == "error" and "execution_interrupted" in events:
            state = RemoteState.CANCELLED
        elif word == "error":
            state, error = RemoteState.FAILED, _failure(events.get("execution_error", {}))
        kept = {"status": word, "outputs": as_dict(entry.get("outputs"))}
        return TaskReport(task.remote_id, state, kept, word, outputs=outputs, error=error, exchange=exchange)

    def _absent(self, task: RemoteTask) -> TaskReport:
        """In neither list: cancelled while waiting, or lost by a restart. Newer servers can tell."""
        reply = self.client.call(CallKind.READ, "GET", f"/api/jobs/{task.remote_id}", headers=dict(self.auth_headers()))
        word = str(reply.data.get("status") or "absent") if reply.ok else "absent"
        state = RemoteState.CANCELLED if word in ("cancelled", "canceled") else RemoteState.UNKNOWN
        return TaskReport(task.remote_id, state, {}, word, exchange=reply.exchange)

    def find_by_key(self, idempotency_key: str, *, request: GenerationRequest | None = None) -> RemoteTask | None:
        model = request.model if request else next(iter(TEMPLATES))
        task = RemoteTask(prompt_id_of(idempotency_key), request.task if request else Task.TEXT_TO_VIDEO, model)
        report = self.poll(task)
        return None if report.state is RemoteState.UNKNOWN and report.vendor_state == "absent" else task

    def cancel(self, task: RemoteTask) -> CancelOutcome:
        """By job where the server knows jobs; else out of the queue, then by interrupt **with the id**.

        An interrupt without an id would end whatever runs, which may be somebody else's.
        """
        if self.poll(task).state.is_final:
            return CancelOutcome(CancelResult.TOO_LATE, "ComfyUI had already finished the job.", False)
        headers = dict(self.auth_headers())
        reply = self.client.call(CallKind.WRITE, "POST", f"/api/jobs/{task.remote_id}/cancel", headers=headers)
        if reply.ok and reply.data.get("cancelled"):
            return CancelOutcome(CancelResult.CANCELLED, "ComfyUI cancelled the job.", False)
        if reply.status in (404, 405):
            self.call(CallKind.WRITE, "POST", "/api/queue", body={"delete": [task.remote_id]})
            self.call(CallKind.WRITE, "POST", "/api/interrupt", body={"prompt_id": task.remote_id})
        return CancelOutcome(CancelResult.REQUESTED, "ComfyUI was asked to stop; it does at its next step.", False)

    def error_from(self, reply: Reply, kind: CallKind) -> ProviderError | None:
        given = reply.data.get("error")
        if not given:
            return None
        error = as_dict(given)
        code, words = str(error.get("type") or reply.status), str(error.get("message") or given)
        nodes = as_dict(reply.data.get("node_errors"))
        detail = "; ".join(_node_words(node) for node in nodes.values())[:300]
        if reply.status < 500:
            return InvalidRequest(f"ComfyUI cannot run this workflow: {words} {detail}".strip(), code, words)
        return None


def prompt_id_of(key: str) -> str:
    """Our key as the canonical UUID that servers demand. It finds the job again; it does not stop a second run."""
    return str(uuid.UUID(bytes=hashlib.sha256(key.encode()).digest()[:16], version=4))


def build_graph(card: ModelCard, request: GenerationRequest, staged: StagedInputs, prefix: str) -> dict[str, Any]:
    """The template filled with one request."""
    if request.options:
        raise Unsupported(f"This workflow knows no option {', '.join(sorted(request.options))}; remove it.")
    template = template_of(card.id)
    size = template.sizes.get(request.ratio)
    if size is None:
        raise InvalidRequest(f"{card.label} does not make {request.ratio}; snap the request to its card first.")
    picture = staged.get(InputRole.FIRST_FRAME)
    if request.task is Task.IMAGE_TO_VIDEO and picture is None:
        raise InvalidRequest("Image to video needs a first frame; add a picture or use text to video.")
    graph = copy.deepcopy(dict(template.graph))
    values: dict[str, Any] = {
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "width": size[0],
        "height": size[1],
        "length": template.frames(request.duration_s),
        "seed": (request.seed or 0) % 2**53,
        "prefix": f"video/{prefix}",
    }
    if picture is not None:
        values["picture"] = picture.value
    else:
        for node in template.without_picture["remove"]:
            del graph[node]
        for node, field in template.without_picture["unlink"]:
            del graph[node]["inputs"][field]
    for name, value in values.items():
        node, field = template.places[name]
        graph[node]["inputs"][field] = value
    return graph


def _ids(queue: Any) -> set[str]:
    """The ids in a queue of ``[number, id, graph, …]`` items."""
    items = queue if isinstance(queue, list) else []
    return {str(item[1]) for item in items if isinstance(item, list) and len(item) > 1}


def _events(status: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The last message of each kind."""
    messages = status.get("messages")
    pairs = messages if isinstance(messages, list) else []
    return {str(pair[0]): as_dict(pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2}


def _outputs(entry: Mapping[str, Any], base_url: str) -> tuple[Output, ...]:
    """Every finished video: packs name their lists differently (``images``, ``gifs``, ``videos``)."""
    found = []
    for node in as_dict(entry.get("outputs")).values():
        for name in as_dict(node):
            for item in objects(node, name):
                file = str(item.get("filename") or "")
                if item.get("type") == "output" and file.lower().endswith(VIDEO_SUFFIXES):
                    query = {"filename": file, "subfolder": str(item.get("subfolder") or ""), "type": "output"}
                    found.append(Output("video", f"{base_url}/api/view?{urlencode(query)}", needs_auth=True))
    return tuple(found)


def _failure(told: Mapping[str, Any]) -> TaskFailure:
    """Only a lack of memory is worth another try; the traceback holds paths of the server and is not kept."""
    kind, words = str(told.get("exception_type") or ""), str(told.get("exception_message") or "no reason given")
    memory = has_word(f"{kind} {words}", ("outofmemory", "out of memory"))
    return TaskFailure(ErrorKind.TRANSIENT if memory else ErrorKind.INVALID_REQUEST, kind, words[:300])


def _node_words(node: Any) -> str:
    return "; ".join(f"{item.get('message')} ({item.get('details')})" for item in objects(as_dict(node), "errors"))
