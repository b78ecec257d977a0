"""What a ComfyUI server tells over its socket: the queue's length, and each step of the jobs of one client.

The order was read on a real server (0.3.64): ``execution_success`` comes before ``executing`` with no node, which
ends a job well or badly.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from providers.emulator.store import StoredTask
from providers.emulator.vendor import EventSource

Frame = tuple[float, str, dict[str, Any]]
MOST_STEPS = 20


class JobEvents(EventSource):
    """The frames of one connection; ``tasks`` gives the jobs of its client, ``waiting`` how many are open in all."""

    def __init__(
        self,
        client_id: str,
        now: Callable[[], float],
        tasks: Callable[[str], Iterable[StoredTask]],
        waiting: Callable[[], int],
        outputs: Callable[[StoredTask], dict[str, Any]],
    ) -> None:
        self.client_id = client_id or uuid.uuid4().hex
        self._now, self._tasks, self._waiting, self._outputs = now, tasks, waiting, outputs
        self._since, self._told = now(), -1

    def news(self) -> list[str]:
        now, since = self._now(), self._since
        self._since = now
        frames = [frame for task in self._tasks(self.client_id) for frame in frames_of(task, self._outputs(task))]
        due = [_text(kind, data) for at, kind, data in frames if since < at <= now]
        count = self._waiting()
        if count == self._told:
            return due
        status: dict[str, Any] = {"status": {"exec_info": {"queue_remaining": count}}}
        if self._told < 0:
            status["sid"] = self.client_id
        self._told = count
        return [_text("status", status), *due]

    def heard(self, text: str) -> list[str]:
        if '"feature_flags"' not in text:
            return []
        return [_text("feature_flags", {"supports_preview_metadata": True, "max_upload_size": 104_857_600})]


def frames_of(task: StoredTask, outputs: dict[str, Any]) -> list[Frame]:
    """All frames of a job with their times, up to the moment it was interrupted."""
    job = {"prompt_id": task.params["prompt_id"]}
    stamp = {**job, "timestamp": int(task.starts * 1000)}
    frames: list[Frame] = [(task.starts, "execution_start", stamp)]
    nodes = task.params["nodes"]
    cached = nodes if task.params.get("cached") else []
    frames.append((task.starts, "execution_cached", {"nodes": cached, **job, "timestamp": stamp["timestamp"]}))
    if not cached:
        frames += _running(task, job)
    over = {**job, "timestamp": int(task.ends * 1000)}
    if task.outcome == "succeeded":
        for node, output in outputs.items():
            frames.append((task.ends, "executed", {"node": node, "display_node": node, "output": output, **job}))
        frames.append((task.ends, "execution_success", over))
    else:
        frames.append((task.ends, "execution_error", {**over, **failure_of(task), "executed": []}))
    frames.append((task.ends, "executing", {"node": None, **job}))
    if task.cancelled is None:
        return frames
    if task.cancelled <= task.starts:
        return []
    stopped = {**job, **node_named(task), "executed": []}
    end = [(task.cancelled, "execution_interrupted", stopped), (task.cancelled, "executing", {"node": None, **job})]
    return [frame for frame in frames if frame[0] < task.cancelled] + end


def _running(task: StoredTask, job: dict[str, Any]) -> list[Frame]:
    """The nodes one after another; the sampler takes nearly all of the time and counts its steps."""
    nodes, length, sampler = task.params["nodes"], task.ends - task.starts, node_named(task)["node_id"]
    turn, steps = nodes.index(sampler), min(task.params["steps"], MOST_STEPS)
    frames: list[Frame] = []
    for index, node in enumerate(nodes):
        share = 0.05 * index / len(nodes) + (0.9 if index > turn else 0.0)
        at = task.starts + length * share
        frames.append((at, "executing", {"node": node, "display_node": node, **job}))
        for step in range(1, steps + 1 if node == sampler else 1):
            then = at + length * 0.9 * step / (steps + 1)
            state = {"value": step, "max": steps, "state": "running", "node_id": node, **job, "display_node_id": node}
            frames.append((then, "progress_state", {**job, "nodes": {node: state}}))
            frames.append((then, "progress", {"value": step, "max": steps, **job, "node": node}))
    return frames


def node_named(task: StoredTask) -> dict[str, str]:
    """The node at which a job is stopped or fails: its sampler, else its last node."""
    sampler = task.params.get("sampler") or task.params["nodes"][-1]
    return {"node_id": sampler, "node_type": task.params.get("sampler_type") or "KSampler"}


def failure_of(task: StoredTask) -> dict[str, Any]:
    """What a node's exception looks like."""
    return {
        **node_named(task),
        "exception_type": "torch.OutOfMemoryError",
        "exception_message": "Allocation on device",
        "traceback": ['  File "/srv/comfy/execution.py", line 1'],
    }


def _text(kind: str, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "data": data})
