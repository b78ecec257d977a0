"""Every page, light and dark: no serious accessibility finding, nothing wider than the screen."""

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page

from tests.journeys.conftest import Open, Stage, Watch

pytestmark = pytest.mark.journey
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (390, 820, 1440)
SETTINGS = ("", "/people", "/keys", "/caps", "/brand", "/brand/new", "/providers", "/models", "/health")
NOT_FOUND, NO_RIGHT, BROKEN = "/nowhere", "/w/aurora/briefs/new", "/broken"


@pytest.fixture
def addresses(stage: Stage, finished_job: str) -> list[str]:
    """Every kind of page that a signed-in person meets."""
    brief = f"/w/aurora/briefs/{stage.briefs['planned']}"
    job = f"/w/aurora/jobs/{finished_job}"
    settings = [f"/w/aurora/settings{tail}" for tail in SETTINGS]
    return [
        "/?all=1",
        "/w/aurora/",
        "/w/aurora/briefs/",
        "/w/aurora/briefs/new",
        brief,
        f"{brief}/plan",
        f"{brief}/plan/scenes/s1",
        "/w/aurora/jobs",
        job,
        f"{job}/review",
        f"{job}/deliver",
        *settings,
        "/accounts/password/change/",
        "/accounts/2fa/",
        NOT_FOUND,
    ]


@pytest.fixture
def admin_pages(stage: Stage, finished_job: str) -> dict[str, list[str]]:
    """The workspace's admin and the operator's: index, lists of every kind, and the page of a row in each."""
    pages: dict[str, list[str]] = stage.call("admin_pages")
    assert len(pages["admin"]) > 8
    assert len(pages["operator"]) > 6
    return pages


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_accessibility_finding(open_as: Open, addresses: list[str], theme: str) -> None:
    page = open_as("admin", color_scheme=theme, bypass_csp=True)  # the checker is put in from outside
    found = [sentence for address in addresses for sentence in _findings(page, address)]
    assert found == []


def test_the_sign_in_page_has_no_serious_accessibility_finding(open_as: Open) -> None:
    for theme in ("light", "dark"):
        assert _findings(open_as(color_scheme=theme, bypass_csp=True), "/accounts/login/") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_of_the_admins_has_a_serious_accessibility_finding(
    open_as: Open, admin_pages: dict[str, list[str]], theme: str
) -> None:
    found = []
    for site, role in (("admin", "admin"), ("operator", "operator")):
        page = open_as(role, color_scheme=theme, bypass_csp=True)
        found += [sentence for address in admin_pages[site] for sentence in _findings(page, address)]
    assert found == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_refusal_has_a_serious_accessibility_finding(open_as: Open, watch: Watch, stage: Stage, theme: str) -> None:
    page = open_as("viewer", color_scheme=theme, bypass_csp=True)
    break_a_page(page, watch)
    found = [sentence for address in (NO_RIGHT, BROKEN) for sentence in _findings(page, address)]
    assert found == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_screen(
    open_as: Open, watch: Watch, addresses: list[str], admin_pages: dict[str, list[str]], width: int
) -> None:
    page = open_as("admin", width=width)
    break_a_page(page, watch)
    too_wide = _too_wide(page, [*addresses, *admin_pages["admin"], "/operator/", BROKEN])
    too_wide += _too_wide(open_as(width=width), ["/accounts/login/"])
    too_wide += _too_wide(open_as("operator", width=width), admin_pages["operator"])
    assert too_wide == []


def test_amounts_and_times_in_the_admin_are_written_as_people_read_them(
    open_as: Open, admin_pages: dict[str, list[str]]
) -> None:
    for site, role in (("admin", "admin"), ("operator", "operator")):
        page = open_as(role)
        for address in admin_pages[site]:
            page.goto(address)
            text = page.locator("#content").inner_text()
            assert not re.search(r"\d [ap]\.m\.|\b(noon|midnight)\b", text), address
            plain = re.sub(r"…?[0-9a-f-]{20,}|…[0-9a-f]{8}", "", text)  # ids and the ends of ids
            assert not re.search(r"\b\d{7,}\b", plain), address


def test_the_theme_follows_the_button_and_stays(open_as: Open) -> None:
    page = open_as("viewer", color_scheme="light")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert _ground(page) == "rgb(18, 19, 22)"
    page.goto("/w/aurora/jobs")
    assert _ground(page) == "rgb(18, 19, 22)"


def test_the_theme_can_be_changed_without_script(open_as: Open) -> None:
    page = open_as("viewer", color_scheme="light", java_script_enabled=False)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_an_invitation_link_lets_a_new_person_in_once(open_as: Open) -> None:
    page = open_as("admin")
    page.goto("/w/aurora/settings/people")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#invite-link").inner_text()
    guest = open_as()
    guest.goto(link)
    guest.get_by_label("Your name").fill("New Colleague")
    guest.get_by_label("E-mail").fill("new@aurora.example")
    guest.get_by_label("Password").fill("a-river-by-the-long-walk")
    guest.get_by_role("button", name="Join Aurora Cold Brew").click()
    guest.wait_for_url("**/w/aurora/")
    again = open_as()
    answer = again.goto(link)
    assert answer is not None
    assert answer.status == 410


def test_an_api_key_is_shown_once_and_can_be_revoked(open_as: Open) -> None:
    page = open_as("admin")
    page.goto("/w/aurora/settings/keys")
    page.get_by_label("Name").fill("Agency robot")
    page.get_by_role("button", name="Make the key").click()
    secret = page.locator("#new-key").inner_text()
    assert len(secret) > 40
    page.goto("/w/aurora/settings/keys")
    assert secret not in page.content()
    page.on("dialog", lambda dialog: dialog.accept())
    row = page.get_by_role("listitem").filter(has_text="Agency robot")
    row.get_by_role("button", name="Revoke").click()
    row.get_by_text("Revoked").wait_for()


def break_a_page(page: Page, watch: Watch) -> None:
    """Let one address answer with the page that people see when the product fails."""
    watch.allowed += ("500", BROKEN)
    body = render_to_string("500.html")
    page.route(f"**{BROKEN}", lambda route: route.fulfill(status=500, content_type="text/html", body=body))


def _too_wide(page: Page, addresses: list[str]) -> list[str]:
    found = []
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("load")
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            found.append(f"{address}: {over} px")
    return found


def _findings(page: Page, address: str) -> list[str]:
    page.goto(address)
    page.wait_for_load_state("load")
    page.add_script_tag(path=AXE)
    result = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES)
    return [
        f"{address}: {violation['id']} at {violation['nodes'][0]['html'][:160]}"
        for violation in result["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def _ground(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))
