"""From launch to a package in hand: the page moves by itself, with sockets and without."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.journeys.conftest import Open, Stage, Watch
from tests.journeys.pages import LivePage, PlanPage
from tests.support.processes import wait_for

pytestmark = pytest.mark.journey
LONG = 240


def test_a_job_is_launched_watched_reviewed_approved_and_taken_home(
    open_as: Open, stage: Stage, tmp_path: Path
) -> None:
    stage.call("plan_again", stage.briefs["short"])
    page = open_as("approver", width=1440)
    page.goto(stage.path("short", "/plan"))
    live = PlanPage(page).launch()
    page.evaluate("window.neverReloaded = true")
    expect(page.get_by_text("SIMULATED").first).to_be_visible()
    _a_finished_clip_plays_while_the_rest_is_made(page)
    live.expect_state("Done", within_s=LONG)
    assert page.evaluate("window.neverReloaded") is True
    page.get_by_role("link", name="Review", exact=True).last.click()
    _approve_the_first(page)
    page.get_by_role("link", name="Deliver").last.click()
    page.get_by_role("button", name="Make the package").click()
    with page.expect_download(timeout=LONG * 1000) as download:
        page.get_by_role("link", name="Download").click(timeout=LONG * 1000)
    package = tmp_path / "package.zip"
    download.value.save_as(package)
    names = zipfile.ZipFile(package).namelist()
    assert any(name.endswith(".mp4") for name in names)
    assert any(name.endswith(".srt") for name in names)


def test_the_page_moves_to_the_end_when_sockets_are_blocked(open_as: Open, stage: Stage, watch: Watch) -> None:
    watch.allowed = ("WebSocket",)
    page = open_as("editor")
    page.route_web_socket("**/ws/**", lambda socket: socket.close())
    job = stage.call("start_job", stage.briefs["short"])
    page.goto(f"/w/aurora/jobs/{job}")
    expect(page.locator("#conn")).to_contain_text("Updating every 2 seconds", timeout=60_000)
    live = LivePage(page)
    live.expect_state("Done", within_s=LONG)
    wait_for_the_last_event(page, stage, live)


def test_no_event_is_lost_or_shown_twice_when_the_connection_drops(open_as: Open, stage: Stage, watch: Watch) -> None:
    watch.allowed = ("WebSocket",)
    page = open_as("editor")
    dropped: list[int] = []

    def drop_the_first_three(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        if len(dropped) >= 3:
            return

        def pass_one_message_and_drop(message: str | bytes) -> None:
            socket.send(message)
            dropped.append(1)
            socket.close()

        server.on_message(pass_one_message_and_drop)

    page.route_web_socket("**/ws/**", drop_the_first_three)
    job = stage.call("start_job", stage.briefs["short"])
    page.goto(f"/w/aurora/jobs/{job}")
    live = LivePage(page)
    live.expect_state("Done", within_s=LONG)
    assert len(dropped) >= 3
    wait_for_the_last_event(page, stage, live)
    shown = [
        int(text.removeprefix("log-")) for text in page.locator(".log li").evaluate_all("els => els.map(e => e.id)")
    ]
    assert shown == sorted(set(shown), reverse=True)


def test_a_job_is_paused_resumed_and_its_good_clip_made_again(open_as: Open, stage: Stage, finished_job: str) -> None:
    page = open_as("editor", width=1440)
    page.goto(f"/w/aurora/jobs/{finished_job}")
    page.locator("a.g-label").first.click()
    inspector = page.locator("#inspector")
    inspector.get_by_role("button", name="Lock").click()
    expect(inspector.get_by_role("button", name="Unlock")).to_be_visible()
    expect(inspector.get_by_role("button", name="Rerun")).to_have_count(0)
    inspector.get_by_role("button", name="Unlock").click()
    inspector.get_by_role("button", name="Rerun").click()
    live = LivePage(page)
    expect(page.locator("#live .live-head .chip").first).not_to_have_text("Done")
    page.get_by_role("button", name="Pause", exact=True).first.click()
    expect(page.get_by_role("button", name="Resume", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Resume", exact=True).first.click()
    live.expect_state("Done", within_s=LONG)
    expect(inspector.locator(".takes li")).to_have_count(2)


def test_a_viewer_watches_and_has_no_controls_and_no_raw_calls(open_as: Open, finished_job: str) -> None:
    page = open_as("viewer")
    page.goto(f"/w/aurora/jobs/{finished_job}")
    page.locator("a.g-label").first.click()
    expect(page.locator("#inspector video")).to_be_visible()
    expect(page.get_by_role("button", name="Rerun")).to_have_count(0)
    expect(page.get_by_text("Attempt 1")).to_have_count(0)
    page.goto(f"/w/aurora/jobs/{finished_job}/review")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_the_player_obeys_space_and_steps_by_single_frames(open_as: Open, finished_job: str) -> None:
    page = open_as("viewer", width=1440)
    page.goto(f"/w/aurora/jobs/{finished_job}/review")
    video = page.locator("video").first
    wait_for(lambda: video.evaluate("v => v.readyState >= 2"), what="the film to load")
    page.locator("[data-review-card]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    wait_for(lambda: abs(video.evaluate("v => v.currentTime") - 2 / 30) < 0.005, what="two frames on")
    page.keyboard.press("ArrowLeft")
    wait_for(lambda: abs(video.evaluate("v => v.currentTime") - 1 / 30) < 0.005, what="one frame back")
    page.keyboard.press(" ")
    wait_for(lambda: not video.evaluate("v => v.paused"), what="playing")
    page.keyboard.press("k")
    wait_for(lambda: video.evaluate("v => v.paused"), what="pausing")


def wait_for_the_last_event(page: Page, stage: Stage, live: LivePage) -> None:
    """The page has painted every event that the server has."""

    def last() -> int:
        answer = page.request.get(page.url + "/events?after=0")
        return int(answer.json()["last_seq"])

    wait_for(lambda: live.seq == last(), within_s=30, what="the last event on the page")


def _a_finished_clip_plays_while_the_rest_is_made(page: Page) -> None:
    row = page.locator(".g-row[data-row]", has=page.locator(".chip[data-state='ready']")).first
    row.get_by_role("link").click(timeout=LONG * 1000)
    video = page.locator("#inspector video")
    expect(video).to_be_visible()
    wait_for(lambda: video.evaluate("v => v.readyState >= 1"), what="the clip to load")
    assert video.evaluate("v => v.duration") > 0


def _approve_the_first(page: Page) -> None:
    card = page.locator("[data-review-card]").first
    card.locator("summary", has_text="File ").click()
    shown = card.locator(".hash").inner_text().removeprefix("sha256 ").strip()
    assert len(shown) == 64
    card.get_by_label("Note").fill("Clear and quick")
    card.get_by_role("button", name="Approve").click()
    expect(page.locator("[data-review-card]").first).to_contain_text("Approved by Approver of Aurora Cold Brew")
