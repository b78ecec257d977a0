"""The local engine renders what it is given, at the size and length asked, without key or network."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genengine.media import RenderCancelled, probe
from providers.adapters.local import LocalEngine, build_spec, choose_move
from providers.errors import InvalidRequest, Unsupported
from providers.values import GenerationRequest, InputAsset, InputRole, Task, snap_request
from tests.media.support import frames_of

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "media"


def asset(path: Path, role: InputRole, media_type: str) -> InputAsset:
    return InputAsset(role, path, media_type, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture(scope="module")
def photos() -> list[Path]:
    return sorted(EXAMPLES.rglob("*.jpg"))[:2]


@pytest.fixture
def request_(photos: list[Path]) -> GenerationRequest:
    inputs = (asset(photos[0], InputRole.FIRST_FRAME, "image/jpeg"),)
    return GenerationRequest(
        Task.IMAGE_TO_VIDEO,
        "local",
        "Slow push in",
        duration_s=1.5,
        ratio="9:16",
        resolution="360p",
        seed=3,
        inputs=inputs,
    )


@pytest.mark.parametrize(("ratio", "size"), [("9:16", (360, 640)), ("4:5", (360, 450)), ("1:1", (360, 360))])
def test_a_picture_becomes_a_clip_of_the_asked_size_and_length(
    request_: GenerationRequest, tmp_path: Path, ratio: str, size: tuple[int, int]
) -> None:
    seen: list[tuple[int, int]] = []
    asked = replace(request_, ratio=ratio)
    finished = LocalEngine().render(asked, tmp_path, progress=lambda done, total: seen.append((done, total)))
    (artefact,) = finished.artefacts
    media = probe(artefact.path)
    assert media.video is not None
    assert (media.video.width, media.video.height) == size
    assert float(media.duration_s) == pytest.approx(1.5, abs=0.02)
    assert seen[-1] == (45, 45)
    assert hashlib.sha256(artefact.path.read_bytes()).hexdigest() == artefact.sha256


def test_the_same_request_and_seed_give_the_same_spec(request_: GenerationRequest) -> None:
    assert build_spec(request_) == build_spec(replace(request_, options={}))
    assert build_spec(request_) != build_spec(replace(request_, prompt="Pull back to reveal the table"))


def test_the_same_request_and_seed_give_the_same_bytes(request_: GenerationRequest, tmp_path: Path) -> None:
    digests = {LocalEngine().render(request_, tmp_path / name).artefacts[0].sha256 for name in "ab"}
    assert len(digests) == 1


@pytest.mark.parametrize("words", ["push in to the can", "tilt up", "pan right"])
def test_no_camera_move_pushes_the_product_out_of_the_frame(words: str, tmp_path: Path) -> None:
    """The can is the only dark blue thing; a part of it would have another shape."""
    can = EXAMPLES / "photos" / "product-can-hero-portrait.jpg"
    asked = GenerationRequest(
        Task.IMAGE_TO_VIDEO, "local", words, duration_s=2, ratio="1:1", resolution="360p",
        inputs=(asset(can, InputRole.FIRST_FRAME, "image/jpeg"),),
    )  # fmt: skip
    (artefact,) = LocalEngine().render(asked, tmp_path).artefacts
    shapes = []
    for frame in frames_of(artefact.path, 360, 360)[::15].astype(int):
        blue = (frame[..., 2] > frame[..., 0] + 12) & (frame.sum(axis=2) < 260)
        rows, columns = np.flatnonzero(blue.mean(axis=1) > 0.05), np.flatnonzero(blue.mean(axis=0) > 0.1)
        assert min(rows[0], columns[0]) > 2
        assert max(rows[-1], columns[-1]) < 357
        shapes.append((rows[-1] - rows[0]) / (columns[-1] - columns[0]))
    assert shapes == pytest.approx([np.median(shapes)] * len(shapes), rel=0.05)


def test_a_focus_that_a_person_chose_is_kept_to(request_: GenerationRequest) -> None:
    spec, _ = build_spec(replace(request_, options={"focus": {"x": 0.2, "y": 0.3}}))
    assert spec["segments"][0]["fit"] == {"mode": "crop", "focus": {"x": 0.2, "y": 0.3}}


def test_a_video_covers_the_frame_and_is_looped_to_the_length(tmp_path: Path) -> None:
    source = next(iter(sorted(EXAMPLES.rglob("*.mp4"))))
    asked = GenerationRequest(
        Task.VIDEO_TO_VIDEO, "local", "", duration_s=2, ratio="1:1", resolution="360p",
        inputs=(asset(source, InputRole.VIDEO, "video/mp4"),),
    )  # fmt: skip
    (artefact,) = LocalEngine().render(asked, tmp_path).artefacts
    assert float(probe(artefact.path).duration_s) == pytest.approx(2, abs=0.02)


def test_no_input_gives_a_text_card_with_the_headline(tmp_path: Path) -> None:
    asked = GenerationRequest(
        Task.TEXT_TO_VIDEO, "local", "Steam rises. More follows.", duration_s=1, ratio="16:9", resolution="360p"
    )
    assert build_spec(asked)[0]["segments"][0]["headline"] == "Steam rises."
    told = replace(asked, options={"headline": "Slow mornings", "body": "Aurora"})
    assert build_spec(told)[0]["segments"][0]["headline"] == "Slow mornings"
    assert LocalEngine().render(told, tmp_path).artefacts[0].size > 1000


def test_pictures_of_one_clip_share_its_frames_exactly(request_: GenerationRequest, photos: list[Path]) -> None:
    second = asset(photos[1], InputRole.REFERENCE, "image/jpeg")
    asked = replace(request_, duration_s=3.1, inputs=(*request_.inputs, second))
    segments = build_spec(asked)[0]["segments"]
    assert [segment["type"] for segment in segments] == ["image", "image"]
    assert sum(segment["duration_frames"] for segment in segments) == 93


@pytest.mark.parametrize(
    ("words", "move"),
    [("Dolly in on the label", "push_in"), ("The camera pans left", "pan_left"), ("Tilt up to the sky", "tilt_up")],
)
def test_camera_words_choose_the_move(words: str, move: str) -> None:
    assert choose_move(words, seed=1) == move


def test_without_camera_words_the_seed_chooses_and_stays() -> None:
    chosen = [choose_move("A bottle", seed) for seed in range(40)]
    assert len(set(chosen)) >= 4
    assert chosen == [choose_move("A bottle", seed) for seed in range(40)]


def test_a_cancel_stops_the_render(request_: GenerationRequest, tmp_path: Path) -> None:
    with pytest.raises(RenderCancelled):
        LocalEngine().render(replace(request_, duration_s=20), tmp_path, cancelled=lambda: True)
    assert not (tmp_path / "video-0.mp4").exists()


def test_an_unknown_option_and_a_foreign_file_are_refused(request_: GenerationRequest) -> None:
    with pytest.raises(Unsupported):
        build_spec(replace(request_, options={"cfg_scale": 1}))
    voice = replace(request_.inputs[0], role=InputRole.AUDIO)
    with pytest.raises(InvalidRequest, match="audio"):
        snap_request(LocalEngine.card("local"), replace(request_, inputs=(voice,)))


def test_a_file_that_is_not_the_one_named_is_refused(request_: GenerationRequest, tmp_path: Path) -> None:
    wrong = replace(request_.inputs[0], sha256="0" * 64)
    with pytest.raises(InvalidRequest):
        LocalEngine().render(replace(request_, inputs=(wrong,)), tmp_path)


def test_it_costs_nothing() -> None:
    asked = GenerationRequest(Task.TEXT_TO_VIDEO, "local", "x", duration_s=4, ratio="16:9", resolution="720p")
    assert LocalEngine().estimate(asked).amount == 0
