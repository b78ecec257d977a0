"""The circuit breaker of one model at one account."""

from enum import StrEnum

from genengine.core.states import Machine, transition


class CircuitState(StrEnum):
    CLOSED = "closed"  # requests go through
    OPEN = "open"  # none does, until `retry_at`
    HALF_OPEN = "half_open"  # one probe is out


S = CircuitState
CIRCUIT = Machine(
    "circuit",
    CircuitState,
    (
        transition("trip", {S.CLOSED, S.HALF_OPEN}, S.OPEN, "provider.circuit_opened"),
        transition("probe", {S.OPEN}, S.HALF_OPEN, "provider.circuit_probed"),
        transition("heal", {S.HALF_OPEN}, S.CLOSED, "provider.circuit_closed"),
    ),
)
