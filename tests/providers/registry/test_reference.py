"""The pages in docs/providers say what the adapters say."""

from __future__ import annotations

from pathlib import Path

from providers.registry.reference import refresh_pages

PAGES = Path(__file__).resolve().parents[3] / "docs" / "providers"


def test_every_provider_has_a_page_whose_tables_are_fresh() -> None:
    assert refresh_pages(PAGES, check=True) == []


def test_a_page_keeps_its_words_around_the_generated_part(tmp_path: Path) -> None:
    refresh_pages(tmp_path)
    page = tmp_path / "kling.md"
    page.write_text("Before.\n" + page.read_text().replace("kling-3.0", "old") + "\nAfter.\n")
    assert refresh_pages(tmp_path) == ["kling.md"]
    text = page.read_text()
    assert text.startswith("Before.")
    assert text.endswith("After.\n")
    assert "`kling-3.0`" in text
