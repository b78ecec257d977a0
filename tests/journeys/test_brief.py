"""An Editor writes a brief: it saves itself, refuses in words, loses nothing, and works without script."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Open, Stage
from tests.journeys.pages import BriefPage, PlanPage

pytestmark = pytest.mark.journey


def test_a_brief_saves_itself_and_is_there_after_a_reload(open_as: Open) -> None:
    brief = BriefPage.create(open_as("editor"), "Hero")
    brief.write("Title", "Bright morning")
    brief.expect_saved()
    brief.write("Key messages", "No added sugar\nThree flavours")
    brief.page.get_by_text("1:1 square").click()
    brief.expect_saved()
    with brief.page.expect_response(lambda r: "/field" in r.url):
        brief.field("Variants").fill("3")
        brief.field("Variants").blur()
    brief.page.reload()
    expect(brief.field("Title")).to_have_value("Bright morning")
    expect(brief.field("Key messages")).to_have_value("No added sugar\nThree flavours")
    expect(brief.field("Variants")).to_have_value("3")
    expect(brief.page.get_by_label("1:1 square")).to_be_checked()


def test_a_value_that_is_refused_says_how_to_fix_it_and_is_not_lost(open_as: Open) -> None:
    brief = BriefPage.create(open_as("editor"), "Meme")
    brief.write("Budget cap", "a little")
    expect(brief.page.locator("#error-cap_micro")).to_contain_text("Write it like 12.50")
    expect(brief.field("Budget cap")).to_have_attribute("aria-invalid", "true")
    expect(brief.page.locator("#saved")).to_contain_text("Not saved")
    with brief.page.expect_response(lambda r: "/field" in r.url):
        brief.page.reload()
    expect(brief.field("Budget cap")).to_have_value("a little")
    brief.write("Budget cap", "3.50")
    brief.expect_saved()
    expect(brief.page.locator("#error-cap_micro")).to_be_empty()


def test_the_estimate_follows_the_brief(open_as: Open) -> None:
    brief = BriefPage.create(open_as("editor"), "Hero")
    figures = brief.page.locator("#figures")
    expect(figures).to_contain_text("Ready in about")
    brief.write("Variants", "1")
    expect(figures).to_contain_text("1 × ")
    brief.write("Variants", "4")
    expect(figures).to_contain_text("4 × ")


def test_files_are_taken_by_their_content_or_refused_with_the_reason(
    open_as: Open, example_media: Path, tmp_path: Path
) -> None:
    liar = tmp_path / "poster.jpg"
    liar.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n")
    brief = BriefPage.create(open_as("editor"), "Hero")
    picture = example_media / "photos" / "product-can-hero-portrait.jpg"
    brief.page.get_by_label("Choose files to upload").set_input_files([str(picture), str(liar)])
    expect(brief.page.locator("#assets")).to_contain_text("product-can-hero-portrait.jpg")
    refused = brief.page.locator(".upload-list li", has_text="poster.jpg")
    expect(refused).to_contain_text("Refused")
    expect(refused.locator(".refused")).not_to_be_empty()
    brief.page.get_by_label("Note on product-can-hero-portrait.jpg").fill("key visual")
    with brief.page.expect_response(lambda r: "/assets/" in r.url):
        brief.page.get_by_label("Note on product-can-hero-portrait.jpg").blur()
    brief.page.reload()
    expect(brief.page.get_by_label("Note on product-can-hero-portrait.jpg")).to_have_value("key visual")


def test_a_brief_can_be_written_and_planned_without_script(open_as: Open, example_media: Path) -> None:
    page = open_as("editor", java_script_enabled=False)
    brief = BriefPage.create(page, "Product explainer")
    brief.field("Title").fill("Plain paper")
    brief.field("Budget cap").fill("nothing")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").first).to_contain_text("1 field could not be saved")
    expect(brief.field("Title")).to_have_value("Plain paper")
    expect(brief.field("Budget cap")).to_have_value("nothing")
    brief.field("Budget cap").fill("20")
    page.get_by_label("Choose files to upload").set_input_files(str(example_media / "photos" / "food-fig-square.jpg"))
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#assets")).to_contain_text("food-fig-square.jpg")
    brief.field("Budget cap").fill("20")
    board = brief.plan()
    assert board.revision == 1
    assert len(board.scenes()) >= 3
    page.get_by_role("button", name="Move scene 2 up").click()
    board.expect_revision(2)


def test_the_keyboard_is_enough_from_sign_in_to_the_plan(open_as: Open) -> None:
    page = open_as("editor")
    page.goto("/w/aurora/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_url("**/briefs/")
    page.get_by_role("link", name="New brief").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/briefs/new")
    page.keyboard.press("Tab")  # skip link
    page.get_by_role("button", name="Cinematic intro").focus()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.keyboard.press("Enter")
    page.wait_for_url("**/briefs/*-*-*")
    page.get_by_label("Title", exact=True).focus()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    BriefPage(page).expect_saved()
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/plan")
    assert PlanPage(page).revision == 1
    assert outline == "solid"


def test_a_person_of_another_workspace_finds_nothing(open_as: Open, stage: Stage) -> None:
    page = open_as("stranger", workspace="borealis")
    for tail in ("", "/plan", "/estimate"):
        answer = page.goto(stage.path("planned", tail))
        assert answer is not None
        assert answer.status == 404
    expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()


def test_a_viewer_reads_and_is_told_which_role_is_needed_to_write(open_as: Open, stage: Stage) -> None:
    page = open_as("viewer")
    page.goto(stage.path("planned"))
    expect(page.get_by_label("Title", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Plan the ad")).to_have_count(0)
    answer = page.goto("/w/aurora/briefs/new")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("main")).to_contain_text("Editor")
