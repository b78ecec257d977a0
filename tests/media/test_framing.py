"""Crops keep the subject in view, follow it where it moves, and give way to a blurred fill where they cannot."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from genengine.media import compile, parse_spec, suggest_framing
from genengine.media.compose.following import focus_at
from genengine.media.errors import SpecError
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.ffmpeg.run import run
from genengine.media.framing import Box, Framing, analyse, frame_for
from genengine.media.framing.windows import window_of
from tests.media.support import CAN, MEDIA, RANGE, TURNTABLE, frames_of, make_video

RATIOS = {"9:16": 9 / 16, "4:5": 4 / 5, "1:1": 1.0, "16:9": 16 / 9}
PHOTOS = MEDIA / "photos"

MARKED = {
    "product-can-hero-portrait.jpg": Box(0.33, 0.13, 0.68, 0.78),
    "product-can-cutout.png": Box(0.06, 0.03, 0.94, 0.97),
    "product-flatlay-square.jpg": Box(0.12, 0.18, 0.88, 0.82),
    "product-range-landscape.jpg": Box(0.16, 0.09, 0.84, 0.84),
    "product-serve-landscape.jpg": Box(0.19, 0.08, 0.69, 0.85),
    "product-coffee-cup-small.jpg": Box(0.14, 0.05, 0.79, 0.96),
    "food-fig-red-bowl.jpg": Box(0.24, 0.14, 0.98, 0.98),
    "nature-dandelion-sunset.jpg": Box(0.15, 0.09, 0.43, 0.57),
    "pets-two-dogs-portrait.jpg": Box(0.33, 0.24, 0.6, 0.57),
    "person-astronaut-small.jpg": Box(0.34, 0.06, 0.53, 0.36),
}
"""Where the subject is, marked by eye: a little inside its outline. Of the person, the head."""


def picture(path: Path, box: tuple[int, int, int, int], size: tuple[int, int] = (1600, 900)) -> Path:
    image = Image.new("RGB", size, (205, 208, 200))
    ImageDraw.Draw(image).rectangle(box, fill=(190, 40, 30))
    image.save(path)
    return path


def shows(framing: Framing, ratio: float, path: Path, box: Box) -> bool:
    """Whether all of ``box`` is in the frame."""
    if framing.mode == "blurred_fill":
        return True
    window = window_of(analyse(path), ratio, (framing.focus_x, framing.focus_y))
    return window.share_of(box) > 0.999


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("name", MARKED)
def test_no_subject_is_cut_in_any_ratio(name: str, ratio: str) -> None:
    path = PHOTOS / name
    framing = frame_for(analyse(path), RATIOS[ratio])
    assert shows(framing, RATIOS[ratio], path, MARKED[name]), framing


@pytest.mark.parametrize("name", ["outdoor-mountain-trail.jpg", "outdoor-sunset-ridge.jpg"])
def test_scenery_without_a_subject_fills_the_frame(name: str) -> None:
    assert all(frame_for(analyse(PHOTOS / name), ratio).mode == "crop" for ratio in RATIOS.values())


@pytest.mark.parametrize("models", ["1", "0"])
@pytest.mark.parametrize("left", [80, 680, 1280])
def test_the_crop_follows_the_subject_across_the_picture(
    left: int, models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GE_MODELS", models)
    framing = suggest_framing(picture(tmp_path / "a.png", (left, 250, left + 240, 650)), 1080, 1920)
    assert framing.mode == "crop"
    span = 900 * 9 / 16
    start = min(max(0.0, framing.focus_x * 1600 - span / 2), 1600 - span)
    assert start <= left + 10
    assert left + 230 <= start + span
    assert framing.kept > 0.95


@pytest.mark.parametrize("models", ["1", "0"])
def test_a_subject_wider_than_the_crop_is_shown_whole_before_a_blurred_copy(
    models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GE_MODELS", models)
    framing = suggest_framing(picture(tmp_path / "a.png", (150, 300, 1450, 600)), 1080, 1920)
    assert framing.mode == "blurred_fill"


def test_a_subject_high_in_a_tall_picture_stays_in_a_wide_crop(tmp_path: Path) -> None:
    framing = suggest_framing(picture(tmp_path / "a.png", (350, 120, 550, 320), (900, 1600)), 1920, 1080)
    assert framing.mode == "crop"
    assert framing.focus_y < 0.35


def test_product_pictures_are_never_cut() -> None:
    assert suggest_framing(RANGE, 1080, 1920).mode == "blurred_fill"
    assert suggest_framing(CAN, 1920, 1080).mode == "blurred_fill"
    assert suggest_framing(CAN, 1080, 1080).mode == "crop"
    assert suggest_framing(PHOTOS / "product-flatlay-square.jpg", 1920, 1080).mode == "blurred_fill"
    assert suggest_framing(TURNTABLE, 1080, 1080, kind="video").mode == "blurred_fill"


def test_a_person_may_be_cropped_to_the_head_unless_all_of_them_is_asked_for() -> None:
    person = PHOTOS / "person-astronaut-small.jpg"
    assert suggest_framing(person, 1920, 1080).mode == "crop"
    assert "face" in suggest_framing(person, 1920, 1080).why
    assert suggest_framing(person, 1920, 1080, whole=True).mode == "blurred_fill"


def test_without_models_products_are_not_cut_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GE_MODELS", "0")
    for path, ratio in ((CAN, "16:9"), (RANGE, "9:16"), (CAN, "1:1"), (RANGE, "16:9")):
        framing = frame_for(analyse(path), RATIOS[ratio])
        assert shows(framing, RATIOS[ratio], path, MARKED[path.name]), (path.name, ratio)


@pytest.mark.parametrize("models", ["1", "0"])
def test_the_same_picture_gives_the_same_framing(models: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GE_MODELS", models)
    one, other = (suggest_framing(RANGE, 1080, 1080, cache_dir=tmp_path / name) for name in ("a", "b"))
    assert one == other


def test_a_file_is_looked_at_once_whatever_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = picture(tmp_path / "a.png", (80, 250, 320, 650))
    first = analyse(box, cache_dir=tmp_path / "cache")
    copy = tmp_path / "b.png"
    copy.write_bytes(box.read_bytes())
    monkeypatch.setattr("genengine.media.framing.analysis.load_rgb", lambda path: pytest.fail("looked at it again"))
    assert analyse(copy, cache_dir=tmp_path / "cache") == first


# -- films -------------------------------------------------------------------------------------------------------


def moving(path: Path, expression: str, *, seconds: int = 6, size: str = "640x360") -> Path:
    """A red box of 90×160 whose left edge is at ``expression`` (of t, in pixels) before a plain ground."""
    graph = f"color=0xcdd0c8:s={size}:r=30:d={seconds}[a];color=0xbe281e:s=90x160:r=30:d={seconds}[b];"
    graph += f"[a][b]overlay=x='{expression}':y=100"
    return make_video(path, "-filter_complex", graph, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "16")


def path_of(framing: Framing, frames: int) -> NDArray[np.float64]:
    """The middle of the crop at every frame."""
    keys = parse_spec(spec_of(framing)).segments[0].fit.path  # type: ignore[union-attr]
    return np.array([focus_at(keys, frame)[0] for frame in range(frames)])


def spec_of(framing: Framing, frames: int = 180) -> dict[str, object]:
    segment = {"type": "video", "asset": "film", "duration_frames": frames, "fit": framing.to_fit()}
    output = {"width": 180, "height": 320, "preset": "ultrafast", "crf": 16}
    return {"version": "1.0", "output": output, "assets": {"film": {"kind": "video"}}, "segments": [segment]}


def red_columns(frame: NDArray[np.uint8]) -> NDArray[np.intp]:
    red = (frame[..., 0].astype(int) > 130) & (frame[..., 1] < 100)
    return np.flatnonzero(red.mean(axis=0) > 0.2)


def test_a_moving_subject_stays_in_view_and_the_camera_moves_softly(tmp_path: Path) -> None:
    film = moving(tmp_path / "m.mp4", "40+70*t")
    framing = suggest_framing(film, 180, 320, kind="video")
    assert framing.mode == "crop", framing
    middles = path_of(framing, 180)
    boxes = (40 + 70 * np.arange(180) / 30) / 640
    span = (360 * 9 / 16) / 640
    assert (middles - span / 2 <= boxes + 0.004).all()
    assert (middles + span / 2 >= boxes + 90 / 640 - 0.004).all()
    assert np.abs(np.diff(middles, 2)).max() * 640 < 0.25  # pixels of the film a frame²
    assert middles[-1] - middles[0] > 0.3

    report = compile(spec_of(framing), {"film": film}, tmp_path / "out.mp4")
    assert report.frames == 180
    for number, frame in enumerate(frames_of(tmp_path / "out.mp4", 180, 320)):
        seen = red_columns(frame)
        wide = seen.max() - seen.min() + 1
        assert wide == pytest.approx(90 / 360 * 320, abs=4), f"cut in frame {number}"


def test_a_camera_that_need_not_move_stands_still(tmp_path: Path) -> None:
    framing = suggest_framing(moving(tmp_path / "m.mp4", "300+30*sin(3*t)"), 180, 320, kind="video")
    assert framing.mode == "crop"
    assert framing.path == ()
    assert framing.subject is not None
    assert framing.subject.left > 0.02
    assert framing.subject.right < 0.98


def test_a_cut_moves_the_crop_at_once_and_only_there(tmp_path: Path) -> None:
    for name, left, ground in (("a", 60, "0xcdd0c8"), ("b", 490, "0x30485c")):
        graph = f"color={ground}:s=640x360:r=30:d=2[a];color=0xbe281e:s=90x160:r=30:d=2[b];[a][b]overlay=x={left}:y=100"
        make_video(tmp_path / f"{name}.mp4", "-filter_complex", graph, "-pix_fmt", "yuv420p")
    both = tmp_path / "both.mp4"
    joined = ["-i", str(tmp_path / "a.mp4"), "-i", str(tmp_path / "b.mp4"), "-filter_complex", "[0][1]concat=n=2"]
    make_video(both, *joined, "-pix_fmt", "yuv420p")
    assert analyse(both, kind="video").cuts_s == (2.0,)
    shown = analyse(both, kind="video", seconds=1.0)
    assert shown.cuts_s == ()
    assert [round(moment.at_s, 1) for moment in shown.moments] == [0.0, 0.5, 1.0]
    framing = suggest_framing(both, 180, 320, kind="video")
    assert framing.mode == "crop"
    middles = path_of(framing, 120)
    jumps = np.flatnonzero(np.abs(np.diff(middles)) > 1e-9)
    assert jumps.tolist() == [59]


def test_a_subject_too_fast_to_follow_is_shown_whole(tmp_path: Path) -> None:
    framing = suggest_framing(moving(tmp_path / "m.mp4", "t*260", seconds=2), 180, 320, kind="video")
    assert framing.mode == "blurred_fill"
    assert "fast" in framing.why


def test_a_moving_face_stays_in_view(tmp_path: Path) -> None:
    """The only face we may show in a test, panned across a wide ground."""
    person = cv2.imread(str(PHOTOS / "person-astronaut-small.jpg"))
    ground = np.full((360, 960, 3), (150, 150, 150), np.uint8)
    small = cv2.resize(person[:, :400], (281, 360), interpolation=cv2.INTER_AREA)
    folder = tmp_path / "frames"
    folder.mkdir()
    lefts = [round(20 + 620 * number / 119) for number in range(120)]
    for number, left in enumerate(lefts):
        frame = ground.copy()
        frame[:, left : left + 281] = small
        cv2.imwrite(str(folder / f"{number:03}.png"), frame)
    film = tmp_path / "film.mp4"
    run([ffmpeg(), "-v", "error", "-r", "30", "-i", folder / "%03d.png", "-pix_fmt", "yuv420p", film], timeout=120)
    framing = suggest_framing(film, 1080, 1080, kind="video")
    assert framing.mode == "crop", framing
    middles = path_of(framing, 120)
    face_left, face_right = 0.348 * 512 / 400 * 281, 0.524 * 512 / 400 * 281
    for left, middle in zip(lefts, middles, strict=True):
        assert (middle * 960 - 180) <= left + face_left + 3
        assert (middle * 960 + 180) >= left + face_right - 3
    assert np.abs(np.diff(middles, 2)).max() * 960 < 0.6


def test_a_path_on_a_picture_or_backwards_in_time_is_refused_with_its_place() -> None:
    path = [{"frame": 0, "x": 0.2}, {"frame": 9, "x": 0.6}]
    still = {"type": "image", "asset": "a", "duration_frames": 30, "fit": {"mode": "crop", "path": path}}
    film = still | {"type": "video", "fit": {"mode": "crop", "path": path[::-1]}}
    for segment, kind in ((still, "image"), (film, "video")):
        spec = {"version": "1.0", "output": {"width": 180, "height": 320}, "assets": {"a": {"kind": kind}}}
        with pytest.raises(SpecError) as refused:
            parse_spec(json.loads(json.dumps(spec | {"segments": [segment]})))
        assert refused.value.problems[0].path == "$.segments[0].fit.path"
