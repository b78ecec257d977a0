"""Process pulses: every long-running role writes a row, so that readiness and the supervisor can ask who is alive."""

from datetime import datetime, timedelta

from genengine.core.models import Pulse


def beat(*, role: str, host: str, pid: int, now: datetime) -> None:
    """Record that `role` on `host` is alive at `now`."""
    Pulse.objects.update_or_create(role=role, host=host, defaults={"at": now, "pid": pid})


def alive(*, role: str, now: datetime, within: timedelta = timedelta(seconds=15)) -> bool:
    """Say whether any host beat for `role` lately."""
    return Pulse.objects.filter(role=role, at__gte=now - within).exists()
