"""A vendor that tells the key back, in whatever place: nothing that is kept or shown has it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from providers.adapters.kling import KlingAdapter
from providers.errors import ProviderError
from providers.values import RemoteState, RemoteTask, Task

KEY = "planted-key-5c1d77e0a9"


class _Echo(BaseHTTPRequestHandler):
    """Answers every poll with a failed task whose words are the request's own headers."""

    data: ClassVar[Any] = None

    def do_GET(self) -> None:
        told = f"rejected: {self.headers['Authorization']}"
        task = {"id": "7", "status": "failed", "message": told, "external_id": ""}
        body = json.dumps({"code": 0, "message": told, "data": [task] if self.data is None else self.data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def kling() -> Iterator[KlingAdapter]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield KlingAdapter(credentials={"api_key": KEY}, base_url=f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()
    thread.join()


def task() -> RemoteTask:
    return RemoteTask("7", Task.TEXT_TO_VIDEO, "kling-3.0", {})


def test_a_failed_tasks_words_have_no_key(kling: KlingAdapter) -> None:
    report = kling.poll(task())
    assert report.state is RemoteState.FAILED
    assert report.error is not None
    assert report.error.message.startswith("rejected: Bearer [")
    assert KEY not in f"{report.error} {report.vendor_state} {kling.take_exchanges()}"


def test_a_callbacks_words_have_no_key(kling: KlingAdapter) -> None:
    told = {"id": "7", "status": f"odd-{KEY}", "message": f"rejected: {KEY}", "external_id": ""}
    (report,) = kling.parse_webhook({}, json.dumps(told).encode())
    assert KEY not in f"{report.error} {report.vendor_state}"
    failed = {**told, "status": "failed"}
    (report,) = kling.parse_webhook({}, json.dumps(failed).encode())
    assert report.error is not None
    assert KEY not in report.error.message


def test_an_error_that_an_adapter_raises_by_itself_has_no_key(
    kling: KlingAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Echo, "data", [])
    with pytest.raises(ProviderError, match="knows no task") as caught:
        kling.poll(RemoteTask(f"id-{KEY}", Task.TEXT_TO_VIDEO, "kling-3.0", {}))
    assert KEY not in f"{caught.value} {caught.value.message} {caught.value.args}"
