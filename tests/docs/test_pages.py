"""The documentation keeps its promises: links lead somewhere, generated pages are current, no machine shows through."""

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.core.management import call_command

from tests.support.processes import REPOSITORY

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MACHINE = re.compile(
    r"(?<![\w.])/(work|root|home)/|\b(?:\d{1,3}\.){3}\d{1,3}:\d{2,5}/(?:simple|pypi)|\bregistry\.npmjs"
)


def tracked(ending: str) -> list[Path]:
    """Return the tracked files of an ending, and those that are new and not ignored."""
    line = ["git", "ls-files", "--cached", "--others", "--exclude-standard", f"*{ending}"]
    names = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split("\n")
    return [REPOSITORY / name for name in names if name and (REPOSITORY / name).exists()]


PAGES = [path for path in tracked(".md") if "vendor" not in path.parts and "media" not in path.parts]
IDS = [str(path.relative_to(REPOSITORY)) for path in PAGES]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings as GitHub makes them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower() for heading in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("sheet", PAGES, ids=IDS)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(sheet: Path) -> None:
    text = FENCE.sub("", sheet.read_text(encoding="utf-8"))
    lost = []
    for target in LINK.findall(text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = unquote(target).partition("#")
        file = (sheet.parent / name).resolve() if name else sheet
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("sheet", PAGES, ids=IDS)
def test_no_page_shows_the_machine_it_was_written_on(sheet: Path) -> None:
    assert MACHINE.search(sheet.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("command", ["settings_reference", "states_reference", "events_reference"])
def test_a_generated_page_is_what_the_code_gives(command: str) -> None:
    call_command(command, check=True)


def test_every_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        targets = LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
        waiting += [(page.parent / unquote(t).partition("#")[0]).resolve() for t in targets if "://" not in t]
    written = {page for page in PAGES if page.is_relative_to(REPOSITORY / "docs")}
    assert written - seen == set()


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))}
    assert named - targets == set()


def test_every_management_command_that_a_page_names_exists() -> None:
    from django.core.management import get_commands

    named = {name for page in PAGES for name in re.findall(r"manage\.py ([a-z_]+)", page.read_text(encoding="utf-8"))}
    assert named - set(get_commands()) == set()
