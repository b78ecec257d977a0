"""The edge of every request: its correlation id, and one log line when it is answered."""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from genengine.core.correlation import correlated

log = structlog.get_logger("genengine.request")

HEADER = "X-Correlation-ID"
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET_PATHS = ("/static/", "/healthz", "/readyz", "/metrics")


class CorrelationMiddleware:
    """Gives each request the partner's correlation id when it sends a proper one, else a fresh one; answers with it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._answer_async(request)
        started = time.perf_counter()
        with correlated(_offered(request)) as identifier:
            return _finish(request, self.get_response(request), identifier, started)

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        with correlated(_offered(request)) as identifier:
            return _finish(request, await self.get_response(request), identifier, started)


def _offered(request: HttpRequest) -> str:
    value = request.headers.get(HEADER, "")
    return value if ACCEPTABLE.fullmatch(value) else ""


def _finish(request: HttpRequest, response: HttpResponseBase, identifier: str, started: float) -> HttpResponseBase:
    response[HEADER] = identifier
    if not request.path.startswith(QUIET_PATHS):
        log.info(
            "request.finished",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000),
        )
    return response
