"""The remote engine as seen from here: files up by digest, one order, its progress, the result checked by its digest.

Nothing is asked twice without need: what the server has is not uploaded, an order that was lost is sent again under
its own key, a download that broke goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import requests

from genengine.media.compose.compiler import CompileReport
from genengine.media.errors import MediaError, RenderCancelled, SpecError, SpecProblem
from genengine.media.remote.engine import Cancelled, Order, Progress
from genengine.media.remote.facts import build_facts, processor_facts
from genengine.media.spec.parse import parse, references

CONNECT_S, READ_S, UPLOAD_S = 5.0, 30.0, 600.0
CHUNK = 1 << 20
LOOK_EVERY_S = 0.25


class RemoteEngineError(MediaError):
    """The remote engine did not render."""


class RemoteUnavailable(RemoteEngineError):
    """It cannot be reached, has no room, or stopped answering; later it may."""


class RemoteRefused(RemoteEngineError):
    """It does not accept us or what was sent; asking again gives the same answer."""


class RemoteRenderFailed(RemoteEngineError):
    """It tried and failed, or its result is not what it says."""


class RemoteEngine:
    """One render server. ``session`` is injected; redirects are never followed, so the token stays with one host.

    ``timeout_s`` bounds a whole render, ``patience_s`` how long a server that stopped answering is waited for.
    """

    name = "remote"
    label = "remote engine"

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        session: requests.Session,
        timeout_s: float = 1800.0,
        patience_s: float = 20.0,
        poll_s: float = 0.5,
    ) -> None:
        self._base, self._session = base_url.rstrip("/"), session
        self._headers = {"Authorization": f"Bearer {token}"}
        self._timeout_s, self._patience_s, self._poll_s = timeout_s, patience_s, poll_s

    def render(
        self, order: Order, out: Path, *, progress: Progress | None = None, cancelled: Cancelled = lambda: False
    ) -> CompileReport:
        """Render there, and bring film and thumbnail here. Raises ``RemoteEngineError``, ``SpecError``, and
        ``RenderCancelled`` after the server was told to stop."""
        deadline = time.monotonic() + self._timeout_s
        digests = _digests(order)
        ask = _Asking(self._patience_s, deadline, cancelled)
        self._upload(order, digests, ask)
        status = self._order(order, digests, ask)
        try:
            status = self._follow(status, ask, progress)
        except (RenderCancelled, RemoteUnavailable):
            self._cancel(status["id"])
            raise
        return self._collect(status, out, ask)

    def health(self) -> dict[str, Any]:
        """Build, processor, free disk and queue of the server."""
        return self._json(self._call("GET", "/healthz"))

    # -- the steps of a render -------------------------------------------------------------------------------

    def _upload(self, order: Order, digests: Mapping[str, str], ask: _Asking) -> None:
        for name, sha256 in sorted(digests.items()):
            address = f"/v1/blobs/{sha256}"
            if ask(partial(self._call, "HEAD", address, known=(404,))).status_code != 404:
                continue
            ask(partial(self._put, address, order.files[name]))

    def _put(self, address: str, path: Path) -> requests.Response:
        with path.open("rb") as file:
            return self._call("PUT", address, data=file, timeout=(CONNECT_S, UPLOAD_S))

    def _order(self, order: Order, digests: Mapping[str, str], ask: _Asking) -> dict[str, Any]:
        body = {"spec": dict(order.spec), "assets": dict(digests)}
        content = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        headers = {"Idempotency-Key": order.key or content}
        return self._json(ask(lambda: self._call("POST", "/v1/renders", json=body, headers=headers)))

    def _follow(self, status: dict[str, Any], ask: _Asking, progress: Progress | None) -> dict[str, Any]:
        """Wait for the end, telling how far it is."""
        while status["state"] in ("queued", "rendering"):
            if progress is not None:
                progress(int(status["frames_done"]), int(status["frames_total"]))
            ask.pause(self._poll_s)
            status = self._json(ask(partial(self._call, "GET", f"/v1/renders/{status['id']}")))
        if status["state"] == "done":
            if progress is not None:
                progress(int(status["frames_total"]), int(status["frames_total"]))
            return status
        failure = status.get("failure") or {"code": status["state"], "detail": f"The render was {status['state']}."}
        if failure.get("code") == "spec":
            raise SpecError(_problems(failure))
        raise RemoteRenderFailed(f"{failure.get('detail', '')} {failure.get('fix', '')}".strip())

    def _collect(self, status: dict[str, Any], out: Path, ask: _Asking) -> CompileReport:
        report, address = dict(status["report"] or {}), f"/v1/renders/{status['id']}"
        film, still = out.with_name(f".{out.name}.part"), out.with_name(f".{out.stem}.jpg.part")
        try:
            film.unlink(missing_ok=True)
            ask(lambda: self._download(f"{address}/result", film))
            measured = _digest(film)
            if measured != report.get("sha256"):
                raise RemoteRenderFailed(f"The result has the digest {measured}, not {report.get('sha256')}.")
            ask(lambda: self._download(f"{address}/thumbnail", still))
            os.replace(still, out.with_suffix(".jpg"))
            os.replace(film, out)
        finally:
            for rest in (film, still):
                rest.unlink(missing_ok=True)
        return _report(report, out, status)

    def _download(self, address: str, path: Path) -> None:
        """Bring a file here; what is there already from a broken try is not asked for again."""
        have = path.stat().st_size if path.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._call("GET", address, headers=headers, stream=True, known=(416,)) as reply:
            if reply.status_code == 416:  # nothing is left: the break came after the last byte
                return
            with path.open("ab" if reply.status_code == 206 else "wb") as file:
                for chunk in reply.iter_content(CHUNK):
                    file.write(chunk)

    def _cancel(self, render_id: str) -> None:
        """Tell the server to stop. It may be gone; then there is nothing to stop."""
        with suppress(RemoteEngineError, requests.RequestException):
            self._call("POST", f"/v1/renders/{render_id}/cancel")

    # -- one call --------------------------------------------------------------------------------------------

    def _call(self, method: str, address: str, *, known: tuple[int, ...] = (), **options: Any) -> requests.Response:
        headers = {**self._headers, **options.pop("headers", {})}
        options.setdefault("timeout", (CONNECT_S, READ_S))
        reply = self._session.request(method, self._base + address, headers=headers, allow_redirects=False, **options)
        if reply.status_code < 300 or reply.status_code in known:
            return reply
        raise _error(reply)

    def _json(self, reply: requests.Response) -> dict[str, Any]:
        try:
            values = reply.json()
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise RemoteRefused("The address of the remote engine answers, but it is no render server.")
        return values


class _Asking:
    """Calls repeated while the server is away or full, as long as patience, deadline and the caller allow."""

    def __init__(self, patience_s: float, deadline: float, cancelled: Cancelled) -> None:
        self._patience_s, self._deadline, self._cancelled = patience_s, deadline, cancelled
        self._clock = threading.Event()

    def __call__(self, call: Callable[[], Any]) -> Any:
        started, pause = time.monotonic(), 0.2
        while True:
            try:
                return call()
            except (requests.RequestException, RemoteUnavailable) as error:
                if time.monotonic() - started > self._patience_s:
                    raise RemoteUnavailable(f"It does not answer: {_words(error)}") from error
                pause = min(3.0, pause * 2)
                self.pause(pause)

    def pause(self, seconds: float) -> None:
        """Wait, asking the caller often whether the work is still wanted."""
        until = time.monotonic() + seconds
        while True:
            if self._cancelled():
                raise RenderCancelled
            now = time.monotonic()
            if now > self._deadline:
                raise RemoteUnavailable("It took longer than the time that a render may take.")
            if now >= until:
                return
            self._clock.wait(min(LOOK_EVERY_S, until - now))


def _words(error: Exception) -> str:
    if isinstance(error, RemoteUnavailable):
        return str(error)
    return "no connection" if isinstance(error, requests.ConnectionError) else type(error).__name__


def _error(reply: requests.Response) -> MediaError:
    """The server's own words as an error that says what may be done."""
    try:
        values: Any = reply.json()
    except (ValueError, requests.RequestException):
        values = None
    problem: dict[str, Any] = values if isinstance(values, dict) else {}
    words = f"{problem.get('detail', f'It answered {reply.status_code}.')} {problem.get('fix', '')}".strip()
    if reply.status_code == 422 and problem.get("code") == "spec":
        return SpecError(_problems(problem))
    if reply.status_code in (429, 502, 503, 504, 507) or problem.get("code") == "blobs_missing":
        return RemoteUnavailable(words)
    return RemoteRefused(words)


def _problems(values: Mapping[str, Any]) -> list[SpecProblem]:
    rows = values.get("problems") or [{"path": "$", "message": values.get("detail", ""), "fix": ""}]
    return [SpecProblem(str(r.get("path")), str(r.get("message")), str(r.get("fix"))) for r in rows]


def _digests(order: Order) -> dict[str, str]:
    """Digest of each file that the spec uses. Raises ``SpecError`` for a wrong spec or a missing file."""
    out, problems = {}, []
    for name in sorted({name for _, name, _ in references(parse(order.spec))}):
        path = order.files.get(name)
        if path is None or not Path(path).is_file():
            problems.append(SpecProblem(f"$.assets.{name}", "no file was given for it.", f"Pass assets[{name!r}]."))
        else:
            out[name] = _digest(Path(path))
    if problems:
        raise SpecError(problems)
    return out


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _report(values: dict[str, Any], out: Path, status: Mapping[str, Any]) -> CompileReport:
    """The server's report with our places; another build or kind of processor is a remark, for the bytes may differ."""
    warnings = tuple(values.get("warnings", ()))
    theirs, ours = status.get("build") or {}, build_facts()
    other = sorted(name for name in ours if ours[name] != theirs.get(name) and name != "ffmpeg")
    if other:
        warnings += (f"The remote engine has another build of {', '.join(other)}: other bytes than here are possible.",)
    if (status.get("processor") or {}).get("machine") != processor_facts()["machine"]:
        warnings += ("The remote engine has another kind of processor: other bytes than here are possible.",)
    known = {item.name for item in fields(CompileReport)}
    kept = {name: value for name, value in values.items() if name in known}
    try:
        return CompileReport(**kept | {"path": out, "thumbnail": out.with_suffix(".jpg"), "warnings": warnings})
    except TypeError as error:
        raise RemoteRenderFailed(f"Its report lacks a field ({error}); upgrade the older side.") from error
