"""One terminal, many processes: each line with the name of who said it; the raw lines go to files as well."""

import json
import logging
import logging.handlers
import sys
import threading
from pathlib import Path
from typing import IO, TextIO

LOG_BYTES = 10_000_000
LOG_FILES = 3
NAME_WIDTH = 15
COLOURS = (36, 32, 35, 33, 34, 96, 92, 95)
HIDDEN_KEYS = frozenset({"event", "level", "timestamp", "logger", "correlation_id"})


class Output:
    """Writes whole lines; safe for several threads."""

    def __init__(self, log_dir: Path, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty()
        self._lock = threading.Lock()
        self._log_dir = log_dir
        self._colours: dict[str, int] = {}
        log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    def say(self, line: str) -> None:
        """A line of the supervisor itself."""
        self._write("up", line)

    def announce(self, line: str) -> None:
        """A line that must not be missed."""
        with self._lock:
            text = f"\033[1m{line}\033[0m" if self._coloured else line
            print(text, file=self._stream, flush=True)

    def follow(self, name: str, pipe: IO[bytes]) -> None:
        """Copy everything that comes out of `pipe` until it closes, in a thread of its own."""
        threading.Thread(target=self._copy, args=(name, pipe), name=f"log-{name}", daemon=True).start()

    def _copy(self, name: str, pipe: IO[bytes]) -> None:
        with pipe:
            log = self._file(name)
            for raw in pipe:
                line = raw.decode(errors="replace").rstrip()
                log.emit(logging.makeLogRecord({"msg": line}))
                self._write(name, readable(line) if self._coloured else line)
            log.close()

    def _file(self, name: str) -> logging.Handler:
        return logging.handlers.RotatingFileHandler(
            self._log_dir / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
        )

    def _write(self, name: str, line: str) -> None:
        with self._lock:
            prefix = f"{name:<{NAME_WIDTH}}|"
            if self._coloured:
                colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
                prefix = f"\033[{colour}m{prefix}\033[0m"
            print(prefix, line, file=self._stream, flush=True)


def readable(line: str) -> str:
    """A JSON log line as people read it; any other line as it is."""
    if not line.startswith("{"):
        return line
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields, dict) or "event" not in fields:
        return line
    time_of_day = str(fields.get("timestamp", ""))[11:19]
    level = str(fields.get("level", "")).upper()
    rest = " ".join(f"{key}={value}" for key, value in fields.items() if key not in HIDDEN_KEYS)
    return " ".join(part for part in (time_of_day, level, str(fields["event"]), rest) if part)
