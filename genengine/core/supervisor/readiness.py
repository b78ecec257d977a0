"""What `up` waits for, in a thread of its own: the web answers, the demo exists, the demo ad is finished."""

import threading
import time
import urllib.request

from django.db import connections
from django.db.utils import Error as DatabaseError

from genengine.core import demo
from genengine.core.clock import now
from genengine.core.supervisor.output import Output

LOOK_EVERY_S = 0.1
DEMO_EVERY_S = 2.0


class Herald(threading.Thread):
    """Says one line when the product is ready, and one when the demo ad is."""

    def __init__(self, *, address: str, with_demo: bool, output: Output, started: float) -> None:
        super().__init__(name="herald", daemon=True)
        self.address = address
        self.with_demo = with_demo
        self.output = output
        self.started = started
        self.stopping = threading.Event()
        self.web_answers = threading.Event()

    def run(self) -> None:
        threading.Thread(target=self._wait_for_web, name="web-watch", daemon=True).start()
        try:
            sign_in = self._patiently_seeded() if self.with_demo else None
            self.web_answers.wait()
            self._say_ready(sign_in)
            if sign_in is not None:
                self._wait_for_demo()
        finally:
            connections.close_all()

    def stop(self) -> None:
        self.stopping.set()
        self.web_answers.set()

    def _patiently_seeded(self) -> demo.SignIn | None:
        """A database that was just killed comes back: try again; any other error is said and ends the demo."""
        while not self.stopping.is_set():
            try:
                return demo.seed(now=now())
            except DatabaseError as problem:
                self.output.say(f"the demo waits for the database ({type(problem).__name__})")
                connections.close_all()
                self.stopping.wait(1.0)
            except Exception as problem:  # the product is useful without its demo
                self.output.say(f"the demo could not be prepared: {type(problem).__name__}: {problem}")
                return None
        return None

    def _wait_for_web(self) -> None:
        while not self.stopping.is_set() and not _answers(f"{self.address}/healthz"):
            self.stopping.wait(LOOK_EVERY_S)
        self.web_answers.set()

    def _say_ready(self, sign_in: demo.SignIn | None) -> None:
        if self.stopping.is_set():
            return
        access = f" · sign in as {sign_in.email} with {sign_in.password}" if sign_in else ""
        seconds = time.monotonic() - self.started
        self.output.announce(f"Generation Engine is ready: {self.address}{access} · started in {seconds:.1f} s")

    def _wait_for_demo(self) -> None:
        while not self.stopping.wait(DEMO_EVERY_S):
            try:
                line = demo.progress()
            except DatabaseError:
                connections.close_all()
                continue
            if line:
                self.output.announce(line)
                return


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own loopback address
            return True
    except OSError:
        return False
