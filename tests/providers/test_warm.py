"""Reads over warm connections are as guarded as every other call."""

from __future__ import annotations

import datetime as dt
import gzip
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from providers.errors import Transient
from providers.http import CallKind, Redactor, Reply, Timeouts, VendorClient, keep_warm, new_session
from providers.warm import ReadPool

KEY = {"Authorization": "Bearer planted-key"}


class Vendor(BaseHTTPRequestHandler):
    """Tells what it was asked, by which connection."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str, int]]] = []
    target: ClassVar[str] = ""
    go_on: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", ""), self.client_address[1]))
        if self.path == "/slow":
            self.go_on.wait(20)
        body = b'{"status": "processing"}'
        if self.path == "/packed":
            body = gzip.compress(body)
        self.send_response(302 if self.path == "/away" else 200)
        if self.path == "/away":
            self.send_header("Location", self.target)
        self.send_header("Content-Type", "application/json")
        if self.path == "/packed":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(body) + 9 * (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.path == "/cut"

    def log_message(self, *args: object) -> None:
        """Stay silent."""


@contextmanager
def serving(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", port), Vendor)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def port() -> Iterator[int]:
    Vendor.seen.clear()
    Vendor.go_on.clear()
    with serving() as number:
        yield number
        Vendor.go_on.set()


def client(base_url: str, *, public_only: bool = False, **changes: Any) -> VendorClient:
    session = keep_warm(new_session(base_url, public_only=public_only), base_url, public_only=public_only)
    return VendorClient(session, base_url, Redactor(["planted-key"]), **changes)


def read(base_url: str, path: str, **options: Any) -> Reply:
    return client(base_url, **options).call(CallKind.READ, "GET", path, headers=KEY)


def test_reads_of_all_threads_share_their_connections(port: int) -> None:
    base_url = f"http://127.0.0.1:{port}"
    for _ in range(3):
        reader = threading.Thread(target=read, args=(base_url, "/v1/tasks/1"))
        reader.start()
        reader.join()
    assert [path for path, *_ in Vendor.seen] == ["/v1/tasks/1"] * 3
    assert len({connection for *_, connection in Vendor.seen}) == 1


def test_a_connection_that_the_vendor_closed_is_made_anew() -> None:
    with serving() as port:
        assert read(f"http://127.0.0.1:{port}", "/v1").status == 200
    with serving(port):
        assert read(f"http://127.0.0.1:{port}", "/v1").status == 200


def test_an_answer_is_read_whole_with_its_headers(port: int) -> None:
    reply = read(f"http://127.0.0.1:{port}", "/packed")
    assert (reply.data, reply.retry_after, reply.headers["content-type"]) == (
        {"status": "processing"}, 7.0, "application/json",
    )  # fmt: skip


def test_an_answer_that_is_cut_off_is_no_answer(port: int) -> None:
    with pytest.raises(Transient, match="ConnectionError"):
        read(f"http://127.0.0.1:{port}", "/cut")


def test_parameters_are_spelled_as_in_every_other_call(port: int) -> None:
    base_url = f"http://127.0.0.1:{port}"
    params = {"ids": ["a b", "ü"], "page": 2, "after": None}
    client(base_url).call(CallKind.READ, "GET", "/v1?x=1", params=params)
    VendorClient(new_session(base_url), base_url, Redactor(())).call(CallKind.READ, "GET", "/v1?x=1", params=params)
    assert Vendor.seen[0][0] == Vendor.seen[1][0] == "/v1?x=1&ids=a+b&ids=%C3%BC&page=2"


def test_a_redirect_is_not_followed_and_takes_no_key_along(port: int) -> None:
    with serving() as other:
        Vendor.target = f"http://127.0.0.1:{other}/stolen"
        assert read(f"http://127.0.0.1:{port}", "/away").status == 302
    assert [path for path, *_ in Vendor.seen] == ["/away"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"]
)
def test_a_private_address_is_not_connected_to(port: int, host: str) -> None:
    with pytest.raises(Transient):
        read(f"http://{host}:{port}", "/v1", public_only=True)
    assert Vendor.seen == []


def test_a_vendor_whose_certificate_nobody_vouches_for_gets_no_key(tmp_path: Path) -> None:
    Vendor.seen.clear()
    with serving(tls=_self_signed(tmp_path)) as port, pytest.raises(Transient, match="SSLError"):
        read(f"https://localhost:{port}", "/v1")
    assert Vendor.seen == []


def test_a_vendor_whose_certificate_is_vouched_for_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = _self_signed(tmp_path)
    monkeypatch.setattr("providers.warm.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "vendor.pem"))
    with serving(tls=tls) as port:
        assert read(f"https://localhost:{port}", "/v1").status == 200
        with pytest.raises(Transient, match="SSLError"):
            read(f"https://127.0.0.1:{port}", "/v1")  # not the name that the certificate is for


def test_an_answer_that_does_not_come_is_a_passing_fault_with_its_record(port: int) -> None:
    asked = client(f"http://127.0.0.1:{port}", timeouts=Timeouts(connect=5, read=0.2))
    with pytest.raises(Transient, match="ReadTimeout"):
        asked.call(CallKind.READ, "GET", "/slow", headers=KEY)
    (exchange,) = asked.exchanges
    assert (exchange.status, "planted-key" in repr(exchange)) == (0, False)


def test_a_key_that_would_smuggle_a_header_is_not_sent(port: int) -> None:
    with pytest.raises(Transient, match="InvalidHeader"):
        client(f"http://127.0.0.1:{port}").call(CallKind.READ, "GET", "/v1", headers={"X-Key": "a\r\nX-Other: b"})
    assert Vendor.seen == []


def test_only_addresses_of_the_very_origin_are_served() -> None:
    pool = ReadPool("http://vendor.example:80", public_only=True)
    assert pool.serves("http://vendor.example:80/v1/tasks")
    for other in ("http://vendor.example:8080/v1", "http://vendor.example:80@evil/", "https://vendor.example:80/v1"):
        assert not pool.serves(other)


def test_an_address_behind_a_proxy_or_with_a_login_goes_the_usual_way(monkeypatch: pytest.MonkeyPatch) -> None:
    assert client("http://user:secret@vendor.example").session.reads is None  # type: ignore[attr-defined]
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert client("http://vendor.example").session.reads is None  # type: ignore[attr-defined]


def _self_signed(folder: Path) -> ssl.SSLContext:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - dt.timedelta(days=1), now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "vendor.pem").write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "vendor.pem")
    return context
