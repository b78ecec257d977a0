"""Signed media links against a real web process."""

import hashlib
import http.client
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from genengine.assets.media_urls import signed_media_url
from tests.support.processes import answers, free_port, manage, wait_for

pytestmark = pytest.mark.stack

BODY = bytes(range(256)) * 40
MEGABYTE = 1024 * 1024


@dataclass
class Web:
    port: int
    pid: int
    media: Path

    def put(self, name: str, source: Path) -> None:
        """Store a file where the web process looks for it: its own folder, or the bucket that we share."""
        if settings.S3_BUCKET:
            with source.open("rb") as stream:
                default_storage.save(name, File(stream))
            return
        target = self.media / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@pytest.fixture(scope="module")
def web(tmp_path_factory, django_db_setup, module_environment):
    folder = tmp_path_factory.mktemp("web")
    port = free_port()
    environment = module_environment(folder / "state")
    with manage("web", "--port", str(port), environment=environment, log=folder / "web.log") as process:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"), within_s=180, what="the web process")
        yield Web(port, process.pid, folder / "state" / "media")


@pytest.fixture
def link(web, tmp_path):
    (tmp_path / "film").write_bytes(BODY)
    web.put("blobs/film", tmp_path / "film")

    def make(**options):
        return signed_media_url("blobs/film", **{"filename": "film.mp4", "content_type": "video/mp4", **options})

    return make


def test_serves_the_whole_file_with_safe_headers(web, link):
    status, headers, body = web.get(link())

    assert (status, body) == (200, BODY)
    assert headers["content-type"] == "video/mp4"
    assert headers["accept-ranges"] == "bytes"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]


def test_serves_one_part(web, link):
    status, headers, body = web.get(link(), Range="bytes=100-199")

    assert (status, body) == (206, BODY[100:200])
    assert headers["content-range"] == f"bytes 100-199/{len(BODY)}"
    assert headers["content-length"] == "100"


def test_serves_the_end(web, link):
    assert web.get(link(), Range="bytes=-7")[2] == BODY[-7:]


def test_serves_several_parts_as_one_message(web, link):
    status, headers, body = web.get(link(), Range="bytes=0-3,10-12")

    boundary = headers["content-type"].partition("boundary=")[2].encode()
    parts = body.split(b"--" + boundary)
    assert status == 206
    assert int(headers["content-length"]) == len(body)
    assert [part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts[1:3]] == [BODY[0:4], BODY[10:13]]
    assert parts[3] == b"--\r\n"


def test_refuses_a_part_behind_the_end(web, link):
    status, headers, _ = web.get(link(), Range="bytes=99999999-")

    assert (status, headers["content-range"]) == (416, f"bytes */{len(BODY)}")


def test_a_changed_file_is_sent_whole_when_the_condition_fails(web, link):
    assert web.get(link(), Range="bytes=0-9", If_Range='"another"')[0] == 200


def test_an_unchanged_file_is_continued(web, link):
    etag = web.get(link(), method="HEAD")[1]["etag"]

    assert web.get(link(), Range="bytes=0-9", If_Range=etag)[0] == 206
    assert web.get(link(), If_None_Match=etag)[0] == 304


def test_head_tells_the_size_without_the_bytes(web, link):
    status, headers, body = web.get(link(), method="HEAD")

    assert (status, headers["content-length"], body) == (200, str(len(BODY)), b"")


def test_markup_is_never_sent_as_markup(web, link):
    _, headers, _ = web.get(link(content_type="text/html", filename="evil.html"))

    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment")


def test_a_file_name_cannot_break_the_header(web, link):
    _, headers, _ = web.get(link(filename='a"\r\nSet-Cookie: x=1\u00fc.mp4', download=True))

    assert "set-cookie" not in headers
    assert headers["content-disposition"].startswith("attachment")


def test_a_forged_link_finds_nothing(web, link):
    assert web.get(link()[:-3] + "AAA")[0] == 404


def test_an_expired_link_says_what_to_do(web, link, monkeypatch):
    monkeypatch.setattr("genengine.assets.media_urls.time.time", lambda: 1_000_000_000.0)
    old = link()
    monkeypatch.undo()

    status, _, body = web.get(old)
    assert (status, body) == (403, b"This link has expired. Open the page that showed it again for a new one.\n")


def test_a_link_cannot_leave_the_storage(web, link):
    assert web.get(signed_media_url("../secrets/secret-key", content_type="text/plain"))[0] == 404


@pytest.mark.slow
def test_twenty_parallel_downloads_of_a_large_file_stay_within_300_megabytes(web, tmp_path):
    """Slow clients included: what a client has not taken must not pile up in the web process."""
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(300 * MEGABYTE)
        for position in range(0, 300, 10):
            stream.seek(position * MEGABYTE)
            stream.write(os.urandom(1024))
    web.put("blobs/large", large)
    url = signed_media_url("blobs/large", content_type="video/mp4")
    peak = PeakMemory(web.pid)

    with ThreadPoolExecutor(24) as pool, peak:  # the peak ends first, and with it the stalled clients
        stalled = [pool.submit(read_a_little_then_wait, web, url, peak.done) for _ in range(4)]
        digests = list(pool.map(lambda number: download(web, url, number), range(20)))
        peak.finish()
        assert all(future.result() for future in stalled)

    with large.open("rb") as stream:
        whole = hashlib.file_digest(stream, "sha256").hexdigest()
    assert set(digests) == {whole}
    print(f"peak {peak.megabytes:.0f} MB")
    assert peak.megabytes < 300


def download(web: Web, url: str, number: int) -> str:
    """The file in parts of about 60 MB, as a download manager asks for it; returns the hash of all of it."""
    digest, position, part = hashlib.sha256(), 0, (55 + number) * MEGABYTE
    while position < 300 * MEGABYTE:
        with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)) as connection:
            connection.request("GET", url, headers={"Range": f"bytes={position}-{position + part - 1}"})
            answer = connection.getresponse()
            assert answer.status == 206
            while chunk := answer.read(MEGABYTE):
                digest.update(chunk)
                position += len(chunk)
    return digest.hexdigest()


def read_a_little_then_wait(web: Web, url: str, done: threading.Event) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=120)) as connection:
        connection.request("GET", url)
        answer = connection.getresponse()
        answer.read(1024)
        return done.wait(300)


class PeakMemory:
    """The most that a process held while the block ran."""

    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.done = threading.Event()
        self.highest = 0
        self.thread = threading.Thread(target=self._watch)

    @property
    def megabytes(self) -> float:
        return self.highest / MEGABYTE

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.finish()
        self.thread.join()

    def finish(self) -> None:
        self.done.set()

    def _watch(self) -> None:
        while not self.done.wait(0.05):
            self.highest = max(self.highest, self.process.memory_info().rss)
