"""The product as it runs, in a folder of its own: `manage.py up` with the emulator behind it and faults in force."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 180
FAULTS = [  # about one call in twenty goes wrong, each in its own way
    {"vendor": "*", "endpoint": "submit", "rate": 0.02, "do": "status", "status": 503},
    {"vendor": "*", "endpoint": "submit", "rate": 0.01, "do": "lost_response"},
    {"vendor": "*", "endpoint": "submit", "rate": 0.02, "do": "fail_at_end"},
    {"vendor": "*", "endpoint": "poll", "rate": 0.05, "do": "status", "status": 503},
    {"vendor": "*", "endpoint": "fetch", "rate": 0.05, "do": "truncated_file"},
]
SETTINGS = {
    "GE_MASTER_SCALE": "0.25",  # smaller, and words would no longer fit
    "GE_EMULATOR_SPEED": "60",
    "GE_EMULATOR_PICTURE_SCALE": "0.1",
    "GE_MODELS": "0",  # where a subject stands in a test card does not matter here
    "GE_SIMULATED_POLL_INTERVAL_S": "0.5",
    "GE_PROVIDER_PARALLEL": "40",
}


def free_port() -> int:
    """A TCP port that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    folder: Path, *, settings: Mapping[str, str] = SETTINGS, faults: Sequence[Mapping[str, Any]] = FAULTS
) -> Iterator[Path]:
    """Run the stack below `folder`; this process gets its environment. Yields the emulator's log."""
    web, emulator = free_port(), free_port()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "genengine.settings.local",
        "GE_STATE_DIR": str(folder / "state"),
        "GE_STOP_SECONDS": "3",
        "EMULATOR_URL": f"http://127.0.0.1:{emulator}",
        **settings,
    }
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up", "--port", str(web), "--no-demo"],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_for(f"http://127.0.0.1:{web}/readyz", process)
            _script_faults(f"http://127.0.0.1:{emulator}/_control/faults", faults)
            yield folder / "state" / "emulator" / "requests.jsonl"
        finally:
            _stop(process)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    pause, deadline = threading.Event(), time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        pause.wait(0.5)
    raise SystemExit("the stack did not start; run `manage.py up` by hand to see why")


def _script_faults(address: str, faults: Sequence[Mapping[str, Any]]) -> None:
    body = json.dumps({"faults": list(faults)}).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data=body, method="POST"), timeout=30) as answer:
        answer.read()


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(30)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
