"""From a brief to finished masters, once for each archetype: what a look promises, measured on the finished files.

Plan, launch, clips of the local engine and masters, as pump and workers call them, on PostgreSQL. Measured with tools
that share no code with the engine; words are read by a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from campaigns.briefs.services import attach_asset, create_brief, save_brand_kit
from campaigns.planning.services import launch, make_plan, revise_plan
from campaigns.planning.types import ChangeLook
from genengine.assets.services import blob_to_path
from genengine.core import clock
from genengine.media import CHANNELS
from genengine.workspaces.models import Mode
from genengine.workspaces.policy import Principal
from jobs.execution import tasks
from jobs.execution.models import Attempt, Clip, Job, Master
from jobs.execution.services.dispatching import dispatch_clip
from tests.factories.jobs import make_asset, make_principal, make_workspace
from tests.media.acceptance.measuring import facts, frame, loudness, plain, read

pytest.importorskip("rapidocr", reason="the words are read by rapidocr: pip install -r requirements-models.txt")
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SCALE = 0.22
SECONDS = 5
CREAM = (0xFF, 0xF6, 0xE8)
COLOURS = {"primary": "#0e1b33", "accent": "#19c7b0", "background": "#fff6e8"}
HOOK, CALL = "Coffee that waited", "Order a six-pack"
LOGOS = {"logo": "logo-light.png", "other_logo": "logo-dark.png"}
SIZES = {"9:16": (1080, 1920), "16:9": (1920, 1080)}
PHOTO = {
    "hero": "photos/outdoor-mountain-trail.jpg",
    "overlay": "photos/product-can-hero-portrait.jpg",
    "meme": "photos/pets-two-dogs-portrait.jpg",
}


@dataclass(frozen=True)
class Film:
    """A finished master as a file."""

    master: Master
    path: Path

    def at(self, seconds: float) -> NDArray[np.uint8]:
        return frame(self.path, seconds)


def principal_of(look: str) -> Principal:
    return make_principal(make_workspace(f"look-{look.replace('_', '-')}", mode=Mode.LIVE))


def brief_values(principal: Principal, archetype: str) -> dict[str, Any]:
    logos = {name: make_asset(principal, f"brand/{file}") for name, file in LOGOS.items()}
    kit = save_brand_kit(principal=principal, now=clock.now(), values={"name": "Aurora", "colours": COLOURS, **logos})
    return {
        "title": "Cold coffee",
        "ad_type": archetype,
        "script": f"[On screen: {HOOK}]\nWe steep it for eighteen hours.\n[On screen: {CALL}]\nOrder it today.",
        "length_ms": SECONDS * 1000,
        "ratios": list(SIZES),
        "variants": 1,
        "channel": "youtube_instream",
        "cap_micro": 0,
        "brand_kit": kit,
        "music": make_asset(principal, "music/upbeat.opus"),
        "call_to_action": CALL,
    }


def launched(archetype: str, look: str = "") -> Job:
    """The job of a brief of that kind; ``look`` is chosen on its plan."""
    principal = principal_of(look or archetype)
    brief = create_brief(principal=principal, now=clock.now(), values=brief_values(principal, archetype))
    photo = make_asset(principal, PHOTO[archetype])
    attach_asset(brief=brief, asset=photo, principal=principal, now=clock.now())
    revision = make_plan(brief=brief, principal=principal, now=clock.now())
    if look:
        change = ChangeLook(revision.plan.branches[0].key, look)
        revision = revise_plan(revision=revision, change=change, principal=principal, now=clock.now())
    return launch(revision=revision, principal=principal, now=clock.now())


def films_of(job: Job, folder: Path) -> dict[str, Film]:
    """Make everything of the job, as pump and media workers do; its masters by ratio."""
    for clip in Clip.objects.filter(job=job, state="queued"):
        dispatch_clip(clip_id=clip.pk, now=clock.now() + timedelta(minutes=5))
    for attempt in Attempt.objects.filter(job=job, state="intent"):
        tasks.render_attempt(attempt.pk)
    made = {}
    for master in Master.objects.filter(job=job):
        tasks.compose_master(master.pk)
        master.refresh_from_db()
        assert master.state == "ready", master.failure
        assert master.blob is not None
        made[master.ratio] = Film(master, blob_to_path(master.blob, folder))
    return made


@pytest.fixture(autouse=True)
def small(settings: Any, tmp_path: Path) -> None:
    settings.GE_MASTER_SCALE = SCALE
    settings.GE_WORK_DIR, settings.GE_CACHE_DIR = tmp_path / "work", tmp_path / "cache"


@pytest.fixture
def without_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares looking for subjects in every take, where framing is not the question."""
    monkeypatch.setenv("GE_MODELS", "0")


def check_file(film: Film) -> None:
    """Size, length and loudness."""
    measured, (width, height) = facts(film.path), SIZES[film.master.ratio]
    picture = measured["video"]
    assert abs(picture["width"] - width * SCALE) <= 1
    assert abs(picture["height"] - height * SCALE) <= 1
    assert int(picture["nb_read_frames"]) == SECONDS * 30
    level, peak = loudness(film.path)
    assert abs(level - -14) <= 0.5
    assert peak <= -0.9


def words_of(still: NDArray[np.uint8], wanted: str) -> tuple[float, float, float, float]:
    """The box around the words ``wanted`` where they are read in a picture, in fractions of it; all of them must be."""
    places = [(plain(words), place) for words, place in read(still)]
    found = [(words, place) for words, place in places if words and words in plain(wanted)]
    assert "".join(words for words, _ in found) == plain(wanted), [words for words, _ in places]
    left, top, right, bottom = zip(*(place for _, place in found), strict=True)
    return min(left), min(top), max(right), max(bottom)


def check_words(film: Film, wanted: str, seconds: float) -> tuple[float, float, float, float]:
    """The words are read, and stand inside the channel's safe zone."""
    still = film.at(seconds)
    safe = CHANNELS["youtube_instream"].safe_box(still.shape[1], still.shape[0])
    left, top, right, bottom = box = words_of(still, wanted)
    assert left >= safe.left - 0.01
    assert top >= safe.top - 0.01
    assert right <= safe.right + 0.01
    assert bottom <= safe.bottom + 0.01
    return box


def looks_like(pixels: NDArray[np.uint8], colour: tuple[int, int, int], within: float = 14) -> bool:
    return bool(np.abs(pixels.reshape(-1, 3).astype(int) - np.array(colour)).max(axis=1).mean() <= within)


@pytest.mark.usefixtures("without_models")
def test_a_heros_pictures_fill_the_frame_and_move_under_its_headline(tmp_path: Path) -> None:
    films = films_of(launched("hero"), tmp_path)
    assert set(films) == set(SIZES)
    for film in films.values():
        check_file(film)
        check_words(film, HOOK, 1.0)
        first, last = (film.at(seconds).astype(int) for seconds in (0.3, 1.4))
        assert np.abs(first - last).mean() > 2, "the camera stands still"
        for edge in (first[:4], first[-4:], first[:, :4], first[:, -4:]):
            assert edge.std() > 2, "a bar in place of picture"


def test_an_overlay_sets_the_product_before_the_brands_colour_and_words_beside_it(tmp_path: Path) -> None:
    films = films_of(launched("overlay"), tmp_path)
    for film in films.values():
        check_file(film)
        _, _, _, bottom = check_words(film, HOOK, 1.0)
        still = film.at(1.0)
        height, width = still.shape[:2]
        corners = [still[:12, :12], still[:12, -12:], still[height // 2 - 6 : height // 2 + 6, :8]]
        assert all(looks_like(corner, CREAM) for corner in corners), "another ground"
        product = still[round(height * max(bottom, 0.4)) :, width // 4 : -width // 4]
        share = (np.abs(product.astype(int) - np.array(CREAM)).max(axis=2) > 40).mean()
        assert share > 0.15, "no product"
        assert np.abs(film.at(0.4).astype(int) - film.at(1.2)).mean() < 2, "the product moves"


@pytest.mark.usefixtures("without_models")
def test_a_meme_has_its_words_on_a_white_bar_above_the_whole_picture(tmp_path: Path) -> None:
    films = films_of(launched("meme", "meme_bars"), tmp_path)
    for film in films.values():
        check_file(film)
        _, _, _, bottom = check_words(film, HOOK, 1.0)
        still, spec = film.at(1.0), film.master.spec
        assert spec is not None
        rows = round(spec["segments"][0]["bar"]["height"] * still.shape[0])
        assert bottom * still.shape[0] <= rows
        assert still[2, :].min() > 235, "no bar across the top"
        assert still[2 : rows - 4, :8].min() > 235, "no bar at the left"
        below = still[rows + 4 :]
        assert below.std() > 25, "no picture below the bar"
        assert not looks_like(below[:8], (255, 255, 255)), "the bar is higher than it says"
