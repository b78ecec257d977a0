"""The loop of `up`: start in order, look after everybody, stop in the reverse order."""

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.db import connections

from genengine.core.embedded_postgres import exclusive_use
from genengine.core.supervisor.child import Child, Role
from genengine.core.supervisor.database import ServerKeeper, migrate_once, sync_registry
from genengine.core.supervisor.output import Output
from genengine.core.supervisor.ports import free_port
from genengine.core.supervisor.readiness import Herald

LOOK_EVERY_S = 0.1
LONGEST_HEAD_START_S = 10.0

# Stopped in this order: no new requests, no new work, then the work itself, then those it talks to.
STOP_ORDER = ("web", "pump", "worker-default", "worker-media", "emulator")


class Supervisor:
    """Runs the named roles until it is told to stop."""

    def __init__(self, *, manage: str, host: str, port: int, only: frozenset[str], with_demo: bool) -> None:
        self.started = time.monotonic()
        self.manage = manage
        self.host = host
        self.port = port
        self.only = only
        self.with_demo = with_demo and "web" in only
        self.stopping = False
        self.output = Output(Path(settings.GE_STATE_DIR) / "logs")
        self.children: list[Child] = []

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        with ExitStack() as stack:
            keeper = self._database(stack)
            migrate_once(self.manage, self.output)
            sync_registry()
            connections.close_all()
            stack.callback(self._stop_children)
            herald = self._herald(stack)
            waiting = self._start_web_first()
            while not self.stopping:
                time.sleep(LOOK_EVERY_S)
                if keeper is not None:
                    keeper.look_after()
                if waiting and (herald.web_answers.is_set() or time.monotonic() - self.started > LONGEST_HEAD_START_S):
                    waiting = self._start_children(waiting)
                for child in self.children:
                    child.look_after()
            self.output.say("stopping")
        self.output.say("stopped")

    def _on_stop(self, number: int, frame: object) -> None:
        self.stopping = True

    def _database(self, stack: ExitStack) -> ServerKeeper | None:
        if settings.DATABASE_URL:
            return None
        cluster = stack.enter_context(exclusive_use(settings.GE_STATE_DIR))
        keeper = ServerKeeper(cluster, self.output)
        stack.callback(keeper.stop)
        keeper.start()
        if not cluster.layout.root.is_relative_to(cluster.layout.state_dir):
            self.output.say(
                f"the database lies in {cluster.layout.root}: PostgreSQL does not run as root, and the user it runs as "
                f"cannot get to {cluster.layout.state_dir}"
            )
        return keeper

    def _herald(self, stack: ExitStack) -> Herald:
        herald = Herald(
            address=f"http://{self.host}:{self.port}",
            with_demo=self.with_demo,
            output=self.output,
            started=self.started,
        )
        stack.callback(herald.stop)
        if "web" in self.only:
            herald.start()
        else:
            herald.web_answers.set()
        return herald

    def _start_web_first(self) -> list[Role]:
        """Loading the product costs each process a second of CPU: the page is there before the workers are."""
        if "emulator" in self.only:
            os.environ["EMULATOR_URL"] = f"http://127.0.0.1:{free_port(settings.EMULATOR_URL)}"
        roles = self._roles()
        self._start_children([role for role in roles if role.name == "web"])
        return [role for role in roles if role.name != "web"]

    def _start_children(self, roles: list[Role]) -> list[Role]:
        for role in roles:
            child = Child(role, self.output)
            self.children.append(child)
            child.start()
        return []

    def _stop_children(self) -> None:
        """Workers are told together (each may finish a task); everything else one after another."""
        for child in sorted(self.children, key=lambda one: STOP_ORDER.index(one.role.name)):
            if child.role.name == "worker-default":
                self._hint_media_worker()
            child.stop()

    def _hint_media_worker(self) -> None:
        for child in self.children:
            if child.role.name == "worker-media" and child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)

    def _roles(self) -> list[Role]:
        stop_s = settings.GE_STOP_SECONDS + 2
        everyone = [
            self._role("emulator", "emulator", *self._emulator_arguments()),
            self._role("web", "web", "--host", self.host, "--port", str(self.port)),
            self._role("worker-default", "worker", "default", stop_s=stop_s),
            self._role("worker-media", "worker", "media", stop_s=stop_s),
            self._role("pump", "pump"),
        ]
        return [role for role in everyone if role.name in self.only]

    def _emulator_arguments(self) -> tuple[str, ...]:
        port = os.environ.get("EMULATOR_URL", settings.EMULATOR_URL).rpartition(":")[2].strip("/")
        log = str(Path(settings.GE_STATE_DIR) / "emulator" / "requests.jsonl")
        speed, scale = str(settings.GE_EMULATOR_SPEED), str(settings.GE_EMULATOR_PICTURE_SCALE)
        return "--port", port, "--log", log, "--speed", speed, "--picture-scale", scale

    def _role(self, name: str, *arguments: str, stop_s: float = 5.0) -> Role:
        return Role(name, (sys.executable, self.manage, *arguments), stop_s=stop_s)
