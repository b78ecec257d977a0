"""The limit: the same final frames from memory, encoded by the same x264, with AAC and MP4, and nothing else.

Usage: ``python -m benchmarks.render.limit FRAMES.yuv MUSIC OUT.mp4 [--ffmpeg]``. With ``--ffmpeg`` the ffmpeg
program does it, otherwise the library that our renderer encodes with.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import numpy as np

from benchmarks.render import reference
from genengine.media import parse_spec
from genengine.media.audio.aac import encode
from genengine.media.audio.pcm import decode
from genengine.media.compose.encoder import PieceEncoder
from genengine.media.compose.join import join
from genengine.media.ffmpeg.binaries import ffmpeg

BT709 = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]


def by_library(frames: Path, music: Path, out: Path) -> None:
    spec = parse_spec(reference.ad())
    encoder = PieceEncoder(spec.output)
    frame = np.empty((1920 * 3 // 2, 1080), np.uint8)
    with frames.open("rb") as file:
        while file.readinto(frame.data):
            encoder.add(frame)
    encoder.finish()
    sound = encode(decode(music, seconds=float(spec.duration_s)))
    join(out, spec.output, [(0, encoder.header, encoder.packets)], sound, {})


def by_program(frames: Path, music: Path, out: Path) -> None:
    from benchmarks.render.measuring import raw_input

    argv = [
        ffmpeg(),
        "-v",
        "error",
        "-y",
        *raw_input(frames),
        "-t",
        "15",
        "-i",
        str(music),
        "-map",
        "0:v",
        "-map",
        "1:a",
    ]
    argv += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-g", "60", *BT709]
    subprocess.run([*argv, "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", str(out)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("frames", type=Path)
    parser.add_argument("music", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ffmpeg", action="store_true")
    arguments = parser.parse_args()
    (by_program if arguments.ffmpeg else by_library)(arguments.frames, arguments.music, arguments.out)


if __name__ == "__main__":
    main()
