"""Is this process alive, and is the installation ready to work? Answered without sign-in, so: words, no details."""

import contextlib
import uuid
from collections.abc import Callable
from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from genengine.core.clock import now
from genengine.core.pulse import alive

OK = "ok"
PUMP_PATIENCE = timedelta(seconds=15)
WORKER_PATIENCE = timedelta(seconds=30)

_migrations_seen_complete = False


@require_safe
@never_cache
async def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all; looks at nothing else, so that a broken database restarts no web."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when everything that a job needs is there, else 503 and the names of what is not."""
    verdicts = readiness()
    ready = all(verdict == OK for verdict in verdicts.values())
    return JsonResponse({"ready": ready, "checks": verdicts}, status=200 if ready else 503)


def readiness() -> dict[str, str]:
    """One word a check: `ok`, or what is wrong."""
    verdicts = {"database": _database()}
    if verdicts["database"] == OK:
        verdicts |= {
            "migrations": _migrations(),
            "pump": _pulse("pump", PUMP_PATIENCE),
            "worker-default": _pulse("worker-default", WORKER_PATIENCE),
            "worker-media": _pulse("worker-media", WORKER_PATIENCE),
        }
    return verdicts | {"storage": _guarded(_storage)}


def _database() -> str:
    def ask() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return OK

    return _guarded(ask)


def _migrations() -> str:
    """Read once: a schema that was complete stays complete while this build runs."""
    global _migrations_seen_complete
    if not _migrations_seen_complete:
        executor = MigrationExecutor(connection)
        _migrations_seen_complete = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return OK if _migrations_seen_complete else "missing"


def _pulse(role: str, within: timedelta) -> str:
    return _guarded(lambda: OK if alive(role=role, now=now(), within=within) else "silent")


def _storage() -> str:
    """Write, read and remove a few bytes, so that a full disk or a wrong bucket key shows."""
    name = default_storage.save(f"health/{uuid.uuid4().hex}", ContentFile(b"ok"))
    try:
        with default_storage.open(name) as stored:
            return OK if stored.read() == b"ok" else "garbled"
    finally:
        with contextlib.suppress(OSError):
            default_storage.delete(name)


def _guarded(check: Callable[[], str]) -> str:
    try:
        return check()
    except DatabaseError:
        return "unreachable"
    except Exception:  # whatever storage libraries raise: the endpoint answers all the same
        return "failing"
