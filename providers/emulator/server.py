"""The emulator's HTTP side on twisted.web: dispatch, scripted trouble, files, control, callbacks."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import requests
from twisted.internet import reactor as running_reactor
from twisted.internet import task, threads
from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from providers.emulator.accounts import TEST_WEBHOOK_SECRET
from providers.emulator.faults import BadFaultScript, FaultScript, Trouble, load_faults, parse_faults
from providers.emulator.log import CallLog
from providers.emulator.media.cache import MediaCache
from providers.emulator.media.video import SCALE
from providers.emulator.sending import Sender, abort
from providers.emulator.sockets import EventSocket
from providers.emulator.store import StoredWebhook, TaskStore
from providers.emulator.vendor import Route, Vendor, World
from providers.emulator.vendors import VENDORS
from providers.emulator.wire import Answer, Call, LogNote

reactor: Any = running_reactor  # twisted installs it at run time; its interfaces are not typed for callers
WEBHOOK_TICK_S = 0.1
WEBHOOK_TRIES = 3
WEBHOOK_TIMEOUT_S = 5.0
MAX_BODY = 200 * 1024 * 1024
BEFORE = {Trouble.STATUS, Trouble.RATE_LIMITED, Trouble.ERROR_BODY, Trouble.NOT_JSON, Trouble.DROP_BEFORE}


@dataclass(frozen=True, slots=True)
class Options:
    """How the emulator is started. Without a log its state lives in a temporary folder and ends with it."""

    port: int
    host: str = "127.0.0.1"
    speed: float = 1.0
    faults: Path | None = None
    log: Path | None = None
    webhook_secret: str = TEST_WEBHOOK_SECRET
    picture_scale: float = 1.0


class Emulator(Resource):
    """Every vendor below its own prefix; ``/files`` for results, ``/_control`` for faults and health."""

    isLeaf = True  # noqa: N815 (twisted's name)

    def __init__(self, options: Options, folder: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        store = TaskStore(folder / "tasks.sqlite")
        key = store.meta("file_key", secrets.token_hex(16)).encode()
        self.world = World(store, folder, options.speed, file_key=key)
        self.log = CallLog(options.log, echo=options.log is None)
        self.script = FaultScript(load_faults(options.faults) if options.faults else [])
        SCALE.factor = options.picture_scale
        self.cache = MediaCache(folder / ("media" if SCALE.factor >= 1 else f"media-{SCALE.factor:g}"))
        self.vendors = {kind.name: kind(self.world) for kind in VENDORS}
        self.routes: dict[str, list[Route]] = {name: vendor.routes() for name, vendor in self.vendors.items()}
        for name in self.vendors:
            self.world.webhook_secrets[name] = options.webhook_secret
        self.sender = Sender(self.cache)
        self._sending: set[int] = set()
        self._complete_the_log()

    def _complete_the_log(self) -> None:
        """Write the charges whose line a SIGKILL kept out of the log."""
        for kept in self.world.store.unlogged_bills():
            if not self.log.has_bill(kept.id):
                self.log.write(
                    vendor=kept.vendor,
                    endpoint="submit",
                    remote_id=kept.id,
                    idempotency_key=kept.idempotency_key,
                    billed=True,
                    cost=str(kept.cost),
                    currency=kept.currency,
                    replay=False,
                    recovered=True,
                )
            self.world.store.mark_logged(kept.vendor, kept.id)

    # -- requests --------------------------------------------------------------------------------------------

    def render(self, request: Request) -> int:
        try:
            self._dispatch(request)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self.sender.send(request, Answer.of_json({"error": "the emulator failed; see its stderr"}, 500))
        return NOT_DONE_YET

    def _dispatch(self, request: Request) -> None:
        path = request.path.decode("utf-8", "replace")
        if path.startswith("/_control/"):
            self.sender.send(request, self._control(request, path))
            return
        if path.startswith("/files/"):
            if request.method == b"OPTIONS":
                self.sender.send(request, _preflight(_call(request, path)))
            else:
                self._file(request, path)
            return
        prefix, _, rest = path.removeprefix("/").partition("/")
        vendor = self.vendors.get(prefix)
        if vendor is None:
            known = ", ".join(f"/{name}" for name in sorted(self.vendors))
            self.sender.send(request, Answer.of_json({"error": f"no such vendor; there are {known}"}, 404))
            return
        call = _call(request, _readable("/" + rest, keep_slashes=vendor.keeps_encoded_slashes))
        wants_socket = call.headers.get("upgrade", "").lower() == "websocket"
        source = vendor.events(call) if wants_socket else None
        if source is not None:
            EventSocket.take_over(request, source)
        elif vendor.cors and call.method == "OPTIONS":
            self.sender.send(request, _preflight(call))
        else:
            self._answer(request, vendor, call)

    def _answer(self, request: Request, vendor: Vendor, call: Call) -> None:
        found, groups = self._route(vendor, call)
        endpoint = found.endpoint if found else "none"
        call.fault = self.script.pick(vendor.name, endpoint, call.body)
        trouble = call.fault.do if call.fault else None
        if call.fault and trouble in BEFORE and not call.fault.after:
            answer = self._spoiled(vendor, call)
        elif trouble is Trouble.EXPIRED_URL:
            answer = vendor.not_found(call)
        elif found is None:
            answer = self._unrouted(vendor, call)
        else:
            answer = self._handled(vendor, found, call, groups)
            if call.fault and trouble is Trouble.STATUS:
                answer = vendor.server_error(call.fault.status).noting(answer.note)
        if vendor.cors:
            answer.headers |= {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*"}
        dropped = trouble in (Trouble.LOST_RESPONSE, Trouble.DROP_BEFORE)
        self._log(vendor, endpoint, call, answer, 0 if dropped else answer.status)
        if dropped:
            abort(request)
        elif call.fault and trouble is Trouble.SLOW:
            reactor.callLater(call.fault.seconds, self.sender.send, request, answer)
        else:
            self.sender.send(request, answer, cut=trouble is Trouble.TRUNCATED_FILE)

    def _route(self, vendor: Vendor, call: Call) -> tuple[Route | None, dict[str, str]]:
        """The first route that fits; HEAD goes where GET goes, and one slash at the end is forgiven."""
        method = "GET" if call.method == "HEAD" else call.method
        for path in dict.fromkeys((call.path, call.path.removesuffix("/"))):
            for item in self.routes[vendor.name]:
                match = item.pattern.match(path) if item.method == method else None
                if match:
                    return item, match.groupdict()
        return None, {}

    def _unrouted(self, vendor: Vendor, call: Call) -> Answer:
        """404 for an address the vendor does not have, 405 for a method that the address does not take."""
        methods = sorted({item.method for item in self.routes[vendor.name] if item.pattern.match(call.path)})
        return vendor.wrong_method(call, methods) if methods else vendor.not_found(call)

    @staticmethod
    def _handled(vendor: Vendor, found: Route, call: Call, groups: dict[str, str]) -> Answer:
        """The handler's answer; a value it stumbles over is the caller's mistake and gets the vendor's 4xx."""
        try:
            return found.handler(call, **groups)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            traceback.print_exc(file=sys.stderr)
            return vendor.malformed(call, f"The request could not be read: {type(error).__name__}: {error}"[:200])

    def _spoiled(self, vendor: Vendor, call: Call) -> Answer:
        fault = call.fault
        assert fault is not None
        if fault.do is Trouble.RATE_LIMITED:
            return vendor.rate_limited(fault.retry_after)
        if fault.do is Trouble.ERROR_BODY:
            return vendor.error_in_ok()
        if fault.do is Trouble.NOT_JSON:
            return Answer(200, b"<html><body>Bad gateway</body></html>", media_type="text/html")
        return vendor.server_error(fault.status)

    def _log(self, vendor: Vendor, endpoint: str, call: Call, answer: Answer, status: int) -> None:
        for note in (answer.note, *answer.further):
            self.log.call(vendor.name, endpoint, call, note, status=status)
            if note.billed:
                self.world.store.mark_logged(vendor.name, note.remote_id)

    # -- files -----------------------------------------------------------------------------------------------

    def _file(self, request: Request, path: str) -> None:
        name, task_id, index = [*path.split("/"), "", "", ""][2:5]
        vendor = self.vendors.get(name)
        stored = self.world.store.get(name, task_id) if vendor else None
        call = _call(request, path)
        call.fault = self.script.pick(name, "fetch", b"")
        trouble = call.fault.do if call.fault else None
        number = index.partition(".")[0]
        plan = vendor.media(stored, int(number)) if vendor and stored and number.isdigit() else None
        allowed = vendor is not None and vendor.may_fetch(path, call.query) and trouble is not Trouble.EXPIRED_URL
        if plan is None or not allowed or vendor is None:
            answer = Answer(403, b"<Error><Code>AccessDenied</Code></Error>", media_type="application/xml")
            self.log.call(name, "fetch", call, LogNote(remote_id=task_id), status=403)
            self.sender.send(request, answer)
            return
        if call.fault and trouble is Trouble.STATUS:
            self.sender.send(request, vendor.server_error(call.fault.status))
            return
        self.log.call(name, "fetch", call, LogNote(remote_id=task_id), status=200)
        self.sender.send_media(request, plan, trouble)

    # -- control ---------------------------------------------------------------------------------------------

    def _control(self, request: Request, path: str) -> Answer:
        if path == "/_control/health":
            return Answer.of_json({"status": "ok", "vendors": sorted(self.vendors), "speed": self.world.speed})
        body = request.content.read() if request.content else b""
        if path == "/_control/faults":
            return self._control_faults(request.method.decode(), body)
        if path == "/_control/speed" and request.method == b"POST":
            self.world.speed = float(json.loads(body)["speed"])
            return Answer.of_json({"speed": self.world.speed})
        if path == "/_control/webhook-secret" and request.method == b"POST":
            asked = json.loads(body)
            self.world.webhook_secrets[asked["vendor"]] = asked["secret"]
            return Answer.of_json({"vendor": asked["vendor"], "signed": bool(asked["secret"])})
        return Answer.of_json({"error": "there are health, faults, speed and webhook-secret"}, 404)

    def _control_faults(self, method: str, body: bytes) -> Answer:
        if method == "DELETE":
            self.script.replace([])
        elif method in ("POST", "PUT"):
            try:
                self.script.replace(parse_faults(json.loads(body)))
            except (BadFaultScript, ValueError, TypeError) as error:
                return Answer.of_json({"error": str(error)}, 400)
        fired = [
            {
                "vendor": rule.vendor,
                "endpoint": rule.endpoint,
                "do": rule.do,
                "fired": self.script.fired[index],
            }
            for index, rule in enumerate(self.script.rules)
        ]
        return Answer.of_json({"faults": fired})

    # -- callbacks -------------------------------------------------------------------------------------------

    def send_due_webhooks(self) -> None:
        """Send what is due, each in a thread; called by the reactor's clock."""
        now = self.world.now()
        for hook in self.world.store.due_webhooks(now):
            stored = self.world.store.get(hook.vendor, hook.task_id)
            if hook.id in self._sending or stored is None:
                continue
            delivery = self.vendors[hook.vendor].webhook(stored, hook, now)
            if delivery is None:
                self.world.store.settle_webhook(hook.id, done=True, next_due=now)
                continue
            self._sending.add(hook.id)
            sent: Deferred[bool] = threads.deferToThread(_post, delivery.url, dict(delivery.headers), delivery.body)
            sent.addCallback(self._webhook_sent, hook)

    def _webhook_sent(self, good: bool, hook: StoredWebhook) -> None:
        self._sending.discard(hook.id)
        done = good or hook.tries + 1 >= WEBHOOK_TRIES
        self.world.store.settle_webhook(hook.id, done=done, next_due=self.world.now() + 2.0**hook.tries)
        self.log.write(
            vendor=hook.vendor, endpoint="callback", remote_id=hook.task_id, moment=hook.moment, delivered=good,
            forged=hook.trouble == "forged", billed=False,
        )  # fmt: skip


def _post(url: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        answer = requests.post(url, data=body, headers=headers, timeout=WEBHOOK_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException:
        return False
    return answer.status_code < 300


def _call(request: Request, path: str) -> Call:
    query = dict(parse_qsl(request.uri.decode("latin-1").partition("?")[2], keep_blank_values=True))
    headers = {
        name.decode("latin-1").lower(): values[-1].decode("latin-1")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }
    body = request.content.read(MAX_BODY) if request.content else b""
    origin = f"http://{headers.get('host', 'localhost')}"
    return Call(request.method.decode(), path, query, headers, body, origin)


def _readable(path: str, *, keep_slashes: bool) -> str:
    """The path without percent-encoding; an encoded slash stays encoded where it is part of a name."""
    parts = re.split("%2[fF]", path) if keep_slashes else [path]
    return "%2F".join(unquote(part) for part in parts)


def _preflight(call: Call) -> Answer:
    """What browsers ask before they call from another origin."""
    asked = call.headers.get("access-control-request-headers", "*")
    allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": allowed}
    return Answer(204, headers={**headers, "Access-Control-Allow-Headers": asked, "Access-Control-Max-Age": "600"})


def serve(options: Options, ready: Callable[[int], None] | None = None) -> None:
    """Run until SIGTERM or SIGINT; ``ready`` is told the port that was taken."""
    folder, is_temporary = _state_folder(options.log)
    emulator = Emulator(options, folder)
    reactor.suggestThreadPoolSize(32)
    site: Any = Site
    port = reactor.listenTCP(options.port, site(emulator), backlog=512, interface=options.host)
    task.LoopingCall(emulator.send_due_webhooks).start(WEBHOOK_TICK_S)
    if ready is not None:
        reactor.callWhenRunning(ready, port.getHost().port)
    try:
        reactor.run()
    finally:
        emulator.cache.close()
        emulator.world.store.close()
        if is_temporary:
            shutil.rmtree(folder, ignore_errors=True)


def _state_folder(log: Path | None) -> tuple[Path, bool]:
    """The folder beside the log, so that a restart with the same log finds its tasks again."""
    if log is None:
        return Path(tempfile.mkdtemp(prefix="ge-emulator-")), True
    folder = log.with_name(log.name + ".state")
    folder.mkdir(parents=True, exist_ok=True)
    return folder, False
