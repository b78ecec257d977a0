"""Re-rendering six scenes, in a warm worker and by a command that starts anew. Prints one JSON object with CPU seconds.

Usage: ``python -m benchmarks.render.warm MATERIAL WORK``.
"""

from __future__ import annotations

import copy
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.render import material, reference
from genengine.media import compile


def cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    folder, work = Path(sys.argv[1]), Path(sys.argv[2])
    files, spec = material.make(folder), reference.ad(6)
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
    place.write_text(json.dumps(spec | {"files": {name: str(files[name].resolve()) for name in spec["assets"]}}))
    argv: list[str | Path] = [sys.executable, "-m", "genengine.media", "compile", place, "--assets", files["p1"].parent]
    begun = cpu()
    subprocess.run([*argv, "--out", work / "changed.mp4", "--cache", work / "cache"], check=True, stdout=sys.stderr)
    return cpu() - begun


if __name__ == "__main__":
    main()
