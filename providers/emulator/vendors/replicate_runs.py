"""How a Replicate run is asked for and told of: waiting for it, its deadline, its callbacks, its state."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from providers.emulator.store import StoredTask
from providers.emulator.vendors.replicate_models import Refused

MOMENTS = ("start", "output", "logs", "completed")
LONGEST_WAIT_S = 60.0
NO_VERSION = "The specified version does not exist (or perhaps you don't have permission to use it?)"
UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def patience_of(prefer: str) -> float:
    """Seconds that ``Prefer: wait`` or ``Prefer: wait=n`` lets a create take; 0 without it."""
    match = re.search(r"\bwait(?:=(\d+))?", prefer)
    if match is None:
        return 0.0
    asked = float(match[1] or LONGEST_WAIT_S)
    if not 1 <= asked <= LONGEST_WAIT_S:
        raise Refused(400, "Prefer: wait must be between 1 and 60 seconds")
    return asked


def deadline_of(cancel_after: str) -> float | None:
    """Seconds of ``Cancel-After: 90s|5m|1h``, counted from the creation."""
    if not cancel_after:
        return None
    match = re.fullmatch(r"(\d+)([smh]?)", cancel_after.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if seconds < 5:
        raise Refused(422, "Cancel-After must be a duration of at least 5 seconds")
    return seconds


def asked_moments(body: Mapping[str, Any]) -> list[str]:
    """The events that are called back; all of them when no filter is given."""
    asked = body.get("webhook_events_filter") or MOMENTS
    odd = next((item for item in asked if item not in MOMENTS), None)
    if odd is not None:
        raise Refused(422, f"- webhook_events_filter: {odd} is not one of {list(MOMENTS)}\n")
    webhook = str(body.get("webhook") or "")
    if webhook and not re.match("https?://", webhook):
        raise Refused(422, "- webhook: must be a URL\n")
    return list(asked)


def moment_of(text: str) -> float | None:
    """An ISO moment of a list's filter."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError as error:
        raise Refused(400, "created_after and created_before are ISO 8601 moments") from error


def status_of(task: StoredTask, now: float) -> str:
    """The state's word; a run whose deadline came before its start is ``aborted``."""
    phase = task.phase(now)
    if phase == "cancelled" and task.params["deadline"] is not None and (task.cancelled or 0) < task.starts:
        return "aborted"
    words = {"queued": "starting", "running": "processing", "succeeded": "succeeded", "cancelled": "canceled"}
    return words.get(phase, "failed")


def events_of(view: Mapping[str, Any]) -> bytes:
    """What a stream says of a run: nothing until it is over, then its output and how it ended."""
    status, output = view["status"], view["output"]
    if status in ("starting", "processing"):
        return b""
    pieces = output if isinstance(output, list) else [output] if output is not None else []
    events = [("output", piece if isinstance(piece, str) else json.dumps(piece)) for piece in pieces]
    reason = {"succeeded": {}, "failed": {"reason": "error"}}.get(status, {"reason": "canceled"})
    if status == "failed":
        events.append(("error", json.dumps({"detail": view["error"]})))
    events.append(("done", json.dumps(reason)))
    return "".join(f"event: {name}\nid: {at}:0\ndata: {text}\n\n" for at, (name, text) in enumerate(events)).encode()
