"""The limit: the same final frames from memory, encoded by the same x264, with AAC and MP4, and nothing else.

Usage: ``python -m benchmarks.render.limit SPEC.json FRAMES.yuv OUT.mp4 [--ffmpeg]``. With ``--ffmpeg`` the ffmpeg
program does it, otherwise the library that our renderer encodes with.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from benchmarks.render.measuring import raw_input
from genengine.media import parse_spec
from genengine.media.audio.aac import encode
from genengine.media.audio.pcm import decode
from genengine.media.compose.encoder import PieceEncoder
from genengine.media.compose.join import join
from genengine.media.compose.planes import empty_frame
from genengine.media.ffmpeg.binaries import ffmpeg
from genengine.media.spec import RenderSpec

BT709 = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]


def by_library(spec: RenderSpec, music: Path, frames: Path, out: Path) -> None:
    encoder = PieceEncoder(spec.output)
    frame = empty_frame(spec.output.width, spec.output.height)
    with frames.open("rb") as file:
        while file.readinto(frame.data):
            encoder.add(frame)
    encoder.finish()
    sound = encode(decode(music, seconds=float(spec.duration_s)))
    join(out, spec.output, [(0, encoder.header, encoder.packets)], sound, {})


def by_program(spec: RenderSpec, music: Path, frames: Path, out: Path) -> None:
    wanted = spec.output
    argv = [ffmpeg(), "-v", "error", "-y", *raw_input(frames), "-t", str(float(spec.duration_s)), "-i", str(music)]
    argv += ["-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", wanted.preset, "-crf", str(wanted.crf)]
    argv += ["-g", str(round(2 * wanted.fps)), *BT709, "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart"]
    subprocess.run([*argv, str(out)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("spec", type=Path)
    parser.add_argument("frames", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ffmpeg", action="store_true")
    arguments = parser.parse_args()
    said = json.loads(arguments.spec.read_text())
    music = Path(said.pop("files")["music"])
    make = by_program if arguments.ffmpeg else by_library
    make(parse_spec(said), music, arguments.frames, arguments.out)


if __name__ == "__main__":
    main()
