"""A peer: one ffmpeg filter graph with zoompan from twice the size, the usual way to do this.

Usage: ``python -m benchmarks.render.graph_peer MATERIAL OUT.mp4``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.render import material, reference
from benchmarks.render.limit import BT709
from genengine.media.ffmpeg.binaries import ffmpeg


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    files = material.make(folder)
    spec = reference.ad()
    inputs, chains = [], []
    for index, segment in enumerate(spec["segments"]):
        length = reference.SLOT + (reference.CROSSFADE if index < 2 else 0)
        start, end = segment["motion"]["from"], segment["motion"]["to"]
        part = f"on/{length}"
        zoom, x, y = (f"({start[key]}+({end[key] - start[key]})*{part})" for key in ("zoom", "x", "y"))
        inputs += ["-i", str(files[segment["asset"]])]
        crop = "crop=ih*9/16:ih,scale=2160:3840:flags=bicubic"
        pan = f"zoompan=z='{zoom}':x='(iw-iw/zoom)*{x}':y='(ih-ih/zoom)*{y}':d={length}:s=1080x1920:fps=30"
        text = f"drawtext=fontfile={material.FONT}:text='{reference.CAPTIONS[index]}':fontsize=62:fontcolor=white"
        text += ":borderw=5:x=(w-tw)/2:y=h-700"
        chains.append(f"[{index}:v]{crop},{pan},{text},settb=1/30,format=yuv420p[v{index}]")
    fades = "[v0][v1]xfade=duration=0.5:offset=5[w];[w][v2]xfade=duration=0.5:offset=10[x]"
    logo = "[3:v]scale=216:-2[l];[x][l]overlay=W-w-60:60,format=yuv420p[v]"
    graph = ";".join([*chains, fades, logo])
    argv = [ffmpeg(), "-v", "error", "-y", *inputs, "-i", str(files["logo"]), "-t", "15", "-i", str(files["music"])]
    argv += ["-filter_complex", graph, "-map", "[v]", "-map", "4:a", "-af", "afade=t=out:st=14:d=1"]
    argv += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-g", "60", *BT709, "-t", "15"]
    subprocess.run([*argv, "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", str(out)], check=True)


if __name__ == "__main__":
    main()
