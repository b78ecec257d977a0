"""Bring a result that is here already, in place of making it again."""

from pathlib import Path

from genengine.assets.services import blob_to_path
from jobs.execution.making import TakeUnusable, check_take
from jobs.execution.models import Attempt, Take
from jobs.execution.services.collecting import TakeFacts


def bring_take(attempt: Attempt, folder: Path) -> TakeFacts:
    """Bring the bytes of the earlier take that stands for this clip, and check them like any result."""
    take = Take.objects.of(attempt.workspace_id).select_related("blob").filter(pk=attempt.reuses["take"]).first()
    if take is None:
        raise TakeUnusable("it is not here any more")
    return check_take(attempt, blob_to_path(take.blob, folder), folder)
