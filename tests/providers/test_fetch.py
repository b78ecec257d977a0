"""Results are fetched from public addresses only, whole, bounded, and without a key for a foreign host."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import requests
import responses

from providers.addresses import is_public
from providers.errors import Exchange, InvalidRequest, ResultGone, Transient
from providers.fetch import fetch_to_file
from providers.http import new_session


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.9", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1%eth0",
        "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1",
        "::127.0.0.1", "::", "fe80::1", "fec0::1", "fd00::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "255.255.255.255",
    ],
)  # fmt: skip
def test_private_addresses_in_every_form_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


class _Handler(BaseHTTPRequestHandler):
    seen: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = b"" if self.path == "/empty" else b"x" * 1000
        self.send_response({"/gone": 404, "/broken": 502}.get(self.path, 200))
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", "2000" if self.path == "/short" else str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Stay silent."""


def _serve() -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


@pytest.fixture
def own() -> Iterator[str]:
    """The vendor's own address, which may be on this machine."""
    _Handler.seen.clear()
    server = _serve()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def other() -> Iterator[str]:
    server = _serve()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_file_of_the_vendor_itself_comes_whole_and_is_recorded(own: str, tmp_path: Path) -> None:
    exchanges: list[Exchange] = []
    url = f"{own}/clip?signature=abc"
    artefact = fetch_to_file(url, tmp_path, stem="video-0", own_base_url=own, exchanges=exchanges)
    assert artefact.size == 1000
    assert artefact.path.name == "video-0.mp4"
    assert "abc" not in exchanges[0].url


def test_another_private_host_is_never_connected_to(own: str, other: str, tmp_path: Path) -> None:
    with pytest.raises(Transient):
        fetch_to_file(f"{other}/clip", tmp_path, stem="v", own_base_url=own)
    assert _Handler.seen == []


def test_a_redirect_into_the_private_network_is_not_followed(own: str, other: str, tmp_path: Path) -> None:
    with pytest.raises(Transient):
        fetch_to_file(f"{own}/to?{other}/clip", tmp_path, stem="v", own_base_url=own)
    assert [path.partition("?")[0] for path, _ in _Handler.seen] == ["/to"]


def test_a_name_that_means_this_machine_is_refused_too(own: str, tmp_path: Path) -> None:
    port = own.rsplit(":", 1)[1]
    with pytest.raises(Transient):
        fetch_to_file(f"http://localhost:{port}/clip", tmp_path, stem="v", own_base_url=own)
    assert _Handler.seen == []


def test_a_file_address_is_refused(own: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest):
        fetch_to_file("file:///etc/hostname", tmp_path, stem="v", own_base_url=own)


def test_a_key_goes_to_the_vendors_own_host_only(own: str, tmp_path: Path) -> None:
    fetch_to_file(f"{own}/clip", tmp_path, stem="v", own_base_url=own, headers={"Authorization": "Bearer k"})
    assert _Handler.seen == [("/clip", "Bearer k")]


@pytest.mark.parametrize(
    ("path", "error"), [("/gone", ResultGone), ("/broken", Transient), ("/short", Transient), ("/empty", Transient)]
)
def test_a_bad_answer_leaves_nothing_behind(own: str, tmp_path: Path, path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        fetch_to_file(own + path, tmp_path, stem="v", own_base_url=own)
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_limit_is_refused(own: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="limit"):
        fetch_to_file(f"{own}/clip", tmp_path, stem="v", own_base_url=own, max_bytes=999)
    assert list(tmp_path.iterdir()) == []


def test_a_vendors_session_connects_to_no_private_address_whatever_its_name_says(own: str) -> None:
    port = own.rsplit(":", 1)[1]
    session = new_session(own, public_only=True)
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "0177.0.0.1", "127.1"):
        with pytest.raises(requests.ConnectionError):
            session.get(f"http://{host}:{port}/clip", timeout=2)
    assert _Handler.seen == []
    assert new_session(own).get(f"{own}/clip", timeout=2).status_code == 200


def _answers(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let each look-up of a name give the next answer; returns the addresses that were connected to."""
    left, connected = list(answers), list[str]()

    def look_up(host: str, port: int, *args: object, **kwargs: object) -> list[object]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    def connect(address: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr("providers.addresses.socket.getaddrinfo", look_up)
    monkeypatch.setattr("providers.addresses.create_connection", connect)
    return connected


def test_a_name_whose_answer_changes_is_connected_to_by_the_address_that_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected = _answers(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    session = new_session("https://vendor.example", public_only=True)
    for _ in range(2):
        with pytest.raises(requests.ConnectionError):
            session.get("http://turning.example/clip", timeout=2)
    assert connected == ["93.184.216.34"]


def test_one_private_address_among_public_ones_is_enough_to_refuse_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = _answers(monkeypatch, ["93.184.216.34", "10.0.0.7"])
    with pytest.raises(requests.ConnectionError):
        new_session("https://vendor.example", public_only=True).get("http://mixed.example/clip", timeout=2)
    assert connected == []


def test_a_redirect_to_another_host_loses_the_key_on_the_way(tmp_path: Path) -> None:
    vendor, cdn = "https://api.vendor.example/result", "https://cdn.example/clip.mp4"
    with responses.RequestsMock() as web:
        web.get(vendor, status=302, headers={"Location": cdn})
        web.get(cdn, body=b"film", content_type="video/mp4")
        fetch_to_file(
            vendor, tmp_path, stem="v", own_base_url="https://api.vendor.example", headers={"Authorization": "Bearer k"}
        )
        assert [call.request.headers.get("Authorization") for call in web.calls] == ["Bearer k", None]
