"""`/ws/jobs/{id}?after=<seq>`: the events of a job as they happen, each once, in order, from where a client stopped."""

import asyncio
import contextlib
from typing import Any
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from genengine.core import clock
from jobs.timeline.hub import hub
from jobs.timeline.sockets import Access, Close, Handshake, SocketRefused, open_socket

log = structlog.get_logger("genengine.socket")

RIGHTS_AGAIN_S = 30.0
GOING_AWAY = 1012  # service restart: come back and resume


class JobEvents(AsyncWebsocketConsumer):
    """One socket. It only speaks; what a client sends is ignored.

    A refused socket is accepted first and closed with a code at once: before that a browser cannot read the code.
    """

    channel_layer_alias = "none"  # the hub wakes sockets; a layer would hold a connection for each
    _work: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Decide, then start to tell."""
        await self.accept()
        handshake = Handshake.of(self.scope)
        job_id: UUID = self.scope["url_route"]["kwargs"]["job_id"]
        try:
            access = await _in_thread(open_socket)(handshake, job_id, clock.now())
        except SocketRefused as refused:
            await self.close(int(refused.code))
            return
        self._work = asyncio.create_task(self._serve(access, handshake.after))

    async def disconnect(self, code: int) -> None:
        """The client is gone."""
        if self._work is not None:
            self._work.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing that a client says matters here."""

    async def _serve(self, access: Access, after: int) -> None:
        """Tell events and ask for the rights again, until one of the two ends the socket."""
        tasks = [asyncio.create_task(self._tell(access, after)), asyncio.create_task(self._guard(access))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self.close(_code_of(done.pop()))
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, access: Access, after: int) -> None:
        async with hub().watch(access.job.pk, after) as watcher:
            async for lines in hub().lines_of(watcher):
                for line in lines:
                    await self.send(text_data=line.text)

    async def _guard(self, access: Access) -> None:
        """Ask whenever something happens in the workspace (a member changed, a key ended) and every 30 s."""
        async with hub().bell(access.job.workspace_id) as bell:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), RIGHTS_AGAIN_S)
                bell.clear()
                await _in_thread(access.still_open)(clock.now())


class NoSuchSocket(AsyncWebsocketConsumer):
    """Every other socket address."""

    async def connect(self) -> None:
        """There is nothing here."""
        await self.accept()
        await self.close(int(Close.NO_SUCH_JOB))


def _in_thread(function: Any) -> Any:
    return database_sync_to_async(function, thread_sensitive=False)


def _code_of(ended: asyncio.Task[None]) -> int:
    """Return the close code for what ended a socket; a failure of ours asks the client to come back."""
    error = ended.exception()
    if isinstance(error, SocketRefused):
        return int(error.code)
    if error is not None:
        log.warning("socket.failed", error=str(error)[:200])
    return GOING_AWAY
