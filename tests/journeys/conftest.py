"""The real product for the browser: every process of `manage.py up` on a state directory of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, Response, expect

from tests.journeys.pages import sign_in
from tests.journeys.stages import CHROMIUM, Stage, running_stage
from tests.support.processes import wait_for

PATIENCE_MS = 60_000  # a loaded machine answers late; what is wrong fails all the same
expect.set_options(timeout=PATIENCE_MS)
FINAL = ("ready", "failed", "cancelled", "needs_attention")


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The running product with two workspaces, people and two briefs."""
    with running_stage(tmp_path_factory.mktemp("stage"), scale=0.35) as running:
        yield running


@pytest.fixture(scope="session")
def finished_job(stage: Stage) -> str:
    """A short job that has ended well; its id."""
    job: str = stage.call("start_job", stage.briefs["short"])

    def end() -> str:
        state: str = stage.call("job_state", job)
        return state if state in FINAL else ""

    state = wait_for(end, within_s=400, what="the job's end", every_s=0.25)
    assert state == "ready"
    return job


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium."""
    path = next((p for p in CHROMIUM if Path(p).exists()), None)
    started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
    yield started
    started.close()


@dataclass
class Watch:
    """What must not happen on a page: errors in the console, requests to elsewhere, answers of 500, lost files.

    The browser itself writes every answer of 4xx into the console; those are the product's refusals and are tested
    where they belong, except for static files, which must all be there.
    """

    home: str
    problems: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    def follow(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # htmx tells of a request that a reload cut off, which a busy machine makes likely
        quiet = message.text.startswith(
            (
                "Failed to load resource: the server responded with a status of 4",
                "htmx:sendAbort",
                "htmx:afterRequest",
            )
        )
        if message.type in ("error", "warning") and not quiet and not self._is_allowed(message.text):
            self.problems.append(f"console: {message.text}")

    def _is_allowed(self, text: str) -> bool:
        return any(part in text for part in self.allowed)

    def _request(self, request: Request) -> None:
        host = urlsplit(request.url).netloc
        if request.url.startswith("http") and host != urlsplit(self.home).netloc:
            self.problems.append(f"request to {request.url}")

    def _response(self, response: Response) -> None:
        broken = response.status >= 500 or (response.status >= 400 and "/static/" in response.url)
        if broken and not self._is_allowed(response.url):
            self.problems.append(f"{response.status} from {response.url}")


Open = Callable[..., Page]


@pytest.fixture
def watch(stage: Stage) -> Iterator[Watch]:
    """Fails the test at its end when something happened that must not."""
    watched = Watch(stage.url)
    yield watched
    assert watched.problems == []


@pytest.fixture
def open_as(browser: Browser, stage: Stage, watch: Watch) -> Iterator[Open]:
    """Open the product as somebody: `open_as("editor", width=390, color_scheme="dark")`."""
    contexts: list[BrowserContext] = []

    def opened(role: str = "", *, width: int = 1280, workspace: str = "aurora", **options: Any) -> Page:
        context = browser.new_context(base_url=stage.url, viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        if role:
            sign_in(page, f"{role}@{workspace}.example")
        return page

    yield opened
    for context in contexts:
        context.close()
