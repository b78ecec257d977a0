"""A peer: the same ad with MoviePy 2, written as its documentation shows. Runs in an environment of its own.

Usage: ``PYTHON benchmarks/render/moviepy_peer.py MATERIAL OUT.mp4`` with a PYTHON that has moviepy.
"""

from __future__ import annotations

import sys
from pathlib import Path

from moviepy import AudioFileClip, CompositeVideoClip, ImageClip, TextClip, afx, vfx  # type: ignore[import-not-found]

WIDTH, HEIGHT, SLOT, FADE = 1080, 1920, 5.0, 0.5
CAPTIONS = ("Meet the bottle that keeps up", "Cold for 24 hours", "Order today, free shipping")
ZOOMS = ((1.0, 1.12), (1.12, 1.0), (1.0, 1.12))


def scene(folder: Path, index: int, font: str):  # type: ignore[no-untyped-def]
    length = SLOT + (FADE if index < 2 else 0)
    first, last = ZOOMS[index]
    picture = ImageClip(str(folder / f"p{index + 1}.jpg")).resized(height=HEIGHT)
    picture = picture.cropped(x_center=picture.w / 2, width=WIDTH).with_duration(length)
    moving = picture.resized(lambda t: first + (last - first) * t / length).with_position("center")
    text = TextClip(font=font, text=CAPTIONS[index], font_size=62, color="white", stroke_color="black", stroke_width=5)
    text = text.with_duration(length).with_position(("center", HEIGHT - 700))
    clip = CompositeVideoClip([moving, text], size=(WIDTH, HEIGHT), bg_color=(0, 0, 0)).with_duration(length)
    clip = clip.with_start(index * SLOT)
    return clip.with_effects([vfx.CrossFadeIn(FADE)]) if index else clip


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    font = str(Path(__file__).resolve().parents[2] / "genengine" / "media" / "fonts" / "Montserrat-Bold.ttf")
    scenes = [scene(folder, index, font) for index in range(3)]
    logo = ImageClip(str(folder / "logo.png")).resized(width=216).with_position((WIDTH - 276, 60)).with_duration(15)
    film = CompositeVideoClip([*scenes, logo], size=(WIDTH, HEIGHT)).with_duration(15)
    music = AudioFileClip(str(folder / "music.wav")).subclipped(0, 15).with_effects([afx.AudioFadeOut(1)])
    film = film.with_audio(music)
    film.write_videofile(
        str(out),
        fps=30,
        codec="libx264",
        preset="veryfast",
        audio_codec="aac",
        audio_bitrate="192k",
        ffmpeg_params=["-crf", "20"],
        logger=None,
    )


if __name__ == "__main__":
    main()
