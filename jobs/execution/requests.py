"""Turn an attempt's stored request into what an adapter takes, with its input files in a folder."""

from pathlib import Path
from typing import Any

from genengine.assets.models import Blob
from genengine.assets.services import blob_to_path
from jobs.execution.models import Attempt
from jobs.execution.services.dispatching import input_role
from providers.values import GenerationRequest, InputAsset, RemoteTask, Task


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


def remote_task(attempt: Attempt) -> RemoteTask:
    """Return the handle that the vendor gave, with what else polling needs."""
    return RemoteTask(attempt.remote_id, Task(attempt.request["task"]), attempt.model, attempt.details)


def _input(attempt: Attempt, item: dict[str, str], folder: Path) -> InputAsset:
    blob = Blob.objects.get(pk=item["blob"], workspace_id=attempt.workspace_id)
    return InputAsset(input_role(item["role"]), blob_to_path(blob, folder), blob.media_type, blob.sha256)
