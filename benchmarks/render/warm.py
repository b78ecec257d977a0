"""Re-rendering six scenes, in a warm worker and by a command that starts anew. Prints one JSON object with CPU seconds.

Usage: ``python -m benchmarks.render.warm AD.json ASSETS WORK``; the pictures are ``p1.jpg`` to ``p6.jpg``.
"""

from __future__ import annotations

import copy
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.render.reference import files_of, spec_of, with_scenes
from genengine.media import compile


def cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    ad, folder, work = with_scenes(json.loads(Path(sys.argv[1]).read_text()), 6), Path(sys.argv[2]), Path(sys.argv[3])
    files, spec = files_of(ad, folder), spec_of(ad)
    changed = copy.deepcopy(spec)
    changed["captions"]["cues"][2]["text"] = "A new offer inside"
    figures, costs = {}, {}
    for name, wanted in (("cold", spec), ("one_of_six", changed), ("unchanged", changed)):
        begun = cpu()
        report = compile(wanted, files, work / f"{name}.mp4", cache_dir=work / "cache")
        costs[name] = cpu() - begun
        figures[name] = {
            "cpu_s": round(costs[name], 3),
            "wall_s": report.wall_s,
            "pieces": report.pieces,
            "hits": report.cache_hits,
        }
    figures["command"] = {"cpu_s": round(command(changed, files, work), 3)}
    print(json.dumps(figures))


def command(spec: dict[str, Any], files: dict[str, Path], work: Path) -> float:
    """CPU seconds of ``compile`` in a new process with the same cache, when yet another scene of six has changed."""
    spec["captions"]["cues"][4]["text"] = "Ready when you are"
    place = work / "changed.json"
    place.write_text(json.dumps(spec | {"files": {name: str(path) for name, path in files.items()}}))
    argv: list[str | Path] = [sys.executable, "-m", "genengine.media", "compile", place, "--assets", files["p1"].parent]
    begun = cpu()
    subprocess.run([*argv, "--out", work / "changed.mp4", "--cache", work / "cache"], check=True, stdout=sys.stderr)
    return cpu() - begun


if __name__ == "__main__":
    main()
