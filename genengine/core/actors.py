"""Who did it: a person, an API key or the engine itself, as it is written into events and the audit trail."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    PERSON = "person"
    API_KEY = "api_key"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """An actor by kind and id; names live in erasable tables, never in a log."""

    kind: ActorKind
    id: str = ""


SYSTEM = Actor(ActorKind.SYSTEM, "engine")
