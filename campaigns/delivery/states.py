"""The machine of exports."""

from enum import StrEnum

from genengine.core.states import Machine, transition


class ExportState(StrEnum):
    REQUESTED = "requested"
    BLOCKED = "blocked"
    BUILDING = "building"
    CHECKING = "checking"
    READY = "ready"
    FAILED = "failed"


E = ExportState
EXPORT = Machine(
    "export",
    ExportState,
    (
        transition("block", {E.REQUESTED}, E.BLOCKED, "export.blocked"),
        transition("clear", {E.BLOCKED}, E.REQUESTED, "export.cleared"),
        transition("build", {E.REQUESTED}, E.BUILDING, "export.building"),
        transition("check", {E.BUILDING}, E.CHECKING, "export.checking"),
        transition("deliver", {E.CHECKING}, E.READY, "export.ready"),
        transition("requeue", {E.BUILDING, E.CHECKING}, E.REQUESTED, "export.requeued"),
        transition("fail", {E.REQUESTED, E.BUILDING, E.CHECKING}, E.FAILED, "export.failed"),
    ),
)
