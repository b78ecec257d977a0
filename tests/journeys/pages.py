"""The pages as people use them: by their words, not by their markup."""

from playwright.sync_api import Locator, Page, expect

from tests.journeys.stage_password import PASSWORD


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in and arrive."""
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/accounts/login" not in url)


class BriefPage:
    """The form that saves itself."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    def create(cls, page: Page, template: str) -> "BriefPage":
        """Start from a template."""
        page.goto("/w/aurora/briefs/new")
        page.get_by_role("button", name=template).click()
        page.wait_for_url("**/briefs/*-*-*")
        return cls(page)

    def field(self, label: str) -> Locator:
        """Return a field by its label."""
        return self.page.get_by_label(label, exact=True)

    def write(self, label: str, text: str) -> None:
        """Write into a field and leave it, as people do."""
        field = self.field(label)
        field.fill(text)
        with self.page.expect_response(lambda r: "/field" in r.url):
            field.blur()

    def expect_saved(self) -> None:
        """The page says that it is saved, and when."""
        expect(self.page.locator("#saved")).to_contain_text("Saved")

    def plan(self) -> "PlanPage":
        """Press the one obvious button."""
        self.page.get_by_role("button", name="Plan the ad").click()
        self.page.wait_for_url("**/plan")
        return PlanPage(self.page)


class PlanPage:
    """The board."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def revision(self) -> int:
        """The number of the revision on the board."""
        return int(self.page.locator("#board").get_attribute("data-revision") or 0)

    def scenes(self) -> list[str]:
        """Return the titles of the scenes in order."""
        return self.page.locator("tr[data-scene] .scene-head strong").all_inner_texts()

    def edit_scene(self, number: int) -> Locator:
        """Open a scene's drawer."""
        self.page.get_by_role("link", name=f"Edit scene {number}").click()
        drawer = self.page.locator("#drawer")
        expect(drawer).to_be_visible()
        return drawer

    def expect_revision(self, number: int) -> None:
        """The board shows this revision."""
        expect(self.page.locator("#board")).to_have_attribute("data-revision", str(number))

    def launch(self) -> "LivePage":
        """Start the job."""
        self.page.get_by_role("button", name="Launch").click()
        self.page.wait_for_url("**/jobs/*")
        return LivePage(self.page)


class LivePage:
    """The live timeline."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def expect_state(self, word: str, *, within_s: float = 20) -> None:
        """The job's own status, as a word."""
        chip = self.page.locator("#live .live-head .chip").first
        expect(chip).to_have_text(word, timeout=within_s * 1000)

    @property
    def seq(self) -> int:
        """The number of the last event that the page has painted."""
        return int(self.page.locator("#live").get_attribute("data-seq") or 0)
