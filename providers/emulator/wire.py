"""What a vendor module sees of HTTP: a call in, an answer out. It never touches a socket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.message import Message
from email.parser import BytesParser
from email.policy import default as default_policy
from pathlib import Path
from typing import Any

from providers.emulator.faults import Fault


@dataclass
class Call:
    """One request: header names are lower case, ``path`` is below the vendor's prefix, ``origin`` is our address."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    origin: str
    fault: Fault | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of method, path and body: equal digests are the same request sent twice."""
        return hashlib.sha256(f"{self.method} {self.path}\n".encode() + self.body).hexdigest()

    @property
    def json(self) -> Any:
        """The body as JSON, ``None`` when it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def bearer(self) -> str:
        """The token of ``Authorization: Bearer …``, empty when there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def multipart(self) -> dict[str, Part]:
        """The parts of a multipart form by their names."""
        head = f"Content-Type: {self.headers.get('content-type', '')}\r\n\r\n".encode()
        message = BytesParser(policy=default_policy).parsebytes(head + self.body)
        return {
            str(part.get_param("name", header="content-disposition")): Part(
                part.get_filename() or "", part.get_content_type(), _payload(part)
            )
            for part in message.iter_parts()
        }


def _payload(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart form."""

    filename: str
    media_type: str
    data: bytes


@dataclass
class LogNote:
    """What the log says of this call beyond HTTP. ``billed`` is true once for each task that is charged."""

    billed: bool = False
    cost: Decimal | None = None
    currency: str = ""
    remote_id: str = ""
    idempotency_key: str = ""
    replay: bool = False


@dataclass
class Answer:
    """A reply: JSON, bytes, or a file that may still have to be rendered (``media``).

    ``wrap`` turns the rendered file's bytes into the body, for vendors that answer with base64 inside JSON.
    ``feed`` gives a stream's next bytes and whether they are the last; ``hold`` gives the answer proper once there
    is one. Both are asked every tenth of a second. ``further`` are the notes of a call that started several tasks.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    file: Path | None = None
    media: Any = None
    wrap: Callable[[bytes], bytes] | None = None
    feed: Callable[[], tuple[bytes, bool]] | None = None
    hold: Callable[[], Answer | None] | None = None
    note: LogNote = field(default_factory=LogNote)
    further: tuple[LogNote, ...] = ()

    @classmethod
    def of_json(cls, value: Any, status: int = 200, **headers: str) -> Answer:
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, {name.replace("_", "-"): text for name, text in headers.items()})

    def noting(self, note: LogNote) -> Answer:
        self.note = note
        return self
