"""Daphne with flow control: a slow client slows its own download down instead of filling our memory.

Daphne hands every body chunk to Twisted, which keeps what the client has not taken; twenty slow downloads of a large
master would hold gigabytes. Here each chunk waits until the client has room.
"""

import asyncio
from typing import Any

from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer  # type: ignore[import-untyped]


@implementer(IPushProducer)
class FlowControl:
    """What Twisted tells about one client's buffer: full (pause), drained (resume), gone (stop)."""

    def __init__(self) -> None:
        self._may_write = asyncio.Event()
        self._may_write.set()

    async def wait(self) -> None:
        await self._may_write.wait()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._may_write.clear()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._may_write.set()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._may_write.set()


class FlowControlledServer(Server):
    """Daphne's server; `handle_reply` returns when the client has room for more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._flows: dict[int, FlowControl] = {}

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if not isinstance(protocol, WebRequest) or message["type"] != "http.response.body":
            await super().handle_reply(protocol, message)
            return
        if not message.get("more_body", False):
            self._release(protocol)
            await super().handle_reply(protocol, message)
            return
        flow = self._flow(protocol)
        await super().handle_reply(protocol, message)
        if flow is not None:
            await flow.wait()

    def protocol_disconnected(self, protocol: Any) -> None:
        flow = self._flows.pop(id(protocol), None)
        if flow is not None:
            flow.stopProducing()
        super().protocol_disconnected(protocol)

    def _flow(self, protocol: WebRequest) -> FlowControl | None:
        if protocol.finished or protocol.channel is None:
            return None
        flow = self._flows.get(id(protocol))
        if flow is None:
            flow = self._flows[id(protocol)] = FlowControl()
            protocol.registerProducer(flow, True)
        return flow

    def _release(self, protocol: WebRequest) -> None:
        if self._flows.pop(id(protocol), None) is not None and protocol.channel is not None:
            protocol.unregisterProducer()
