"""Make `docs/screenshots/*.png` from the running product: `python scripts/screenshots.py`.

Starts the product on a throw-away state directory, launches a plan like a person, and takes brief, plan, timeline and
review at phone and desktop width, light and dark.
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
from tests.journeys.stages import CHROMIUM, Stage, running_stage  # noqa: E402

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
TALLEST = 1800
MINUTES = 8


@dataclass(frozen=True)
class Shot:
    """One page of the set."""

    name: str
    path: str


def main() -> int:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "screenshots")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ge-shots-") as folder, running_stage(Path(folder)) as stage:
        with chromium() as browser:
            brief = f"/w/aurora/briefs/{stage.briefs['planned']}"
            job = launch(browser, stage, brief)
            take(browser, stage, [Shot("timeline", job)], out)  # while it moves
            wait_until_done(browser, stage, job)
            pages = [
                Shot("overview", "/w/aurora/"),
                Shot("brief", brief),
                Shot("plan", f"{brief}/plan"),
                Shot("timeline-done", job),
                Shot("review", f"{job}/review"),
            ]
            take(browser, stage, pages, out)
    return 0


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = next((p for p in CHROMIUM if Path(p).exists()), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def launch(browser: Browser, stage: Stage, brief: str) -> str:
    """Launch the plan as a person does; return the job's path once its first clips are done."""
    page = opened(browser, stage, "desktop", "light")
    page.goto(f"{brief}/plan")
    PlanPage(page).launch()
    page.locator(".g-row .chip[data-state='ready']").first.wait_for(timeout=MINUTES * 60_000)
    path = page.url.removeprefix(stage.url)
    page.context.close()
    return path


def wait_until_done(browser: Browser, stage: Stage, job: str) -> None:
    """Watch the live page until the job is done."""
    page = opened(browser, stage, "desktop", "light")
    page.goto(job)
    LivePage(page).expect_state("Done", within_s=MINUTES * 60)
    page.context.close()


def take(browser: Browser, stage: Stage, shots: list[Shot], out: Path) -> None:
    """Take pages in every size and theme."""
    for size, (width, _) in SIZES.items():
        for theme in THEMES:
            page = opened(browser, stage, size, theme)
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


def opened(browser: Browser, stage: Stage, size: str, theme: str) -> Page:
    """Sign in as the Approver in a fresh window."""
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=stage.url,
        viewport={"width": width, "height": height},
        color_scheme=theme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    sign_in(page, "approver@aurora.example")
    return page


if __name__ == "__main__":
    sys.exit(main())
