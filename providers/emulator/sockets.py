"""WebSockets inside the emulator's HTTP server: a client connects, and what a vendor has to tell is sent to it."""

from __future__ import annotations

from typing import Any

from autobahn.twisted.resource import WebSocketResource
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import task

from providers.emulator.sending import TICK_S
from providers.emulator.vendor import EventSource


class EventSocket(WebSocketServerProtocol):
    """One connection; frames of its source go out in order until either side closes."""

    source: EventSource

    @classmethod
    def take_over(cls, request: Any, source: EventSource) -> None:
        """Turn an HTTP request that asks for an upgrade into a socket."""
        make_factory: Any = WebSocketServerFactory  # autobahn does not type its calls
        make_resource: Any = WebSocketResource
        factory = make_factory()
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=5)

        def protocol() -> EventSocket:
            made = cls()
            made.source = source
            return made

        factory.protocol = protocol
        make_resource(factory).render(request)

    def onOpen(self) -> None:  # noqa: N802 (autobahn's name)
        self._loop: Any = task.LoopingCall(self._tell)
        self._loop.start(TICK_S)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803 (autobahn's names)
        if not isBinary:
            self._say(self.source.heard(payload.decode()))

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N802, N803
        loop = getattr(self, "_loop", None)
        if loop is not None and loop.running:
            loop.stop()

    def _tell(self) -> None:
        self._say(self.source.news())

    def _say(self, frames: list[str]) -> None:
        send: Any = self.sendMessage
        for frame in frames:
            send(frame.encode())
