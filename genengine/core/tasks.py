"""Tasks of the ground: the canary that shows that a cluster still takes work."""

import os
import socket

from genengine.core.clock import now
from genengine.core.pulse import beat


def canary(cluster: str) -> None:
    """Run by a worker of `cluster`; the pulse it leaves is what the guard and /readyz look for."""
    beat(role=f"worker-{cluster}", host=socket.gethostname(), pid=os.getpid(), now=now())
