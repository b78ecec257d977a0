"""A peer: one ffmpeg filter graph with zoompan from twice the size, the usual way to do this.

Usage: ``python -m benchmarks.render.graph_peer AD.json ASSETS OUT.mp4``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.render.limit import BT709
from benchmarks.render.material import FONT
from genengine.media.ffmpeg.binaries import ffmpeg


def main() -> None:
    ad, folder, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), Path(sys.argv[3])
    width, height, fps, slot, fade = (
        ad[key] for key in ("width", "height", "fps", "segment_seconds", "crossfade_seconds")
    )
    scenes, seconds = len(ad["segments"]), slot * len(ad["segments"])
    inputs, chains = [], []
    for index, segment in enumerate(ad["segments"]):
        length = round((slot + (fade if index < scenes - 1 else 0)) * fps)
        moves = (segment["zoom"], *zip(segment["pan_from"], segment["pan_to"], strict=True))
        zoom, x, y = (f"({start}+({end - start})*on/{length})" for start, end in moves)
        inputs += ["-i", str(folder / segment["image"])]
        crop = f"crop=ih*{width}/{height}:ih,scale={2 * width}:{2 * height}:flags=bicubic"
        pan = f"zoompan=z='{zoom}':x='(iw-iw/zoom)*{x}':y='(ih-ih/zoom)*{y}':d={length}:s={width}x{height}:fps={fps}"
        text = f"drawtext=fontfile={FONT}:text='{segment['caption']}':fontsize=62:fontcolor=white"
        text += ":borderw=5:x=(w-tw)/2:y=h-700"
        chains.append(f"[{index}:v]{crop},{pan},{text},settb=1/{fps},format=yuv420p[v{index}]")
    before = "v0"
    for index in range(1, scenes):
        chains.append(f"[{before}][v{index}]xfade=duration={fade}:offset={index * slot}[x{index}]")
        before = f"x{index}"
    logo = f"[{scenes}:v]scale={ad['logo']['width'] // 2 * 2}:-2[l];[{before}][l]overlay=W-w-60:60,format=yuv420p[v]"
    argv = [ffmpeg(), "-v", "error", "-y", *inputs, "-i", str(folder / ad["logo"]["file"]), "-t", str(seconds)]
    argv += ["-i", str(folder / ad["music"]["file"]), "-filter_complex", ";".join([*chains, logo]), "-map", "[v]"]
    argv += ["-map", f"{scenes + 1}:a", "-af", f"afade=t=out:st={seconds - 1}:d=1", "-c:v", "libx264"]
    argv += ["-preset", ad["encode"]["preset"], "-crf", str(ad["encode"]["crf"]), "-g", str(2 * fps), *BT709]
    argv += ["-t", str(seconds), "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", str(out)]
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    main()
