"""PostgreSQL: the embedded server of the state directory, or the one that DATABASE_URL names."""

from typing import Any

import environ

from genengine.core.embedded_postgres.layout import DATABASE, ClusterLayout, Role
from genengine.settings import environment as env
from genengine.settings.paths import GE_STATE_DIR

DATABASE_URL = env.url(
    "DATABASE_URL",
    "",
    ("postgres", "postgresql"),
    "A PostgreSQL server (15 or newer) of your own. Unset: an embedded server in the state directory.",
    secret=True,
)
DATABASE_OWNER_URL = env.url(
    "DATABASE_OWNER_URL",
    "",
    ("postgres", "postgresql"),
    "The same database as the role that owns the tables; for migrations. Unset: DATABASE_URL's role owns them.",
    secret=True,
)
GE_DATABASE_ROLE = env.choice(
    "GE_DATABASE_ROLE",
    "app",
    ("app", "owner"),
    "The role of this process. `manage.py` chooses `owner` for commands that change the schema.",
)
_pooled = env.flag(
    "GE_DATABASE_POOL",
    False,
    "Keep a pool of connections. `manage.py web` sets it; processes that fork must not.",
)
_pool_size = env.integer("GE_DATABASE_POOL_SIZE", 16, "Connections of one web process at most.", at_least=2)


def _external(url: str) -> dict[str, Any]:
    """`?host=/socket/dir` in the address names a socket directory, as libpq spells it."""
    parsed: dict[str, Any] = dict(environ.Env.db_url_config(url))
    if socket_dir := parsed.get("OPTIONS", {}).pop("host", ""):
        parsed["HOST"] = socket_dir
    return parsed


def _embedded(role: Role) -> dict[str, Any]:
    connection = ClusterLayout(GE_STATE_DIR).connection(role)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": connection["user"],
        "PASSWORD": connection["password"],
        "HOST": connection["host"],
    }


def _default() -> dict[str, Any]:
    as_owner = GE_DATABASE_ROLE == "owner"
    if DATABASE_URL:
        return _external(DATABASE_OWNER_URL if as_owner and DATABASE_OWNER_URL else DATABASE_URL)
    return _embedded(Role.OWNER if as_owner else Role.APP)


def _with_lifetime(settings: dict[str, Any]) -> dict[str, Any]:
    """Persistent connections are unsafe under ASGI, so the web process pools; the others keep one each."""
    options = settings.get("OPTIONS", {})
    if _pooled:
        pool = {"min_size": 1, "max_size": _pool_size, "timeout": 10}
        return settings | {"CONN_MAX_AGE": 0, "OPTIONS": {**options, "pool": pool}}
    return settings | {"CONN_MAX_AGE": None, "OPTIONS": {"connect_timeout": 10, **options}}


DATABASES = {"default": {**_with_lifetime(_default()), "CONN_HEALTH_CHECKS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
