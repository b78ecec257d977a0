"""Identifiers: time-ordered UUIDs (version 7, RFC 9562 §5.7), unguessable in their 74 random bits."""

import secrets
import time
import uuid


def is_id(text: str) -> bool:
    """Say whether a text can be the id of a row."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def new_id() -> uuid.UUID:
    """Return a fresh UUIDv7; rows created later sort later, so indexes stay compact."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | secrets.randbits(12) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)
