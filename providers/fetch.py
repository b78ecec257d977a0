"""Bringing a vendor's result here: streamed, bounded, hashed, and only from addresses that may be asked.

A result address comes from outside. It is resolved once per connection and only a public address is
connected to, except the host the vendor itself is configured under (the emulator on this machine). Redirects
are followed by hand, each checked the same way, and a key never goes to another host.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from requests import exceptions as rx
from requests.adapters import HTTPAdapter

from providers.addresses import PublicOnlyTransport
from providers.errors import Exchange, InvalidRequest, ResultGone, Transient
from providers.http import Redactor, Timeouts
from providers.values import Artefact

DEFAULT_MAX_BYTES = 1_000_000_000
CHUNK = 256 * 1024
MAX_REDIRECTS = 4
SUFFIXES = {
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/ogg": ".ogg",
}


def result_session(own_base_url: str) -> requests.Session:
    """A session without credentials or environment proxies; only the vendor's own address may be private."""
    session = requests.Session()
    session.trust_env = False
    guarded = PublicOnlyTransport()
    session.mount("https://", guarded)
    session.mount("http://", guarded)
    own = urlsplit(own_base_url)
    session.mount(f"{own.scheme}://{own.netloc}/", HTTPAdapter())
    return session


def fetch_to_file(
    url: str,
    sink: Path,
    *,
    stem: str,
    own_base_url: str,
    headers: Mapping[str, str] | None = None,
    media_type: str = "",
    kind: str = "video",
    max_bytes: int = DEFAULT_MAX_BYTES,
    timeouts: Timeouts | None = None,
    redactor: Redactor | None = None,
    exchanges: list[Exchange] | None = None,
) -> Artefact:
    """Fetch one result into ``sink``. A short file is ``Transient``, a vanished one ``ResultGone``."""
    patience, hide = timeouts or Timeouts(), redactor or Redactor(())
    started = time.monotonic()
    with result_session(own_base_url) as session:
        try:
            answer = _open(session, url, headers or {}, (patience.connect, patience.read))
            with answer:
                _record(exchanges, hide, url, answer, started)
                _refuse_bad_status(answer)
                found = answer.headers.get("Content-Type", "").partition(";")[0].strip()
                kept = media_type or found or "application/octet-stream"
                sink.mkdir(parents=True, exist_ok=True)
                path = sink / f"{stem}{SUFFIXES.get(kept, '.bin')}"
                digest, size = _stream(answer, path, max_bytes)
        except rx.InvalidURL as error:
            raise InvalidRequest("The vendor named a result address that is not an address.") from error
        except rx.RequestException as error:
            words = hide.text(f"{type(error).__name__}")
            raise Transient(f"The result could not be fetched ({words}); fetch it again.") from error
    return Artefact(path, kept, digest, size, kind)


def _open(
    session: requests.Session, url: str, headers: Mapping[str, str], timeout: tuple[float, float]
) -> requests.Response:
    sent = dict(headers)
    for _ in range(MAX_REDIRECTS + 1):
        if urlsplit(url).scheme not in ("http", "https"):
            raise InvalidRequest("The vendor named a result address that is not http or https.")
        answer = session.get(
            url,
            headers={"User-Agent": "generation-engine/1", "Accept-Encoding": "identity", **sent},
            stream=True,
            timeout=timeout,
            allow_redirects=False,
        )
        target = answer.headers.get("Location", "")
        if answer.status_code not in (301, 302, 303, 307, 308) or not target:
            return answer
        answer.close()
        following = urljoin(url, target)
        if urlsplit(following).netloc != urlsplit(url).netloc:
            sent = {}
        url = following
    raise Transient("The result address redirects in circles; ask the vendor for a new one.")


def _refuse_bad_status(answer: requests.Response) -> None:
    status = answer.status_code
    if status == 200:
        return
    if status in (401, 403, 404, 410):
        raise ResultGone(f"The result is no longer at its address ({status}); poll for a new address.", str(status))
    raise Transient(f"The result's host answered {status}; fetch it again.", str(status))


def _stream(answer: requests.Response, path: Path, max_bytes: int) -> tuple[str, int]:
    """Write through a ``.part`` file that is fsynced and renamed, so a file with its name is whole."""
    promised = answer.headers.get("Content-Length", "")
    if promised.isdigit() and int(promised) > max_bytes:
        raise InvalidRequest(f"The result has {promised} bytes, more than the limit of {max_bytes}.")
    digest, size, part = hashlib.sha256(), 0, path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            for chunk in answer.iter_content(CHUNK):
                size += len(chunk)
                if size > max_bytes:
                    raise InvalidRequest(f"The result is larger than the limit of {max_bytes} bytes.")
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if size == 0 or (promised.isdigit() and size != int(promised)):
            raise Transient(f"The result ended after {size} of {promised or 'unknown'} bytes; fetch it again.")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest(), size


def _record(
    exchanges: list[Exchange] | None, hide: Redactor, url: str, answer: requests.Response, started: float
) -> None:
    if exchanges is None:
        return
    exchanges.append(
        Exchange(
            "GET",
            hide.url(url),
            answer.status_code,
            round(time.monotonic() - started, 4),
            response_headers=hide.headers(answer.headers),
            note="result file",
        )
    )
