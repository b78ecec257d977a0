"""What a clip asks of its model: as stored values, as a digest, and as what an adapter takes, with its input files."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings

from genengine.assets.models import Asset, Blob
from genengine.assets.services import blob_to_path
from jobs.execution.models import Attempt
from jobs.plan import ClipInput, ClipPlan
from providers.catalogue import get_card
from providers.values import (
    GenerationRequest,
    InputAsset,
    InputRole,
    RemoteTask,
    Task,
    resolution_lines,
    snap_request,
)

LEAST_LINES = 180


def request_values(planned: ClipPlan, files: Mapping[str, Asset] | None = None) -> dict[str, Any]:
    """Return the exact request as values, fitted to its model's limits; inputs are named by content, so that a
    rerun is the same request. `files` are assets that were read already, by id."""
    inputs = [_input_values(i, files or {}) for i in planned.inputs]
    fitted, notes = snap_request(get_card(planned.model), _request(planned, inputs))
    return {
        "task": fitted.task.value,
        "model": fitted.model,
        "prompt": fitted.prompt,
        "negative_prompt": fitted.negative_prompt,
        "duration_s": fitted.duration_s,
        "ratio": fitted.ratio,
        "resolution": fitted.resolution,
        "seed": fitted.seed,
        "inputs": inputs,
        "options": dict(fitted.options),
        "notes": list(notes),
    }


def digest(request: dict[str, Any]) -> str:
    """Return the SHA-256 of a request's canonical JSON."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def content_digest(request: dict[str, Any]) -> str:
    """Return the SHA-256 of what the model sees, its pinned version included: which asset a file was does not count."""
    seen = {name: value for name, value in request.items() if name not in ("inputs", "notes", "reuses")}
    files = [[i["role"], i["media_type"], i["sha256"]] for i in request["inputs"]]
    return digest(seen | {"inputs": files, "version": get_card(request["model"]).version})


def input_role(role: str) -> InputRole:
    """Return a plan's word for an input as the adapters' word."""
    return InputRole.VIDEO if role == "source_clip" else InputRole(role)


def build_request(attempt: Attempt, folder: Path) -> GenerationRequest:
    """Return the attempt's exact request; input blobs are brought into `folder` and their hashes checked."""
    values: dict[str, Any] = attempt.request
    return GenerationRequest(
        task=Task(values["task"]),
        model=values["model"],
        prompt=values["prompt"],
        negative_prompt=values["negative_prompt"],
        duration_s=values["duration_s"],
        ratio=values["ratio"],
        resolution=values["resolution"],
        seed=values["seed"],
        inputs=tuple(_input(attempt, item, folder) for item in values["inputs"]),
        options=values.get("options", {}),
    )


def scaled(request: GenerationRequest) -> GenerationRequest:
    """Return the request of a clip that is made here, as small against what was asked as the masters it goes into."""
    if settings.GE_MASTER_SCALE >= 1:
        return request
    asked = resolution_lines(request.resolution or "720p")
    lines = min(asked, max(LEAST_LINES, round(asked * settings.GE_MASTER_SCALE / 2) * 2))
    return replace(request, resolution=f"{lines}p")


def remote_task(attempt: Attempt) -> RemoteTask:
    """Return the handle that the vendor gave, with what else polling needs."""
    return RemoteTask(attempt.remote_id, Task(attempt.request["task"]), attempt.model, attempt.details)


def _request(planned: ClipPlan, inputs: list[dict[str, str]]) -> GenerationRequest:
    return GenerationRequest(
        task=Task(planned.task),
        model=planned.model,
        prompt=planned.prompt,
        negative_prompt=planned.negative_prompt,
        duration_s=planned.duration_ms / 1000,
        ratio=planned.native_ratio,
        resolution=planned.resolution,
        seed=planned.seed,
        inputs=tuple(InputAsset(input_role(i["role"]), Path(), i["media_type"], i["sha256"]) for i in inputs),
        options=planned.options,
    )


def _input_values(used: ClipInput, files: Mapping[str, Asset]) -> dict[str, str]:
    asset = files.get(used.asset_id) or Asset.objects.select_related("working").get(pk=used.asset_id)
    return {
        "asset": used.asset_id,
        "role": used.role,
        "blob": str(asset.working_id),
        "sha256": asset.working.sha256,
        "media_type": asset.working.media_type,
    }


def _input(attempt: Attempt, item: dict[str, str], folder: Path) -> InputAsset:
    blob = Blob.objects.get(pk=item["blob"], workspace_id=attempt.workspace_id)
    return InputAsset(input_role(item["role"]), blob_to_path(blob, folder), blob.media_type, blob.sha256)
