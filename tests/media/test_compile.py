"""From a spec to a finished file: what is asked for is what is measured."""

from __future__ import annotations

import hashlib
import math
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genengine.media import Expectations, RenderCancelled, SpecError, compile, probe, qc_check
from genengine.media.audio.loudness import measure_file
from genengine.media.audio.pcm import decode
from tests.media.support import (
    CAN,
    LOGO,
    MUSIC,
    RANGE,
    TURNTABLE,
    VOICE,
    frames_of,
    image_spec,
    make_video,
    small_output,
)


def two_slots(**transition: Any) -> dict[str, Any]:
    return image_spec(
        constraints={"brand_safe": False},
        assets={"can": {"kind": "image"}, "range": {"kind": "image"}},
        segments=[
            {"type": "image", "asset": "can", "duration_frames": 20},
            {"type": "image", "asset": "range", "duration_frames": 20, "transition": transition},
        ],
    )


TWO = {"can": CAN, "range": RANGE}


def test_the_file_is_what_platforms_ask_for(tmp_path: Path) -> None:
    report = compile(image_spec(metadata={"title": "Aurora"}), {"can": CAN}, tmp_path / "a.mp4")
    info = probe(tmp_path / "a.mp4")
    video, audio = info.video, info.audio
    assert video is not None
    assert audio is not None
    assert (video.codec, video.profile, video.pix_fmt) == ("h264", "High", "yuv420p")
    assert (video.color_space, video.color_primaries, video.color_transfer, video.color_range) == (
        "bt709",
        "bt709",
        "bt709",
        "tv",
    )
    assert (video.width, video.height, video.fps, video.average_fps, video.frames) == (180, 320, 30, 30, 30)
    assert (audio.codec, audio.rate, audio.channels) == ("aac", 48000, 2)
    assert (info.faststart, info.edit_lists) == (True, 0)
    assert info.duration_s == 1
    assert info.tags["title"] == "Aurora"
    assert report.sha256 == hashlib.sha256((tmp_path / "a.mp4").read_bytes()).hexdigest()
    assert report.thumbnail.read_bytes()[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize(("rate", "frames"), [(24, 31), (25, 30), ("30000/1001", 47), (60, 45)])
def test_the_length_is_exact_to_the_frame_and_the_sample_at_any_rate(rate: Any, frames: int, tmp_path: Path) -> None:
    compile(image_spec(frames, output=small_output(fps=rate)), {"can": CAN}, tmp_path / "a.mp4")
    info = probe(tmp_path / "a.mp4")
    assert info.video is not None
    assert info.audio is not None
    assert info.video.frames == frames
    assert info.video.average_fps == Fraction(rate)
    wanted = frames / Fraction(rate)
    assert abs((info.video.duration_s or 0) - wanted) < Fraction(1, 10_000)
    assert abs((info.audio.duration_s or 0) - wanted) <= Fraction(1, 48_000)


def test_colours_survive_within_two_steps(tmp_path: Path) -> None:
    colours = ["#c83214", "#1446c8", "#28a050", "#e0e0e0", "#181818"]
    for colour in colours:
        spec = image_spec(
            assets={},
            segments=[{"type": "text", "headline": ".", "duration_frames": 2, "background": {"from": colour}}],
        )
        spec["output"] = small_output(crf=4)
        compile(spec, {}, tmp_path / "c.mp4")
        seen = frames_of(tmp_path / "c.mp4", 180, 320)[1, 4:20, 4:20].reshape(-1, 3).mean(axis=0)
        wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        assert np.abs(seen - wanted).max() <= 2.5, colour


@pytest.mark.parametrize(("width", "height"), [(216, 270), (1080, 1350), (180, 318), (182, 320)])
def test_colours_stand_where_their_picture_does_in_every_size(width: int, height: int, tmp_path: Path) -> None:
    """4:5 in full size has 1350 rows, which four does not divide."""
    picture = np.full((height, width, 3), 40, np.uint8)
    picture[height // 4 : height // 2, width // 4 : width // 2] = (230, 30, 30)
    Image.fromarray(picture).save(tmp_path / "square.png")
    still = {"type": "image", "asset": "square", "duration_frames": 2}
    spec = image_spec(assets={"square": {"kind": "image"}}, segments=[still])
    spec["output"] = small_output(width=width, height=height, crf=4)
    compile(spec, {"square": tmp_path / "square.png"}, tmp_path / "out.mp4")
    seen = frames_of(tmp_path / "out.mp4", width, height)[1].astype(int)
    wrong = (np.abs(seen - picture).max(axis=2) > 60).sum()
    assert wrong < 2 * (width + height), "more than two pixels beside the edges of the square"


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_spec_gives_the_same_bytes_with_one_worker_or_two_cold_or_warm(workers: int, tmp_path: Path) -> None:
    spec = two_slots(type="crossfade", frames=6)
    digests = set()
    for index in range(2):
        report = compile(spec, TWO, tmp_path / f"{index}.mp4", workers=workers, cache_dir=tmp_path / "cache")
        digests.add(report.sha256)
    digests.add(compile(spec, TWO, tmp_path / "other.mp4", workers=3 - workers).sha256)
    assert len(digests) == 1


@pytest.mark.slow
def test_full_hd_with_texture_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    """x264 on AVX-512 reads uninitialised memory in its look-ahead; small or smooth pictures do not show it."""
    spec = image_spec(75, output={"width": 1080, "height": 1920})
    digests = {compile(spec, {"can": RANGE}, tmp_path / f"{index}.mp4").sha256 for index in range(3)}
    assert len(digests) == 1


def test_pieces_that_did_not_change_come_from_the_cache(tmp_path: Path) -> None:
    spec = two_slots(type="crossfade", frames=6)
    first = compile(spec, TWO, tmp_path / "a.mp4", cache_dir=tmp_path / "cache")
    assert (first.pieces, first.cache_hits) == (3, 0)
    again = compile(spec, TWO, tmp_path / "b.mp4", cache_dir=tmp_path / "cache")
    assert again.cache_hits == 3
    spec["captions"] = {"cues": [{"start_frame": 30, "end_frame": 38, "text": "New"}]}
    changed = compile(spec, TWO, tmp_path / "c.mp4", cache_dir=tmp_path / "cache")
    assert changed.cache_hits == 2
    assert changed.sha256 != again.sha256


def test_an_unchanged_request_is_answered_from_the_cache_without_rendering(tmp_path: Path) -> None:
    spec = sounding(bed={"asset": "bed"})
    first = compile(spec, SOUNDS, tmp_path / "a.mp4", cache_dir=tmp_path / "cache")
    for piece in (tmp_path / "cache").glob("*/*.piece"):
        piece.unlink()
    again = compile(spec, SOUNDS, tmp_path / "b.mp4", cache_dir=tmp_path / "cache")
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "a.mp4").read_bytes()
    assert again.cache_hits == again.pieces == first.pieces
    assert (again.sha256, again.loudness_lufs) == (first.sha256, first.loudness_lufs)
    assert again.thumbnail == tmp_path / "b.jpg"
    assert again.thumbnail.exists()


def test_a_damaged_cache_entry_is_rendered_again(tmp_path: Path) -> None:
    spec = image_spec()
    first = compile(spec, {"can": CAN}, tmp_path / "a.mp4", cache_dir=tmp_path / "cache")
    kept = list((tmp_path / "cache").glob("*/*"))
    assert {path.suffix for path in kept} == {".piece", ".sound", ".result"}
    for path in kept:
        path.write_bytes(path.read_bytes()[:-7])
    again = compile(spec, {"can": CAN}, tmp_path / "b.mp4", cache_dir=tmp_path / "cache")
    assert (again.cache_hits, again.sha256) == (0, first.sha256)


@pytest.mark.parametrize("kind", ["crossfade", "fade_black", "fade_white", "slide", "wipe"])
def test_a_transition_starts_with_the_old_picture_and_ends_with_the_new_one(kind: str, tmp_path: Path) -> None:
    compile(two_slots(type=kind, frames=10), TWO, tmp_path / "a.mp4")
    frames = frames_of(tmp_path / "a.mp4", 180, 320).astype(np.int16)
    assert len(frames) == 40
    old, new = frames[19], frames[39]
    apart = np.abs(old - new).mean()
    assert np.abs(frames[20] - old).mean() < apart * 0.35
    assert np.abs(frames[29] - new).mean() < apart * 0.35
    middle = frames[25]
    assert np.abs(middle - old).mean() > apart * 0.2
    assert np.abs(middle - new).mean() > apart * 0.2


def test_a_cut_changes_the_picture_at_exactly_its_frame(tmp_path: Path) -> None:
    compile(two_slots(type="cut"), TWO, tmp_path / "a.mp4")
    steps = np.abs(np.diff(frames_of(tmp_path / "a.mp4", 180, 320).astype(np.int16), axis=0)).mean(axis=(1, 2, 3))
    assert int(steps.argmax()) == 19
    assert steps.max() > 10 * np.median(steps)


def colour_video(path: Path, colours: list[str], rate: str = "30") -> Path:
    """One second a colour."""
    inputs = [part for colour in colours for part in ("-f", "lavfi", "-i", f"color={colour}:s=180x320:r={rate}:d=1")]
    joined = "".join(f"[{index}]" for index in range(len(colours)))
    return make_video(path, *inputs, "-filter_complex", f"{joined}concat=n={len(colours)}", "-pix_fmt", "yuv420p")


def video_spec(frames: int, **segment: Any) -> dict[str, Any]:
    return image_spec(
        assets={"clip": {"kind": "video"}},
        segments=[{"type": "video", "asset": "clip", "duration_frames": frames, **segment}],
    )


def brightest(frames: np.ndarray) -> list[int]:
    """Index of the strongest channel in each frame: 0 red, 1 green, 2 blue."""
    return [int(frame.mean(axis=(0, 1)).argmax()) for frame in frames]


@pytest.mark.parametrize("rate", ["30", "25", "24000/1001", "60"])
def test_a_clip_is_trimmed_at_the_right_frame_whatever_its_rate(rate: str, tmp_path: Path) -> None:
    clip = colour_video(tmp_path / "clip.mp4", ["red", "lime", "blue"], rate)
    compile(video_spec(40, start_frame=20), {"clip": clip}, tmp_path / "a.mp4")
    seen = brightest(frames_of(tmp_path / "a.mp4", 180, 320))
    assert len(seen) == 40
    assert seen == [0] * 10 + [1] * 30


def test_a_short_clip_is_held_or_looped_as_asked(tmp_path: Path) -> None:
    clip = colour_video(tmp_path / "clip.mp4", ["red", "lime"])
    compile(video_spec(90), {"clip": clip}, tmp_path / "hold.mp4")
    assert brightest(frames_of(tmp_path / "hold.mp4", 180, 320)) == [0] * 30 + [1] * 60
    compile(video_spec(90, when_short="loop"), {"clip": clip}, tmp_path / "loop.mp4")
    assert brightest(frames_of(tmp_path / "loop.mp4", 180, 320)) == [0] * 30 + [1] * 30 + [0] * 30


def test_a_long_clip_that_is_cut_into_pieces_shows_every_frame_once(tmp_path: Path) -> None:
    clip = make_video(
        tmp_path / "n.mp4",
        "-f",
        "lavfi",
        "-i",
        "color=black:s=180x320:r=30:d=8",
        "-vf",
        "geq=lum='if(lt(X,N*0.75),235,16)':cb=128:cr=128",
        "-pix_fmt",
        "yuv420p",
        "-crf",
        "10",
    )
    compile(video_spec(230), {"clip": clip}, tmp_path / "a.mp4")
    widths = (frames_of(tmp_path / "a.mp4", 180, 320)[:, 160, :, 0] > 128).sum(axis=1)
    assert np.abs(widths - np.ceil(np.arange(230) * 0.75)).max() <= 1


def test_blurred_fill_shows_the_whole_picture_and_crop_fills_the_frame(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "wide.png",
        "-f",
        "lavfi",
        "-i",
        "color=white:s=400x100,drawbox=w=20:h=100:c=red:t=fill,drawbox=x=380:w=20:h=100:c=blue:t=fill",
        "-frames:v",
        "1",
    )
    for mode, edges in (("blurred_fill", True), ("crop", False)):
        spec = image_spec(2, segments=[{"type": "image", "asset": "can", "duration_frames": 2, "fit": {"mode": mode}}])
        compile(spec, {"can": source}, tmp_path / "a.mp4")
        row = frames_of(tmp_path / "a.mp4", 180, 320)[1, 160].astype(int)
        red, blue = row[3, 0] - row[3, 2] > 80, row[-4, 2] - row[-4, 0] > 80
        assert bool(red and blue) is edges
        if mode == "crop":
            assert frames_of(tmp_path / "a.mp4", 180, 320)[1].min() > 200


def test_the_focus_of_a_crop_stays_in_view(tmp_path: Path) -> None:
    source = make_video(
        tmp_path / "wide.png",
        "-f",
        "lavfi",
        "-i",
        "color=white:s=400x100,drawbox=x=360:w=40:h=100:c=blue:t=fill",
        "-frames:v",
        "1",
    )
    fit = {"mode": "crop", "focus": {"x": 0.95, "y": 0.5}}
    spec = image_spec(2, segments=[{"type": "image", "asset": "can", "duration_frames": 2, "fit": fit}])
    compile(spec, {"can": source}, tmp_path / "a.mp4")
    right = frames_of(tmp_path / "a.mp4", 180, 320)[1, 160, -20].astype(int)
    assert right[2] - right[0] > 80


def sounding(**audio: Any) -> dict[str, Any]:
    return image_spec(
        180, assets={"can": {"kind": "image"}, "bed": {"kind": "audio"}, "voice": {"kind": "audio"}}, audio=audio
    )


SOUNDS = {"can": CAN, "bed": MUSIC, "voice": VOICE}


@pytest.mark.parametrize(("lufs", "peak"), [(-14.0, -1.0), (-24.0, -2.0), (-23.0, -1.0)])
@pytest.mark.parametrize("gain", [-20, 6])
def test_the_encoded_sound_meets_the_channel_whatever_the_material(
    lufs: float, peak: float, gain: float, tmp_path: Path
) -> None:
    spec = sounding(bed={"asset": "bed", "gain_db": gain}, voice=[{"asset": "voice", "start_frame": 30}])
    spec["output"] = small_output(loudness_lufs=lufs, true_peak_dbtp=peak)
    report = compile(spec, SOUNDS, tmp_path / "a.mp4")
    heard = measure_file(tmp_path / "a.mp4")
    assert abs(heard.lufs - lufs) <= 0.3
    assert heard.true_peak_dbtp <= peak
    assert report.loudness_lufs == pytest.approx(heard.lufs, abs=0.11)


@pytest.mark.parametrize("rate", [30, "30000/1001", 25])
def test_sound_is_heard_at_the_time_its_frame_is_seen(rate: Any, tmp_path: Path) -> None:
    """A burst one second into the voice, the voice at frame 40: within three milliseconds, in a plain player."""
    burst = "aevalsrc='if(between(t,1,1.2),0.5*sin(2000*PI*t),0)':s=48000:d=1.5"
    voice = make_video(tmp_path / "voice.wav", "-f", "lavfi", "-i", burst)
    spec = sounding(voice=[{"asset": "voice", "start_frame": 40}])
    spec["output"] = small_output(fps=rate)
    compile(spec, {"can": CAN, "voice": voice}, tmp_path / "a.mp4")
    heard = np.abs(decode(tmp_path / "a.mp4")).max(axis=1)
    onset = int(np.argmax(heard > heard.max() * 0.5)) / 48_000
    assert abs(onset - (1 + 40 / Fraction(rate))) < 0.003


def test_without_sound_the_track_is_silent_and_the_report_says_so(tmp_path: Path) -> None:
    report = compile(image_spec(), {"can": CAN}, tmp_path / "a.mp4")
    assert report.loudness_lufs is None
    assert any("silent" in warning for warning in report.warnings)
    assert measure_file(tmp_path / "a.mp4").true_peak_dbtp == -math.inf


def test_simulated_work_is_marked_in_the_picture_and_in_the_file(tmp_path: Path) -> None:
    plain = image_spec(2, output=small_output(width=360, height=640))
    compile(plain, {"can": CAN}, tmp_path / "plain.mp4")
    compile(plain | {"marks": {"simulated": True}}, {"can": CAN}, tmp_path / "marked.mp4")
    before, after = (frames_of(tmp_path / f"{name}.mp4", 360, 640)[1].astype(int) for name in ("plain", "marked"))
    changed = np.abs(before - after).max(axis=2) > 40
    assert changed.sum() > 1000
    assert "SIMULATED" in probe(tmp_path / "marked.mp4").tags["comment"]
    assert "comment" not in probe(tmp_path / "plain.mp4").tags


def test_captions_stay_inside_the_safe_zone_and_only_in_their_time(tmp_path: Path) -> None:
    from genengine.media import CHANNELS

    text = "Steeped for eighteen hours in cold water, whole beans only, nothing else at all"
    spec = image_spec(30, output=small_output(width=360, height=640, channel="instagram_reels"))
    spec["segments"][0].pop("motion")
    compile(spec, {"can": CAN}, tmp_path / "plain.mp4")
    spec["captions"] = {"cues": [{"start_frame": 10, "end_frame": 20, "text": text}]}
    compile(spec, {"can": CAN}, tmp_path / "text.mp4")
    plain, shown = (frames_of(tmp_path / f"{name}.mp4", 360, 640).astype(int) for name in ("plain", "text"))
    changed = np.abs(plain - shown).max(axis=3) > 60
    assert changed[14].sum() > 500
    assert not changed[2].any()
    assert not changed[26].any()
    x0, y0, x1, y1 = CHANNELS["instagram_reels"].safe_box(360, 640).pixels(360, 640)
    rows, columns = np.nonzero(changed[14])
    assert x0 - 1 <= columns.min() <= columns.max() <= x1
    assert y0 - 1 <= rows.min() <= rows.max() <= y1


def test_a_logo_is_drawn_in_its_corner_with_its_opacity(tmp_path: Path) -> None:
    spec = image_spec(4, assets={"can": {"kind": "image"}, "logo": {"kind": "image"}})
    spec["segments"][0].pop("motion")
    compile(spec, {"can": CAN, "logo": LOGO}, tmp_path / "plain.mp4")
    plain = frames_of(tmp_path / "plain.mp4", 180, 320)[2].astype(int)
    strength = []
    for opacity in (1.0, 0.4):
        spec["overlays"] = [{"type": "image", "asset": "logo", "place": "bottom_left", "size": 0.5, "opacity": opacity}]
        compile(spec, {"can": CAN, "logo": LOGO}, tmp_path / "logo.mp4")
        changed = np.abs(frames_of(tmp_path / "logo.mp4", 180, 320)[2].astype(int) - plain).max(axis=2)
        rows, columns = np.nonzero(changed > 50)
        assert len(rows) > 30
        assert columns.max() < 120
        strength.append(changed.max())
    assert strength[1] < strength[0] * 0.75


def test_progress_rises_to_the_total_in_the_calling_thread(tmp_path: Path) -> None:
    seen: list[tuple[int, int, threading.Thread]] = []
    compile(
        image_spec(),
        {"can": CAN},
        tmp_path / "a.mp4",
        progress=lambda done, total: seen.append((done, total, threading.current_thread())),
    )
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert seen[-1][:2] == (30, 30)
    assert {thread for _, _, thread in seen} == {threading.current_thread()}


def test_cancelling_stops_soon_and_leaves_nothing(tmp_path: Path) -> None:
    spec = image_spec(3000, output={"width": 1080, "height": 1920}, constraints={"max_duration_s": 120})
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(RenderCancelled):
        compile(spec, {"can": CAN}, tmp_path / "a.mp4", cancelled=cancelled)
    assert list(tmp_path.iterdir()) == []


def test_a_bit_rate_floor_is_kept_even_by_a_still_picture(tmp_path: Path) -> None:
    floor = 3_000_000
    spec = two_slots(type="crossfade", frames=15) | {"output": small_output(preset="veryfast", min_bit_rate=floor)}
    for segment in spec["segments"]:
        segment["duration_frames"] = 165
    compile(spec, TWO, tmp_path / "a.mp4")
    info = probe(tmp_path / "a.mp4")
    assert info.bit_rate is not None
    assert floor <= info.bit_rate < floor * 1.25
    report = qc_check(tmp_path / "a.mp4", Expectations(min_bit_rate=floor, frames=330, lufs=None))
    assert report.by_check("bit_rate").verdict == report.by_check("decodable").verdict == "pass"


def test_missing_and_exchanged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"\$\.assets\.can: no file"):
        compile(image_spec(), {}, tmp_path / "a.mp4")
    spec = image_spec(assets={"can": {"kind": "image", "sha256": "0" * 64}})
    with pytest.raises(SpecError, match="another digest"):
        compile(spec, {"can": CAN}, tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_motion_is_smooth_below_a_tenth_of_a_pixel(tmp_path: Path) -> None:
    """A slow pan over a step edge: the edge's sub-pixel place must advance evenly, frame by frame."""
    source = make_video(
        tmp_path / "edge.png",
        "-f",
        "lavfi",
        "-i",
        "color=black:s=1080x1920,drawbox=x=540:w=540:h=1920:c=white:t=fill,gblur=sigma=2",
        "-frames:v",
        "1",
    )
    motion = {"from": {"zoom": 1.2, "x": 0.3}, "to": {"zoom": 1.2, "x": 0.7}, "ease": "linear"}
    spec = image_spec(
        60,
        output=small_output(width=360, height=640, crf=4),
        segments=[{"type": "image", "asset": "can", "duration_frames": 60, "motion": motion}],
    )
    compile(spec, {"can": source}, tmp_path / "a.mp4")
    row = frames_of(tmp_path / "a.mp4", 360, 640)[:, 320, :, 1].astype(float) / 255
    edge = 360 - row.sum(axis=1)
    steps = np.diff(edge)
    assert steps.mean() == pytest.approx(-0.4 * (360 * 1.2 - 360) / 60, rel=0.05)
    assert steps.std() < 0.03


def test_a_whole_ad_passes_quality_control(tmp_path: Path) -> None:
    spec = {
        "version": "1.0",
        "output": small_output(width=270, height=480, channel="tiktok"),
        "assets": {
            name: {"kind": kind}
            for name, kind in (("can", "image"), ("clip", "video"), ("logo", "image"), ("bed", "audio"))
        },
        "segments": [
            {
                "type": "image",
                "asset": "can",
                "duration_frames": 45,
                "motion": {"from": {"zoom": 1}, "to": {"zoom": 1.1}},
            },
            {
                "type": "video",
                "asset": "clip",
                "duration_frames": 60,
                "transition": {"type": "crossfade", "frames": 12},
            },
            {
                "type": "text",
                "headline": "Order today",
                "duration_frames": 45,
                "transition": {"type": "fade_black", "frames": 12},
            },
        ],
        "captions": {
            "style": "karaoke",
            "cues": [{"start_frame": 5, "end_frame": 40, "text": "قهوة %{} 👋🏽 cold: 'brew'"}],
        },
        "overlays": [{"type": "image", "asset": "logo"}],
        "audio": {"bed": {"asset": "bed"}},
    }
    report = compile(spec, {"can": CAN, "clip": TURNTABLE, "logo": LOGO, "bed": MUSIC}, tmp_path / "ad.mp4")
    expected = Expectations(
        width=270, height=480, fps=Fraction(30), frames=150, duration_ms=5000, lufs=-14, true_peak_dbtp=-1
    )
    checked = qc_check(tmp_path / "ad.mp4", expected)
    assert checked.verdict == "pass", checked.to_dict()
    assert report.warnings == ()
