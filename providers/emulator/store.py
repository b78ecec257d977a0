"""The tasks of all emulated vendors in one SQLite file: they survive a SIGKILL of the emulator.

A task's whole fate is decided when it is accepted (times, outcome, price), so its state is a function of the
clock and needs no timer. SQLite runs in WAL mode: a committed row is safe against the death of this process.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
  vendor TEXT, id TEXT, account TEXT, kind TEXT, model TEXT, idempotency_key TEXT, params TEXT, callback_url TEXT,
  created REAL, starts REAL, ends REAL, outcome TEXT, reason TEXT, cost TEXT, currency TEXT, billed INTEGER,
  logged INTEGER DEFAULT 0, cancelled REAL, PRIMARY KEY (vendor, id));
CREATE UNIQUE INDEX IF NOT EXISTS tasks_key ON tasks (vendor, account, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX IF NOT EXISTS tasks_open ON tasks (vendor, account, ends);
CREATE TABLE IF NOT EXISTS webhooks (
  id INTEGER PRIMARY KEY, vendor TEXT, task_id TEXT, moment TEXT, due REAL, trouble TEXT, tries INTEGER DEFAULT 0,
  done INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
"""
COLUMNS = (
    "vendor",
    "id",
    "account",
    "kind",
    "model",
    "idempotency_key",
    "params",
    "callback_url",
    "created",
    "starts",
    "ends",
    "outcome",
    "reason",
    "cost",
    "currency",
    "billed",
    "cancelled",
)
SELECT = f"SELECT {','.join(COLUMNS)} FROM tasks WHERE "  # noqa: S608 (column names only)
INSERT = f"INSERT INTO tasks ({','.join(COLUMNS)}) VALUES ({','.join('?' * len(COLUMNS))})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class StoredTask:
    """One task. ``outcome`` is what it will end as: succeeded, failed or refused; ``params`` what was asked."""

    vendor: str
    id: str
    account: str
    kind: str
    model: str
    idempotency_key: str
    params: Mapping[str, Any]
    callback_url: str
    created: float
    starts: float
    ends: float
    outcome: str
    reason: str
    cost: Decimal
    currency: str
    billed: bool
    cancelled: float | None = None

    def phase(self, now: float) -> str:
        """``queued``, ``running``, ``cancelled``, or the outcome."""
        if self.cancelled is not None and now >= self.cancelled:
            return "cancelled"
        if now < self.starts:
            return "queued"
        return "running" if now < self.ends else self.outcome

    def changed_at(self, now: float) -> float:
        """When the present phase began."""
        moments = {"queued": self.created, "running": self.starts, "cancelled": self.cancelled or now}
        return moments.get(self.phase(now), self.ends)

    def progress(self, now: float) -> float:
        """0 to 1, by time."""
        return min(1.0, max(0.0, (now - self.starts) / max(self.ends - self.starts, 1e-6)))


@dataclass(frozen=True, slots=True)
class StoredWebhook:
    """A callback that is due: ``moment`` is the phase it reports."""

    id: int
    vendor: str
    task_id: str
    moment: str
    due: float
    trouble: str
    tries: int


@dataclass
class TaskStore:
    """Reads and writes of the file; one connection, used by the reactor's thread only."""

    path: Path | None = None
    _db: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self._db = sqlite3.connect(str(self.path) if self.path else ":memory:", isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def add(self, task: StoredTask) -> None:
        """Store a new task; a second one with the same key of the same account raises ``IntegrityError``."""
        values = [
            json.dumps(dict(task.params)) if name == "params" else _plain(getattr(task, name)) for name in COLUMNS
        ]
        self._db.execute(INSERT, values)

    def get(self, vendor: str, task_id: str) -> StoredTask | None:
        return self._one("vendor=? AND id=?", vendor, task_id)

    def by_key(self, vendor: str, account: str, key: str) -> StoredTask | None:
        return self._one("vendor=? AND account=? AND idempotency_key=?", vendor, account, key)

    def newest(self, vendor: str, account: str, *, limit: int = 1000, offset: int = 0) -> list[StoredTask]:
        """Newest first."""
        rows = self._db.execute(
            SELECT + "vendor=? AND account=? ORDER BY created DESC, id DESC LIMIT ? OFFSET ?",
            (vendor, account, limit, offset),
        )
        return [_task(row) for row in rows]

    def open_count(self, vendor: str, account: str, model: str, now: float) -> int:
        """Tasks that hold a slot now; an empty ``model`` counts all."""
        row = self._db.execute(
            "SELECT COUNT(*) FROM tasks WHERE vendor=? AND account=? AND ends>? AND cancelled IS NULL "
            "AND (?='' OR model=?)",
            (vendor, account, now, model, model),
        ).fetchone()
        return int(row[0])

    def slot_free_at(self, vendor: str, account: str, model: str, limit: int, now: float) -> float:
        """When one of ``limit`` slots is free: now, or when enough of the open tasks have ended."""
        rows = self._db.execute(
            "SELECT ends FROM tasks WHERE vendor=? AND account=? AND model=? AND ends>? AND cancelled IS NULL "
            "ORDER BY ends DESC",
            (vendor, account, model, now),
        ).fetchall()
        return float(rows[limit - 1][0]) if len(rows) >= limit else now

    def cancel(self, task: StoredTask, now: float) -> None:
        self._db.execute("UPDATE tasks SET cancelled=? WHERE vendor=? AND id=?", (now, task.vendor, task.id))

    def mark_logged(self, vendor: str, task_id: str) -> None:
        self._db.execute("UPDATE tasks SET logged=1 WHERE vendor=? AND id=?", (vendor, task_id))

    def unlogged_bills(self) -> list[StoredTask]:
        """Charged tasks whose log line may be missing because the emulator was killed between the two."""
        rows = self._db.execute(SELECT + "billed=1 AND logged=0")
        return [_task(row) for row in rows]

    def plan_webhook(self, vendor: str, task_id: str, moment: str, due: float, trouble: str = "") -> None:
        self._db.execute(
            "INSERT INTO webhooks (vendor, task_id, moment, due, trouble) VALUES (?,?,?,?,?)",
            (vendor, task_id, moment, due, trouble),
        )

    def due_webhooks(self, now: float, limit: int = 50) -> list[StoredWebhook]:
        rows = self._db.execute(
            "SELECT id,vendor,task_id,moment,due,trouble,tries FROM webhooks "
            "WHERE done=0 AND due<=? ORDER BY due,id LIMIT ?",
            (now, limit),
        )
        return [StoredWebhook(*row) for row in rows]

    def settle_webhook(self, webhook_id: int, *, done: bool, next_due: float) -> None:
        self._db.execute(
            "UPDATE webhooks SET done=?, tries=tries+1, due=? WHERE id=?", (int(done), next_due, webhook_id)
        )

    def meta(self, key: str, default: str) -> str:
        """A remembered value, stored the first time it is asked for."""
        self._db.execute("INSERT OR IGNORE INTO meta VALUES (?,?)", (key, default))
        return str(self._db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()[0])

    def _one(self, where: str, *values: str) -> StoredTask | None:
        row = self._db.execute(SELECT + where, values).fetchone()
        return _task(row) if row else None


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else int(value) if isinstance(value, bool) else value


def _task(row: tuple[Any, ...]) -> StoredTask:
    values = dict(zip(COLUMNS, row, strict=True))
    values.update(params=json.loads(values["params"]), cost=Decimal(values["cost"]), billed=bool(values["billed"]))
    return StoredTask(**values)
