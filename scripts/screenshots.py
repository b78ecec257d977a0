"""Make `docs/screenshots/*.png`: `python -m scripts.screenshots`.

Starts the product on a throw-away state directory, launches a plan like a person, and takes overview, brief, plan, a
scene's drawer, timeline and review at phone and desktop width, light and dark. With `--of http://127.0.0.1:8000
--password …` it takes them of a demo that runs already: its finished ad for the review, another brief for the timeline.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.journeys.pages import LivePage, PlanPage, sign_in  # noqa: E402
from tests.journeys.stage_password import PASSWORD  # noqa: E402
from tests.journeys.stages import CHROMIUM, running_stage  # noqa: E402

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
TALLEST = 1800
MINUTES = 8


@dataclass(frozen=True)
class Shot:
    """One page of the set."""

    name: str
    path: str


@dataclass(frozen=True)
class Place:
    """Where the product runs, and how to sign in."""

    url: str
    password: str


def main() -> int:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "screenshots")
    parser.add_argument("--of", default="", metavar="URL", help="a running demo, instead of one of its own")
    parser.add_argument("--password", default="", help="of the running demo, as `make run` prints it")
    chosen = parser.parse_args()
    out: Path = chosen.out
    out.mkdir(parents=True, exist_ok=True)
    if chosen.of:
        with chromium() as browser:
            take_demo(browser, Place(chosen.of.rstrip("/"), chosen.password), out)
        return 0
    with tempfile.TemporaryDirectory(prefix="ge-shots-") as folder, running_stage(Path(folder)) as stage:
        with chromium() as browser:
            place = Place(stage.url, PASSWORD)
            brief = f"/w/aurora/briefs/{stage.briefs['planned']}"
            job = launch(browser, place, brief)
            take(browser, place, [Shot("timeline", job)], out)  # while it moves
            wait_until_done(browser, place, job)
            take(browser, place, pages_of(brief, job), out)
    return 0


def pages_of(brief: str, job: str) -> list[Shot]:
    """Return the pages to take when a job has ended."""
    return [
        Shot("overview", "/w/aurora/"),
        Shot("brief", brief),
        Shot("plan", f"{brief}/plan"),
        Shot("scene", f"{brief}/plan/scenes/s1"),
        Shot("timeline-done", job),
        Shot("review", f"{job}/review"),
    ]


def take_demo(browser: Browser, place: Place, out: Path) -> None:
    """Take a demo that runs: what is finished first, then another brief is launched for the timeline."""
    page = opened(browser, place, "desktop", "light")
    page.goto("/w/aurora/jobs")
    page.get_by_role("main").get_by_role("row").filter(has_text="Done").get_by_role("link").first.click()
    page.wait_for_url("**/jobs/*-*")
    job = page.url.removeprefix(place.url)
    page.locator(".steps a").first.click()
    page.wait_for_url("**/briefs/*-*")
    brief = page.url.removeprefix(place.url)
    page.context.close()
    take(browser, place, pages_of(brief, job), out)
    page = opened(browser, place, "desktop", "light")
    page.goto("/w/aurora/briefs/")
    drafts = page.get_by_role("main").get_by_role("row").filter(has_text="Draft")
    drafts.get_by_role("link").last.click()  # the shorter one
    page.get_by_role("button", name="Plan the ad").click()
    page.wait_for_url("**/plan")
    draft = page.url.removeprefix(place.url).removesuffix("/plan")
    page.context.close()
    take(browser, place, [Shot("timeline", launch(browser, place, draft))], out)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = next((p for p in CHROMIUM if Path(p).exists()), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def launch(browser: Browser, place: Place, brief: str) -> str:
    """Launch the plan as a person does; return the job's path once its first clips are done."""
    page = opened(browser, place, "desktop", "light")
    page.goto(f"{brief}/plan")
    PlanPage(page).launch()
    page.locator(".g-row .chip[data-state='ready']").first.wait_for(timeout=MINUTES * 60_000)
    path = page.url.removeprefix(place.url)
    page.context.close()
    return path


def wait_until_done(browser: Browser, place: Place, job: str) -> None:
    """Watch the live page until the job is done."""
    page = opened(browser, place, "desktop", "light")
    page.goto(job)
    LivePage(page).expect_state("Done", within_s=MINUTES * 60)
    page.context.close()


def take(browser: Browser, place: Place, shots: list[Shot], out: Path) -> None:
    """Take pages in every size and theme."""
    for size, (width, _) in SIZES.items():
        for theme in THEMES:
            page = opened(browser, place, size, theme)
            for shot in shots:
                page.goto(shot.path)
                page.wait_for_load_state("networkidle") if shot.name != "timeline" else page.wait_for_load_state("load")
                page.locator("#main").wait_for()
                page.evaluate("document.fonts.ready")
                height = min(TALLEST, int(page.evaluate("document.documentElement.scrollHeight")))
                clip = {"x": 0, "y": 0, "width": width, "height": height}
                picture = page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]
                small = Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
                small.save(out / f"{shot.name}-{size}-{theme}.png", optimize=True)
            page.context.close()


def opened(browser: Browser, place: Place, size: str, theme: str) -> Page:
    """Sign in as the Approver in a fresh window."""
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=place.url,
        viewport={"width": width, "height": height},
        color_scheme=theme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    context.set_default_timeout(90_000)
    sign_in(page, "approver@aurora.example", place.password)
    return page


if __name__ == "__main__":
    sys.exit(main())
