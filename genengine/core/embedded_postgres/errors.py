"""What can go wrong around the embedded server; every message says what to do about it."""


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be used; set DATABASE_URL to use a server of your own instead."""


class BinariesMissing(EmbeddedPostgresError):
    """No PostgreSQL binaries in this Python environment."""


class WrongServerVersion(EmbeddedPostgresError):
    """The data directory was written by another major version of PostgreSQL."""


class ServerDidNotStart(EmbeddedPostgresError):
    """The server process ended or did not answer in time; carries the tail of its log."""


class ServerInUse(EmbeddedPostgresError):
    """Another command holds the server of this state directory."""
