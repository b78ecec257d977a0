"""What blocks an export, each point with its fix."""

from collections.abc import Iterable

from campaigns.review.queries import standing_approvals
from jobs.execution.models import Master
from jobs.execution.states import MasterState


def open_points(masters: Iterable[Master]) -> list[dict[str, str]]:
    """Return the open points of the chosen masters; an empty list means that the export may be built."""
    chosen = list(masters)
    approved = standing_approvals(chosen)
    points = []
    for master in chosen:
        name = f"{master.branch.name}, {master.ratio} {master.locale}"
        if master.state != MasterState.READY:
            points.append(
                _point("not_ready", master, f"{name} is not finished.", "Wait until it is done, or rerun it.")
            )
        elif master.is_stand_in:
            message = f"{name} could not be composed; what is there only stands in."
            points.append(_point("fallback", master, message, "Rerun a scene: the variant is composed again."))
        elif master.has_fallback:
            message = f"{name} holds a stand-in of the local engine."
            points.append(_point("fallback", master, message, "Rerun that scene or select another take."))
        elif master.partial:
            points.append(_point("partial", master, f"{name} lacks a scene.", "Rerun the missing scene."))
        elif master.pk not in approved:
            message = f"{name} is not approved in this version."
            points.append(_point("not_approved", master, message, "Ask an Approver to approve it on the review page."))
    return points


def _point(code: str, master: Master, message: str, fix: str) -> dict[str, str]:
    return {"code": code, "subject": str(master.pk), "message": message, "fix": fix}
