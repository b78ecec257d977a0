"""Is this machine fit to run the product? Django system checks with ids and hints; `make doctor` shows them all."""

import os
import shutil
import stat
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError

DOCTOR = "doctor"
LEAST_POSTGRES = 150_000
LEAST_FREE_BYTES = 1_000_000_000
COMFORTABLE_FREE_BYTES = 10_000_000_000
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@register(DOCTOR, deploy=True)
def state_directory(**kwargs: Any) -> list[CheckMessage]:
    """The state directory can be written"""
    folder = Path(settings.GE_STATE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK | os.X_OK):
        return []
    return [Error(f"{folder} cannot be written.", hint="Give it to this user, or set GE_STATE_DIR.", id="core.E001")]


@register(DOCTOR, deploy=True)
def secret_files(**kwargs: Any) -> list[CheckMessage]:
    """Keys and passwords are readable for their owner only"""
    folder = Path(settings.GE_STATE_DIR) / "secrets"
    open_files = [path for path in folder.glob("*") if path.stat().st_mode & OTHERS]
    return [
        Error(f"{path} can be read by others.", hint=f"chmod 600 {path}", id="core.E002") for path in sorted(open_files)
    ]


@register(DOCTOR, deploy=True)
def encryption_keys(**kwargs: Any) -> list[CheckMessage]:
    """The keys that encrypt stored credentials are usable"""
    problems: list[CheckMessage] = []
    for entry in settings.GE_SECRET_KEYS:
        name, _, key = entry.partition(":")
        try:
            Fernet(key)
        except ValueError:
            hint = "Each is `id:key`, the key 32 url-safe base64 bytes as Fernet.generate_key() makes them."
            problems.append(Error(f"The encryption key {name!r} is not a Fernet key.", hint=hint, id="core.E003"))
    return problems


@register(DOCTOR, deploy=True)
def free_space(**kwargs: Any) -> list[CheckMessage]:
    """There is room for renders and masters"""
    free = shutil.disk_usage(settings.GE_STATE_DIR).free
    text = f"{free / 1e9:.1f} GB are free on the disk of {settings.GE_STATE_DIR}."
    hint = "Free some space, or set GE_STATE_DIR to a larger disk."
    if free < LEAST_FREE_BYTES:
        return [Error(text, hint=hint, id="core.E004")]
    return [Warning(text, hint=hint, id="core.W001")] if free < COMFORTABLE_FREE_BYTES else []


@register(DOCTOR, deploy=True)
def debug_is_off(**kwargs: Any) -> list[CheckMessage]:
    """Debug pages are off"""
    if not settings.DEBUG:
        return []
    return [Warning("GE_DEBUG is on: errors show source and settings.", hint="Unset GE_DEBUG.", id="core.W002")]


@register(DOCTOR, deploy=True)
def database_server(**kwargs: Any) -> list[CheckMessage]:
    """PostgreSQL answers and is new enough"""
    connection = connections["default"]
    try:
        connection.ensure_connection()
    except DatabaseError as problem:
        hint = "Unset DATABASE_URL for the embedded server, or correct it."
        return [Error(f"The database does not answer: {problem}", hint=hint, id="core.E005")]
    version = connection.connection.info.server_version
    if version < LEAST_POSTGRES:
        return [Error(f"PostgreSQL {version // 10000} is too old.", hint="Use PostgreSQL 15 or newer.", id="core.E006")]
    return []


@register(DOCTOR, deploy=True)
def database_role(**kwargs: Any) -> list[CheckMessage]:
    """The application's database role owns no table"""
    query = (
        "SELECT current_setting('is_superuser') = 'on'"
        " OR EXISTS (SELECT 1 FROM pg_tables WHERE tableowner = current_user)"
    )
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone()
    except DatabaseError:
        return []  # said by database_server
    if row is None or not row[0] or settings.GE_DATABASE_ROLE == "owner":
        return []
    hint = "Give the application a role of its own in DATABASE_URL and name the owner in DATABASE_OWNER_URL."
    return [Warning("The application's role owns tables: the audit trail is less safe.", hint=hint, id="core.W003")]


@register(DOCTOR, deploy=True)
def migrations_applied(**kwargs: Any) -> list[CheckMessage]:
    """The database has the schema of this build"""
    try:
        executor = MigrationExecutor(connections["default"])
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return []
    if not missing:
        return []
    hint = "Run `manage.py migrate`; `manage.py up` does it by itself."
    return [Warning(f"{len(missing)} migrations are not applied.", hint=hint, id="core.W004")]
