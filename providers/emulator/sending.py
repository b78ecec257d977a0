"""Answers on the wire: whole, cut, fed piece by piece, held until they are ready, or rendered first."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet import reactor as running_reactor
from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.web.server import NOT_DONE_YET
from twisted.web.static import File

from providers.emulator.faults import Trouble
from providers.emulator.media.cache import MediaCache
from providers.emulator.wire import Answer

reactor: Any = running_reactor  # twisted installs it at run time; its interfaces are not typed for callers
TICK_S = 0.1


class Sender:
    """Writes answers to requests of twisted; never blocks the reactor."""

    def __init__(self, cache: MediaCache) -> None:
        self.cache = cache

    def send(self, request: Any, answer: Answer, *, cut: bool = False) -> None:
        """Send an answer; ``cut`` promises all of it, sends half and drops the connection."""
        if is_gone(request):
            return
        if answer.hold is not None:
            self._hold(request, answer, cut)
        elif answer.media is not None:
            self._send_rendered(request, answer, cut)
        else:
            self._send_whole(request, answer, cut)

    def _send_whole(self, request: Any, answer: Answer, cut: bool) -> None:
        request.setResponseCode(answer.status)
        has_body = bool(answer.body) or answer.feed is not None
        if answer.status != 204:
            request.setHeader("Content-Type", answer.media_type if has_body else "text/plain")
        for name, value in answer.headers.items():
            request.setHeader(name, value)
        if answer.feed is not None:
            _feed(request, answer)
            return
        if answer.status != 204:
            request.setHeader("Content-Length", str(len(answer.body)))
        if cut:
            _send_half(request, answer.body)
            return
        if request.method != b"HEAD":
            request.write(answer.body)
        request.finish()

    def _hold(self, request: Any, answer: Answer, cut: bool) -> None:
        """Ask for the answer proper until there is one; the caller waits as it does at the vendor."""
        assert answer.hold is not None
        ready = answer.hold()
        if ready is not None:
            self.send(request, ready, cut=cut)
        elif not is_gone(request):
            reactor.callLater(TICK_S, self._hold, request, answer, cut)

    def _send_rendered(self, request: Any, answer: Answer, cut: bool) -> None:
        """An answer whose body is made of a file that is rendered first."""
        future = self.cache.get(answer.media.name, answer.media.render)
        plain = request.method in (b"GET", b"HEAD") and answer.wrap is None and not cut
        if plain and answer.status == 200:
            self._send_when_ready(request, future, answer)
            return

        def body() -> Answer:
            data = future.result().read_bytes()
            wrapped = answer.wrap(data) if answer.wrap else data
            return replace(answer, body=wrapped, media=None)

        made = _deferred(future)
        made.addCallback(lambda _: threads.deferToThread(body))
        made.addCallback(lambda whole: self.send(request, whole, cut=cut))
        made.addErrback(lambda failure: self._failed(request, failure))

    def _send_when_ready(self, request: Any, future: Future[Path], answer: Answer) -> None:
        def write(path: Path) -> None:
            for name, value in answer.headers.items():
                request.setHeader(name, value)
            _send_file(request, path, answer.media_type, None)

        ready = _deferred(future)
        ready.addCallback(write)
        ready.addErrback(lambda failure: self._failed(request, failure))

    def send_media(self, request: Any, plan: Any, trouble: Trouble | None) -> None:
        """A result's file, with ranges and for any origin, as a content network serves it."""
        request.setHeader("Access-Control-Allow-Origin", "*")
        ready = _deferred(self.cache.get(plan.name, plan.render))
        ready.addCallback(lambda path: _send_file(request, path, plan.media_type, trouble))
        ready.addErrback(lambda failure: self._failed(request, failure))

    def _failed(self, request: Any, failure: Any) -> None:
        failure.printTraceback(file=sys.stderr)
        self.send(request, Answer.of_json({"error": "the emulator could not render this file"}, 500))


def _deferred(future: Future[Path]) -> Deferred[Any]:
    """The future as a Deferred, without a thread that waits for it: hundreds may wait for one renderer."""
    ready: Deferred[Any] = Deferred()

    def fire() -> None:
        error = future.exception()
        if error is None:
            ready.callback(future.result())
        else:
            ready.errback(error)

    future.add_done_callback(lambda _: reactor.callFromThread(fire))
    return ready


def _feed(request: Any, answer: Answer) -> None:
    """Write what there is, again and again, until the answer says that this was the last of it."""
    assert answer.feed is not None
    if is_gone(request):
        return
    piece, is_last = answer.feed()
    if piece:
        request.write(piece)
    if is_last:
        request.finish()
    else:
        reactor.callLater(TICK_S, _feed, request, answer)


def is_gone(request: Any) -> bool:
    """True when nobody reads any more."""
    return bool(getattr(request, "_disconnected", False) or request.finished)


def abort(request: Any) -> None:
    """Cut the connection without an answer, as a lost one looks from the other side."""
    if request.transport is not None:
        request.transport.abortConnection()


def _send_half(request: Any, data: bytes) -> None:
    request.write(data[: len(data) // 2])
    reactor.callLater(0.1, abort, request)


def _send_file(request: Any, path: Path, media_type: str, trouble: Trouble | None) -> None:
    if is_gone(request):
        return
    if trouble is Trouble.TRUNCATED_FILE:
        data = path.read_bytes()
        request.setHeader("Content-Type", media_type)
        request.setHeader("Content-Length", str(len(data)))
        _send_half(request, data)
        return
    served: Any = File(str(path), defaultType=media_type)
    served.type, served.encoding = media_type, None
    rest = served.render(request)
    if rest is not NOT_DONE_YET:  # HEAD, an unchanged file or a range that does not exist
        request.write(rest)
        request.finish()
