"""Takes, made as workers and the pump make them, without a vendor."""

import uuid
from datetime import timedelta
from pathlib import Path

from genengine.assets.services import store_blob
from genengine.core import clock
from jobs.execution.models import Attempt, Take
from jobs.execution.services import settling, submitting
from jobs.execution.services.collecting import TakeFacts, collect_take


def deliver(attempt: Attempt, video: Path) -> Take:
    """What worker and pump do when a vendor makes the clip."""
    now, owner = clock.now(), uuid.uuid4().hex
    assert submitting.claim_submit(attempt_id=attempt.pk, now=now)
    settling.accept_attempt(
        attempt_id=attempt.pk, remote_id=f"r-{attempt.pk}", details={}, poll_after=timedelta(seconds=5), now=now
    )
    settling.succeed_attempt(
        attempt_id=attempt.pk, cost_micro=attempt.price_micro, vendor_amount=None, vendor_currency="", now=now
    )
    Attempt.objects.filter(pk=attempt.pk).update(lease_owner=owner)
    blob = store_blob(workspace=attempt.workspace, media_type="video/mp4", path=video)
    facts = TakeFacts(blob, None, 720, 1280, "30/1", 5000, None)
    return collect_take(attempt_id=attempt.pk, owner=owner, facts=facts, now=now)
