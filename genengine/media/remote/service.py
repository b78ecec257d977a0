"""What the render server does, apart from HTTP: who may ask, what is kept, what is rendered, what is told."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genengine.media import lint
from genengine.media.errors import SpecError, SpecProblem
from genengine.media.remote.blobs import SHA256, BlobShelf
from genengine.media.remote.facts import build_facts, processor_facts
from genengine.media.remote.line import LineLimits, RenderLine
from genengine.media.remote.problems import Problem, not_found
from genengine.media.remote.renders import Render, RenderBook, RenderState
from genengine.media.spec.model import RenderSpec
from genengine.media.spec.parse import parse, references
from genengine.media.version import ENGINE_VERSION, SPEC_VERSION

SHORTEST_TOKEN = 24
MAX_ORDER_BYTES = 4 << 20
MAX_KEY_CHARS = 200


class UnsafeServer(ValueError):
    """The server would run without a secret, or with one that can be guessed."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server runs. Sizes in bytes; ``keep_s`` is how long a finished render stays."""

    tokens: Sequence[str]
    folder: Path
    port: int
    host: str = "127.0.0.1"
    line: LineLimits = field(default_factory=LineLimits)
    max_blob_bytes: int = 2 << 30
    keep_bytes: int = 20 << 30
    keep_s: float = 24 * 3600.0
    min_free_bytes: int = 1 << 30


class RenderService:
    """Everything behind the addresses. Methods raise ``Problem``; each one may run in any thread."""

    def __init__(self, options: ServerOptions) -> None:
        if not options.tokens:
            raise UnsafeServer("The render server needs a token: set RENDER_SERVER_TOKENS to a long random word.")
        if any(len(token) < SHORTEST_TOKEN for token in options.tokens):
            raise UnsafeServer(f"A token of the render server needs at least {SHORTEST_TOKEN} characters.")
        self.options = options
        self._tokens = [hashlib.sha256(token.encode()).digest() for token in options.tokens]
        self.spool = options.folder / "spool"
        shutil.rmtree(self.spool, ignore_errors=True)
        self.spool.mkdir(parents=True)
        self.blobs = BlobShelf(options.folder / "blobs")
        self.book = RenderBook(options.folder / "renders")
        self.line = RenderLine(options.folder, self.book, self.blobs, options.line)

    def owner_of(self, authorization: str) -> str | None:
        """The name of the token's shelf, or None for a wrong token. Every token is compared, each in constant time."""
        scheme, _, given = authorization.partition(" ")
        digest = hashlib.sha256(given.strip().encode()).digest()
        matches = [hmac.compare_digest(digest, known) for known in self._tokens]
        if scheme.lower() != "bearer" or not any(matches):
            return None
        return digest.hex()[:16]

    # -- files -----------------------------------------------------------------------------------------------

    def has_blob(self, owner: str, sha256: str) -> bool:
        return self.blobs.has(owner, sha256)

    def keep_blob(self, owner: str, sha256: str, spooled: Path, measured: str) -> None:
        """Keep an upload whose bytes have the digest in its address."""
        if not hmac.compare_digest(measured, sha256):
            fix = "Send the file whose digest stands in the address, whole."
            raise Problem(422, "digest_mismatch", f"The bytes have the digest {measured}.", fix)
        if shutil.disk_usage(self.spool).free < self.options.min_free_bytes:
            raise Problem(507, "disk_full", "The disk of the render server is full.", "Free space on it.")
        self.blobs.keep(owner, sha256, spooled)

    # -- renders ---------------------------------------------------------------------------------------------

    def order(self, owner: str, body: bytes, key: str) -> Render:
        """Take an order: a spec and the digest of each of its files."""
        spec_data, assets = _order_of(body)
        key = key.strip()[:MAX_KEY_CHARS]
        if not key:
            raise Problem(400, "key_missing", "The order has no Idempotency-Key.", "Send one with every order.")
        try:
            spec = parse(spec_data)
        except SpecError as error:
            raise _spec_problem(error.problems) from error
        self._check_files(owner, spec, assets)
        digest = hashlib.sha256(json.dumps([spec_data, assets], sort_keys=True).encode()).hexdigest()
        return self.line.enqueue(
            Render(uuid.uuid4().hex, owner, key, digest, assets, spec.duration_frames, time.time()), spec_data
        )

    def _check_files(self, owner: str, spec: RenderSpec, assets: Mapping[str, str]) -> None:
        used = {name for _, name, _ in references(spec)}
        unnamed = sorted(used - set(assets))
        if unnamed:
            raise _spec_problem(
                [SpecProblem(f"$.assets.{name}", "has no file.", "Name its digest.") for name in unnamed]
            )
        missing = sorted({sha256 for sha256 in assets.values() if not self.blobs.has(owner, sha256)})
        if missing:
            fix = "Put each under /v1/blobs/{sha256}, then order again."
            raise Problem(409, "blobs_missing", f"{len(missing)} files are not here.", fix, missing=missing)
        files = {name: self.blobs.path(owner, sha256) for name, sha256 in assets.items() if name in used}
        wrong = [f for f in lint(spec, files) if str(f.severity) == "error"]
        if wrong:
            raise _spec_problem([SpecProblem(f.path, f.message, f.fix) for f in wrong])

    def render(self, owner: str, render_id: str) -> Render:
        found = self.book.of(owner, render_id)
        if found is None:
            raise not_found()
        return found

    def cancel(self, owner: str, render_id: str) -> Render:
        render = self.render(owner, render_id)
        self.line.cancel(render)
        return render

    def result(self, owner: str, render_id: str, *, still: bool) -> Path:
        """The finished file, or its thumbnail."""
        render = self.render(owner, render_id)
        if render.state is not RenderState.DONE:
            detail = f"The render is {render.state.value}."
            raise Problem(
                409, "not_done", detail, "Ask for its status until it is done; look at `failure` if it failed."
            )
        path = self.book.result(render).with_suffix(".jpg" if still else ".mp4")
        if not path.is_file():
            raise not_found()
        return path

    # -- what is told ----------------------------------------------------------------------------------------

    def status(self, render: Render) -> dict[str, Any]:
        """A render as the client sees it."""
        return {
            "id": render.id,
            "state": render.state.value,
            "frames_done": render.frames_done,
            "frames_total": render.frames_total,
            "eta_s": self.line.remaining_s(render),
            "failure": render.failure,
            "report": render.report,
            "build": build_facts(),
            "processor": processor_facts(),
        }

    def health(self) -> dict[str, Any]:
        """Build, processor, room and load of this machine."""
        usage = shutil.disk_usage(self.options.folder)
        return {
            "status": "ok" if usage.free >= self.options.min_free_bytes else "disk_full",
            "engine": ENGINE_VERSION,
            "spec_version": SPEC_VERSION,
            "build": build_facts(),
            "processor": processor_facts(),
            "disk_free_bytes": usage.free,
            "max_blob_bytes": self.options.max_blob_bytes,
            "parallel": self.options.line.parallel,
            **self.line.lengths(),
        }

    def sweep(self) -> None:
        """Let old results go, and the files that nobody used for longest."""
        self.book.expire(time.time() - self.options.keep_s)
        self.blobs.evict(self.options.keep_bytes, self._pinned)

    def _pinned(self) -> list[tuple[str, str]]:
        return [(r.owner, sha256) for r in self.book.waiting() for sha256 in r.assets.values()]


def _order_of(body: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        order = json.loads(body)
    except ValueError:
        raise Problem(400, "not_json", "The order is not JSON.", "Send {spec, assets} as JSON.") from None
    spec, assets = (order.get("spec"), order.get("assets", {})) if isinstance(order, dict) else (None, None)
    if not isinstance(spec, dict) or not isinstance(assets, dict):
        fix = "Send {spec: {…}, assets: {id: sha256}}."
        raise Problem(400, "wrong_shape", "The order is not of the shape that is expected.", fix)
    for name, sha256 in assets.items():
        if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
            problem = SpecProblem(f"$.assets.{name}", "is not a SHA-256.", "Send 64 lower-case hexadecimal digits.")
            raise _spec_problem([problem])
    return spec, assets


def _spec_problem(problems: Sequence[SpecProblem]) -> Problem:
    rows = [{"path": p.path, "message": p.message, "fix": p.fix} for p in problems]
    fix = "Correct the spec at the paths under `problems`."
    return Problem(422, "spec", "; ".join(str(p) for p in problems)[:2000], fix, problems=rows)
