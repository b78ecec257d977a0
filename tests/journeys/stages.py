"""The running product, for the browser journeys and for the pictures of the docs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.inside import Inside, inside
from tests.support.processes import REPOSITORY, answers, free_port, manage, wait_for

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


@dataclass(frozen=True)
class Stage:
    """The running product: its address and what has been made in it."""

    url: str
    environment: dict[str, str]
    inside: Inside
    briefs: dict[str, str]

    def call(self, function: str, *arguments: Any) -> Any:
        """Call a function of `tests.journeys.stage` inside the product and return what it returns."""
        return self.inside.call(function, *arguments)

    def path(self, name: str, tail: str = "") -> str:
        """Return the address of a brief of the stage."""
        return f"{self.url}/w/aurora/briefs/{self.briefs[name]}{tail}"


@contextmanager
def running_stage(folder: Path, *, scale: float = 1.0) -> Iterator[Stage]:
    """Everything that a person would have after `make run`, without the demo, on a state directory of its own.

    `scale` is the size of clips and masters against the real one; below 1 the vision models rest, too.
    """
    port = free_port()
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= {
        "GE_STATE_DIR": str(folder / "state"),
        "DJANGO_SETTINGS_MODULE": "genengine.settings.local",
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        "GE_MASTER_SCALE": str(scale),
        "GE_EMULATOR_PICTURE_SCALE": str(scale),
        "GE_MODELS": str(int(scale >= 1)),
    }
    log = folder / "up.log"
    with manage("up", "--port", str(port), "--no-demo", environment=environment, log=log) as process:
        url = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            return answers(f"{url}/readyz")

        wait_for(ready, within_s=600, what="the product", every_s=0.25)
        with inside("tests.journeys.stage", environment=environment, log=folder / "inside.log") as calls:
            yield Stage(url, environment, calls, calls.call("build"))
