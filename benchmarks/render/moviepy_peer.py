"""A peer: the same ad with MoviePy 2, written as its documentation shows. Runs in an environment of its own.

Usage: ``PYTHON benchmarks/render/moviepy_peer.py AD.json ASSETS OUT.mp4`` with a PYTHON that has moviepy.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from moviepy import AudioFileClip, CompositeVideoClip, ImageClip, TextClip, afx, vfx  # type: ignore[import-not-found]


def scene(ad, folder: Path, index: int, font: str):  # type: ignore[no-untyped-def]
    width, height, slot, fade = (ad[key] for key in ("width", "height", "segment_seconds", "crossfade_seconds"))
    said = ad["segments"][index]
    length = slot + (fade if index < len(ad["segments"]) - 1 else 0)
    first, last = said["zoom"]
    picture = ImageClip(str(folder / said["image"])).resized(height=height)
    picture = picture.cropped(x_center=picture.w / 2, width=width).with_duration(length)
    moving = picture.resized(lambda t: first + (last - first) * t / length).with_position("center")
    text = TextClip(font=font, text=said["caption"], font_size=62, color="white", stroke_color="black", stroke_width=5)
    text = text.with_duration(length).with_position(("center", height - 700))
    clip = CompositeVideoClip([moving, text], size=(width, height), bg_color=(0, 0, 0)).with_duration(length)
    clip = clip.with_start(index * slot)
    return clip.with_effects([vfx.CrossFadeIn(fade)]) if index else clip


def main() -> None:
    ad, folder, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), Path(sys.argv[3])
    font = str(Path(__file__).resolve().parents[2] / "genengine" / "media" / "fonts" / "Montserrat-Bold.ttf")
    scenes = [scene(ad, folder, index, font) for index in range(len(ad["segments"]))]
    seconds, wide = ad["segment_seconds"] * len(scenes), ad["logo"]["width"]
    logo = ImageClip(str(folder / ad["logo"]["file"])).resized(width=wide)
    logo = logo.with_position((ad["width"] - wide - 60, 60)).with_duration(seconds)
    film = CompositeVideoClip([*scenes, logo], size=(ad["width"], ad["height"])).with_duration(seconds)
    music = AudioFileClip(str(folder / ad["music"]["file"])).subclipped(0, seconds).with_effects([afx.AudioFadeOut(1)])
    film = film.with_audio(music)
    film.write_videofile(
        str(out),
        fps=ad["fps"],
        codec="libx264",
        preset=ad["encode"]["preset"],
        audio_codec="aac",
        audio_bitrate="192k",
        ffmpeg_params=["-crf", str(ad["encode"]["crf"])],
        logger=None,
    )


if __name__ == "__main__":
    main()
