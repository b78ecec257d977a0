"""The schema as a snapshot: what all migrations make of an empty database, kept as the statements that make it at once.

Migrations stay the only place where the schema is defined and the only way by which a filled database goes forward.
Running them one after another on an empty database renders every model again after every step, which takes longer
than everything else in a first start.
"""

from genengine.core.schema.snapshot import Snapshot, load_into_empty, make_snapshot, read_snapshot

__all__ = ["Snapshot", "load_into_empty", "make_snapshot", "read_snapshot"]
