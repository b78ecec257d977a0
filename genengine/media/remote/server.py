"""The render server on twisted.web: bodies go straight to disk and are hashed on the way; results know ranges.

Addresses: ``HEAD, PUT /v1/blobs/{sha256}``, ``POST /v1/renders``, ``GET /v1/renders/{id}``,
``POST /v1/renders/{id}/cancel``, ``GET /v1/renders/{id}/result`` and ``…/thumbnail``, ``GET /healthz``.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tempfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from twisted.internet import reactor as running_reactor
from twisted.internet import task, threads
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site
from twisted.web.static import File

from genengine.media.remote.problems import MEDIA_TYPE, Problem, not_found
from genengine.media.remote.renders import Render
from genengine.media.remote.service import MAX_ORDER_BYTES, RenderService, ServerOptions

log = logging.getLogger(__name__)
reactor: Any = running_reactor  # twisted installs it at run time; its interfaces are not typed for callers
SWEEP_EVERY_S = 60.0
IDLE_S = 60
DISCARDED = 8 << 20
"""A refused body is read and thrown away up to here, so that the client hears why; then the line is cut."""
BLOB = re.compile(r"/v1/blobs/([0-9a-f]{64})")
RENDER = re.compile(r"/v1/renders/([0-9a-f]{32})(/cancel|/result|/thumbnail)?")


class SpooledRequest(Request):
    """A request whose body is refused before its first byte is kept, or lies hashed in a file of its own."""

    refusal: Problem | None = None
    owner: str | None = None
    spooled: Path | None = None

    def gotLength(self, length: int | None) -> None:  # noqa: N802 (twisted's name)
        channel: Any = self.channel
        service: RenderService = channel.site.resource.service
        self._limit = service.options.max_blob_bytes
        self._taken, self._hash = 0, hashlib.sha256()
        self.owner = service.owner_of(self.getHeader("authorization") or "")
        if self.owner is None and length != 0:
            self.refusal = _unauthorised()
        elif length is not None and length > self._limit:
            self.refusal = self._too_large()
        if self.refusal is not None or length == 0:
            self.content = BytesIO()
            return
        file = tempfile.NamedTemporaryFile(dir=service.spool, prefix="body-")  # noqa: SIM115 (closed with the request)
        self.content, self.spooled = file, Path(file.name)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 (twisted's name)
        self._taken += len(data)
        if self.refusal is None and self._taken > self._limit:
            self.refusal = self._too_large()
        if self.refusal is not None:
            if self._taken > DISCARDED:
                self.loseConnection()  # type: ignore[no-untyped-call]
            return
        self._hash.update(data)
        try:
            if self.content is not None:
                self.content.write(data)
        except OSError as error:
            self.refusal = Problem(
                507, "disk_full", f"The body could not be kept: {error}.", "Free space on the server."
            )

    def body(self) -> bytes:
        """All of a small body."""
        if self._taken > MAX_ORDER_BYTES or self.content is None:
            raise Problem(413, "too_large", "The order is too large.", f"Send at most {MAX_ORDER_BYTES} bytes.")
        data: bytes = self.content.read()
        return data

    def flush_body(self) -> None:
        """Bring what is still buffered into the file."""
        if self.content is not None:
            self.content.flush()

    def body_digest(self) -> str:
        """SHA-256 of the body, measured while it came in."""
        return self._hash.hexdigest()

    def _too_large(self) -> Problem:
        return Problem(413, "too_large", "The file is too large.", f"Send at most {self._limit} bytes.")


def _unauthorised() -> Problem:
    fix = "Send `Authorization: Bearer …` with a token of RENDER_SERVER_TOKENS."
    return Problem(401, "unauthorised", "The token is missing or wrong.", fix)


class RenderApi(Resource):
    """From addresses to the service. What reads files or waits for a lock runs in a thread."""

    isLeaf = True  # noqa: N815 (twisted's name)

    def __init__(self, service: RenderService) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.service = service

    def render(self, request: SpooledRequest) -> int:
        try:
            self._dispatch(request)
        except Problem as problem:
            _refuse(request, problem)
        except Exception:
            _broken(request)
        return NOT_DONE_YET

    def _dispatch(self, request: SpooledRequest) -> None:
        if request.refusal is not None:
            raise request.refusal
        method, path = request.method.decode("ascii", "replace"), request.path.decode("utf-8", "replace")
        if path == "/healthz" and method in ("GET", "HEAD"):
            _answer(request, 200, self.service.health() if request.owner else {"status": "ok"})
            return
        if request.owner is None:
            raise _unauthorised()
        if blob := BLOB.fullmatch(path):
            self._blob(request, method, request.owner, blob.group(1))
        elif path == "/v1/renders" and method == "POST":
            self._order(request, request.owner)
        elif found := RENDER.fullmatch(path):
            self._render(request, method, request.owner, found.group(1), found.group(2) or "")
        else:
            raise not_found()

    def _blob(self, request: SpooledRequest, method: str, owner: str, sha256: str) -> None:
        if method == "HEAD":
            if not self.service.has_blob(owner, sha256):
                raise not_found()
            _answer(request, 200, None)
        elif method == "PUT":
            if request.spooled is None:
                raise Problem(400, "empty", "The body is empty.", "Send the bytes of the file.")
            request.flush_body()
            keep = partial(self.service.keep_blob, owner, sha256, request.spooled, request.body_digest())
            self._in_thread(request, keep, lambda _: _answer(request, 201, {"sha256": sha256}))
        else:
            raise _wrong_method("HEAD, PUT")

    def _order(self, request: SpooledRequest, owner: str) -> None:
        key = request.getHeader("idempotency-key") or ""
        order = partial(self.service.order, owner, request.body(), key)
        self._in_thread(request, order, lambda render: self._tell(request, 202 if render.is_open else 200, render))

    def _render(self, request: SpooledRequest, method: str, owner: str, render_id: str, part: str) -> None:
        if method != ("POST" if part == "/cancel" else "GET") and not (method == "HEAD" and part != "/cancel"):
            raise _wrong_method("POST" if part == "/cancel" else "GET, HEAD")
        if part == "":
            self._tell(request, 200, self.service.render(owner, render_id))
        elif part == "/cancel":
            cancel = partial(self.service.cancel, owner, render_id)
            self._in_thread(request, cancel, lambda render: self._tell(request, 202, render))
        else:
            path = self.service.result(owner, render_id, still=part == "/thumbnail")
            _send_file(request, path, self.service.render(owner, render_id), still=part == "/thumbnail")

    def _tell(self, request: Any, status: int, render: Render) -> None:
        request.setHeader("location", f"/v1/renders/{render.id}")
        _answer(request, status, self.service.status(render))

    def _in_thread(self, request: Any, call: Callable[[], Any], then: Callable[[Any], None]) -> None:
        gone: list[bool] = []
        request.notifyFinish().addErrback(lambda _: gone.append(True))  # the client hung up: nobody to answer

        def failed(failure: Any) -> None:
            if gone:
                return
            if isinstance(failure.value, Problem):
                _refuse(request, failure.value)
            else:
                log.error("the render server failed", exc_info=failure.value)
                _broken(request)

        done = threads.deferToThread(call)
        done.addCallback(lambda value: None if gone else then(value))
        done.addErrback(failed)


def _wrong_method(allowed: str) -> Problem:
    return Problem(405, "wrong_method", "This address does not know the method.", f"Use {allowed}.")


def _send_file(request: Any, path: Path, render: Render, *, still: bool) -> None:
    if not still:
        sha256 = str((render.report or {}).get("sha256", ""))
        request.setHeader("etag", f'"{sha256}"')
        request.setHeader("x-content-sha256", sha256)
    served: Any = File(str(path))
    served.type, served.encoding = "image/jpeg" if still else "video/mp4", None
    served.render(request)


def _answer(request: Any, status: int, values: dict[str, Any] | None) -> None:
    _send(request, status, json.dumps(values).encode() if values is not None else b"", "application/json")


def _refuse(request: Any, problem: Problem) -> None:
    if problem.status == 401:
        request.setHeader("www-authenticate", "Bearer")
    if "retry_after" in problem.more:
        request.setHeader("retry-after", str(problem.more["retry_after"]))
    _send(request, problem.status, problem.body(), MEDIA_TYPE)


def _broken(request: Any) -> None:
    log.exception("the render server failed")
    _send(request, 500, Problem(500, "server", "The server failed.", "See its log.").body(), MEDIA_TYPE)


def _send(request: Any, status: int, body: bytes, media_type: str) -> None:
    request.setResponseCode(status)
    request.setHeader("content-type", media_type)
    request.setHeader("content-length", str(len(body)))
    if request.method != b"HEAD":
        request.write(body)
    request.finish()


def serve(options: ServerOptions, ready: Callable[[int], None] | None = None) -> None:
    """Run until SIGTERM or SIGINT; ``ready`` is told the port that was taken. Raises ``UnsafeServer``, ``OSError``."""
    service = RenderService(options)
    site: Any = Site
    api = site(RenderApi(service), requestFactory=SpooledRequest, timeout=IDLE_S)
    api.displayTracebacks = False
    port = reactor.listenTCP(options.port, api, interface=options.host)
    service.line.start()
    task.LoopingCall(lambda: threads.deferToThread(service.sweep)).start(SWEEP_EVERY_S)
    reactor.addSystemEventTrigger("before", "shutdown", threads.deferToThread, service.line.stop)
    if ready is not None:
        reactor.callWhenRunning(ready, port.getHost().port)
    reactor.run()
