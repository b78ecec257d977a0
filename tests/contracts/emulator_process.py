"""The emulator as a real process, started, scripted, read, killed and started again by tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

REPOSITORY = Path(__file__).resolve().parents[2]
# Films of the asked shape and length, a quarter of the asked size: drawing them takes most of an emulator's time.
QUARTER = ("--picture-scale", "0.25")


@dataclass
class EmulatorProcess:
    """``manage.py emulator`` on a free port with its log in ``folder``."""

    folder: Path
    speed: float = 120.0
    port: int = 0
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def log_path(self) -> Path:
        return self.folder / "emulator.jsonl"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> EmulatorProcess:
        """Start and wait for the ready line; a second start takes the same port again."""
        argv = [sys.executable, "manage.py", "emulator", "--port", str(self.port), "--speed", str(self.speed)]
        self.process = subprocess.Popen(
            [*argv, "--log", str(self.log_path), *self.arguments],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "GE_STATE_DIR": str(self.folder / "state"),
                "DATABASE_URL": "postgres://nobody@nowhere/x",
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("emulator ready on port"), line
        self.port = int(line.rsplit(" ", 1)[1])
        return self

    def kill(self) -> None:
        """SIGKILL: nothing is tidied up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def script(self, *faults: dict[str, Any]) -> None:
        """Put these faults in force and nothing else."""
        answer = requests.post(f"{self.url}/_control/faults", json={"faults": list(faults)}, timeout=10)
        assert answer.status_code == 200, answer.text

    def fired(self) -> int:
        answer = requests.get(f"{self.url}/_control/faults", timeout=10)
        return sum(rule["fired"] for rule in answer.json()["faults"])

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]

    def bills(self, key: str) -> list[dict[str, Any]]:
        """The charges of tasks submitted under this key, or under this correlation id where a vendor takes no key."""
        return [
            line
            for line in self.lines()
            if line.get("billed") and key in (line.get("idempotency_key"), line.get("correlation_id"))
        ]
