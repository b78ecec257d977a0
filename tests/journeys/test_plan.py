"""The plan board: change it, keep every revision, never overwrite a colleague."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Open
from tests.journeys.pages import BriefPage, PlanPage

pytestmark = pytest.mark.journey


@pytest.fixture
def board(open_as: Open) -> PlanPage:
    """A fresh plan of an Editor."""
    brief = BriefPage.create(open_as("editor", width=1440), "Cinematic intro")
    brief.write("Title", "A plan to change")
    return brief.plan()


def test_a_scene_is_edited_in_a_drawer_and_becomes_a_new_revision(board: PlanPage) -> None:
    drawer = board.edit_scene(2)
    drawer.get_by_label("On-screen text").fill("Eighteen hours")
    drawer.get_by_role("button", name="Save as a new revision").click()
    board.expect_revision(2)
    expect(drawer).not_to_be_visible()
    expect(board.page.locator("tr[data-scene]").nth(1)).to_contain_text("Eighteen hours")
    expect(board.page.locator(".revisions li")).to_have_count(2)
    checks = board.page.get_by_role("region", name="Checks of the finished films")
    expect(checks).to_contain_text(re.compile("words, logo, files and sound fit|Worth a look"), timeout=30_000)
    drawer = board.edit_scene(2)
    drawer.get_by_label("On-screen text").fill("გამარჯობა")  # no shipped font has its glyphs
    drawer.get_by_role("button", name="Save as a new revision").click()
    board.expect_revision(3)
    expect(checks.get_by_role("link", name="Scene 2")).to_be_visible(timeout=30_000)
    expect(checks).to_contain_text("The launch waits until the errors are mended")


def test_scenes_are_reordered_by_button_and_by_drag(board: PlanPage) -> None:
    first, second, third, *_ = board.scenes()
    board.page.get_by_role("button", name="Move scene 2 up").click()
    board.expect_revision(2)
    assert board.scenes()[:3] == [second, first, third]
    rows = board.page.locator("tr[data-scene]")
    height = (rows.nth(1).bounding_box() or {"height": 0})["height"]
    rows.nth(0).locator(".handle").drag_to(rows.nth(1), target_position={"x": 30, "y": height - 8})
    board.expect_revision(3)
    assert board.scenes()[:3] == [first, second, third]


def test_a_locked_scene_offers_no_change_until_it_is_unlocked(board: PlanPage) -> None:
    board.page.get_by_role("button", name="Lock scene 1", exact=True).click()
    board.expect_revision(2)
    expect(board.page.get_by_role("button", name="Delete scene 1")).to_have_count(0)
    board.page.get_by_role("button", name="Unlock scene 1").click()
    board.expect_revision(3)
    expect(board.page.get_by_role("button", name="Delete scene 1")).to_have_count(1)


def test_a_variant_is_added_moved_to_another_model_and_removed(board: PlanPage) -> None:
    page = board.page
    heads = page.locator("thead .clip-col")
    expect(heads).to_have_count(2)
    page.get_by_role("button", name="Add a variant").click()
    expect(heads).to_have_count(3)
    drawer = _open_variant(page, 2)
    drawer.get_by_label("Name").fill("The local one")
    drawer.get_by_label("Lead model").select_option("local")
    drawer.get_by_role("button", name="Save as a new revision").click()
    expect(heads.nth(2)).to_contain_text("The local one")
    expect(heads.nth(2)).to_contain_text("$0.00")
    drawer = _open_variant(page, 2)
    page.on("dialog", lambda dialog: dialog.accept())
    drawer.get_by_role("button", name="Remove").click()
    expect(heads).to_have_count(2)


def test_a_clips_drawer_opens_is_walked_and_closes_by_keyboard_alone(board: PlanPage) -> None:
    page, drawer = board.page, board.page.locator("#drawer")
    link = page.get_by_role("link", name="Prompt and model of scene 1").first
    link.focus()
    page.keyboard.press("Enter")
    expect(drawer.get_by_label("Prompt")).to_be_visible()
    expect(drawer.locator(":focus")).to_have_count(1)
    reached = [_focused(page)]
    while reached.count(reached[0]) < 2 and len(reached) < 60:
        page.keyboard.press("Tab")
        reached.append(_focused(page))
    assert len(reached) < 60, "Tab goes round"
    outside = [stop for stop in reached if not stop.startswith("drawer: ") and stop != "browser"]
    assert outside == []
    for name in ("Close", "prompt", "Save as a new revision"):
        assert any(name in stop for stop in reached), (name, reached)
    page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()
    expect(link).to_be_focused()


def test_a_prompt_is_edited_before_launch(board: PlanPage) -> None:
    link = board.page.get_by_role("link", name="Prompt and model of scene 1").first
    link.click()
    drawer = board.page.locator("#drawer")
    drawer.get_by_label("Prompt").fill("A can on a wet stone at dawn, 35 mm")
    drawer.get_by_role("button", name="Save as a new revision").click()
    board.expect_revision(2)
    link.click()
    expect(drawer.get_by_label("Prompt")).to_have_value("A can on a wet stone at dawn, 35 mm")
    board.page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()


def test_somebody_who_was_slower_is_told_and_keeps_the_text(board: PlanPage, open_as: Open) -> None:
    address = board.page.url
    slow = open_as("approver", width=1440)
    slow.goto(address)
    slower = PlanPage(slow)
    drawer = slower.edit_scene(1)
    drawer.get_by_label("Said").fill("My careful words")
    board.page.get_by_role("button", name="Move scene 2 up").click()
    board.expect_revision(2)
    drawer.get_by_role("button", name="Save as a new revision").click()
    expect(slow.locator("#board [role=alert]")).to_contain_text("The plan moved while you were editing")
    slower.expect_revision(2)
    expect(drawer.get_by_label("Said")).to_have_value("My careful words")
    drawer.get_by_role("button", name="Save as a new revision").click()
    slower.expect_revision(3)
    expect(slow.locator("tr[data-scene]", has_text="My careful words")).to_have_count(1)


def test_a_cap_that_is_too_low_offers_adjustments_that_work(board: PlanPage) -> None:
    page = board.page
    page.get_by_role("link", name="Back to the brief").click()
    BriefPage(page).write("Budget cap", "0.10")
    page.goto(page.url.rstrip("/") + "/plan")
    expect(page.get_by_role("button", name="Launch")).to_be_disabled()
    expect(page.locator("#board")).to_contain_text("The cap cannot hold this plan")
    page.locator("form[action$='/plan/fix'] button").last.click()
    expect(page.get_by_role("button", name="Launch")).to_be_enabled()


def _open_variant(page: Page, place: int):  # type: ignore[no-untyped-def]
    page.locator("thead .clip-col").nth(place).get_by_role("link").click()
    drawer = page.locator("#drawer")
    expect(drawer).to_be_visible()
    return drawer


def _focused(page: Page) -> str:
    """Return where the keyboard is: in the drawer, elsewhere on the page, or past its end, at the browser's own bar."""
    return str(
        page.evaluate(
            """() => {
              const el = document.activeElement;
              if (!el || el === document.body) return "browser";
              const name = el.getAttribute("aria-label") || el.name || el.id || el.tagName;
              const inside = el.closest("#drawer") ? "drawer" : "page";
              return `${inside}: ${name} ${el.tagName === "BUTTON" ? el.textContent.trim() : ""}`;
            }"""
        )
    )
