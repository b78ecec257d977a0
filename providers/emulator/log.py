"""The emulator's log: one JSON object a line. ``billed: true`` stands once for each task a vendor charges."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.emulator.wire import Call, LogNote


@dataclass
class CallLog:
    """Appends whole lines with one ``write``, so a killed emulator leaves no half line before a restart's."""

    path: Path | None = None
    echo: bool = False
    _fd: int = field(init=False, default=-1)

    def __post_init__(self) -> None:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, **fields: Any) -> None:
        line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **fields}) + "\n"
        if self._fd >= 0:
            os.write(self._fd, line.encode())
        if self.echo:
            sys.stdout.write(line)
            sys.stdout.flush()

    def call(self, vendor: str, endpoint: str, call: Call, note: LogNote, *, status: int) -> None:
        """One call and what it cost; ``status`` 0 means the connection was dropped."""
        self.write(
            vendor=vendor,
            endpoint=endpoint,
            method=call.method,
            path=call.path,
            status=status,
            digest=call.digest,
            idempotency_key=note.idempotency_key,
            billed=note.billed,
            cost=str(note.cost) if note.cost is not None else None,
            currency=note.currency,
            remote_id=note.remote_id,
            replay=note.replay,
            fault=call.fault.do.value if call.fault else None,
            correlation_id=call.headers.get("x-correlation-id", ""),
        )

    def has_bill(self, remote_id: str) -> bool:
        """True when the file already holds the charge of this task."""
        if self.path is None or not self.path.exists():
            return False
        with self.path.open(encoding="utf-8") as lines:
            return any('"billed": true' in line and remote_id in line for line in lines)
