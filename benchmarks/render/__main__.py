"""``python -m benchmarks.render``: our renderer against the encoding limit and against other ways, as ratios.

Prints a table and, as the last line,
``cpu_over_limit=… moviepy_over_ours=… jitter_px=… ssim_y=… rerun_one_of_six=… rerun_by_command=… warm=…
lint_s=…``. Quote ratios, not seconds: both sides of each ratio are measured one after the other on the same machine.

``--ad FILE --assets FOLDER`` measures another ad of that size and rate, described in the form of `reference.AD`.

MoviePy gets an environment of its own, installed on the first run. Where it cannot be had, or with ``--no-moviepy``,
its ratio reads ``not_measured`` (and a line on stderr says why); nothing else changes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from benchmarks.render import material, reference
from benchmarks.render.measuring import Cost, cost_of, jitter_px, ssim_y

ROOT = Path(__file__).resolve().parents[2]
MOVIEPY = "moviepy==2.2.1"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.render", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--work", type=Path, help="keep material and MoviePy's environment here")
    parser.add_argument(
        "--frames", type=Path, help="folder for 1.4 GB of raw frames (default: /dev/shm if it is large)"
    )
    parser.add_argument("--runs", type=int, default=3, help="runs of each side; the smallest counts")
    parser.add_argument("--no-moviepy", action="store_true")
    parser.add_argument("--ad", type=Path, help="description of another ad; its pictures are p1.jpg to p6.jpg")
    parser.add_argument("--assets", type=Path, help="folder of that ad's files")
    arguments = parser.parse_args()
    if (arguments.ad is None) != (arguments.assets is None):
        parser.error("--ad and --assets belong together: what the ad says, and the folder of its files.")
    with tempfile.TemporaryDirectory(prefix="ge-bench-") as scratch:
        work = arguments.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        assets = arguments.assets or material.make(work / "material")
        ad = json.loads(arguments.ad.read_text()) if arguments.ad else reference.AD
        memory = arguments.frames or (Path("/dev/shm") if Path("/dev/shm").is_dir() else work)
        with tempfile.TemporaryDirectory(prefix="ge-bench-", dir=memory) as raw:
            return _run(ad, assets, work, Path(raw), arguments.runs, with_moviepy=not arguments.no_moviepy)


def _run(ad: reference.Ad, assets: Path, work: Path, raw: Path, runs: int, *, with_moviepy: bool) -> int:
    said = work / "ad.json"
    said.write_text(json.dumps(ad))
    spec = reference.write_spec(ad, assets, work / "spec.json")
    ours, single, limit, program = [], [], [], []
    frames = raw / "frames.yuv"
    _module("frames", spec, frames)
    for _ in range(runs):
        limit.append(_module("limit", spec, frames, work / "limit.mp4"))
        program.append(_module("limit", spec, frames, work / "limit-program.mp4", "--ffmpeg"))
        ours.append(_ours(spec, work / "ours.mp4", 2))
        single.append(_ours(spec, work / "ours.mp4", 1))
    rows = {"limit (library)": _best(limit), "limit (ffmpeg program)": _best(program)}
    rows |= {"ours, 1 worker": _best(single), "ours, 2 workers": _best(ours)}
    rows["filter graph, zoompan"] = _module("graph_peer", said, assets, work / "graph.mp4")
    moviepy = _moviepy(said, assets, work) if with_moviepy else None
    if moviepy:
        rows["MoviePy 2.2.1"] = moviepy
    bound = min(rows["limit (library)"].cpu_s, rows["limit (ffmpeg program)"].cpu_s)
    _table(rows, bound)
    _module("frames", spec, frames, "--truth")
    quality, best_quality = (ssim_y(work / name, frames) for name in ("ours.mp4", "limit.mp4"))
    frames.unlink()
    jitter = _jitter(ad, assets, work)
    warm = _warm(said, assets, work)
    lint = _lint(assets)
    one, two = rows["ours, 1 worker"], rows["ours, 2 workers"]
    mine = min(one.cpu_s, two.cpu_s)
    walls = [min(cost.wall_s for cost in costs) for costs in (ours, single)]
    print(f"two workers: wall {walls[0] / walls[1]:.2f} of one; peak memory {two.peak_mb:.0f} MB")
    print(f"SSIM-Y against the Lanczos truth: ours {quality:.4f}, the limit's own {best_quality:.4f}")
    peer = f"{moviepy.cpu_s / mine:.2f}" if moviepy else "not_measured"
    cold = warm["cold"]["cpu_s"]
    print(
        f"cpu_over_limit={mine / bound:.2f} moviepy_over_ours={peer} jitter_px={jitter:.3f} ssim_y={quality:.4f} "
        f"rerun_one_of_six={warm['one_of_six']['cpu_s'] / cold:.3f} "
        f"rerun_by_command={warm['command']['cpu_s'] / cold:.3f} warm={warm['unchanged']['cpu_s'] / cold:.3f} "
        f"lint_s={lint['minute']:.2f}"
    )
    return 0


def _jitter(ad: reference.Ad, assets: Path, work: Path) -> float:
    """Measured without captions and logo: what stands still would be taken for a moving picture that jitters."""
    video = work / "plain.mp4"
    _ours(reference.write_spec(ad, assets, work / "plain.json", graphics=False), video, 1)
    return jitter_px(video, *reference.slot_frames(ad))


def _module(name: str, *arguments: str | Path) -> Cost:
    return cost_of([sys.executable, "-m", f"benchmarks.render.{name}", *arguments], PYTHONPATH=str(ROOT))


def _ours(spec: Path, out: Path, workers: int) -> Cost:
    argv = [sys.executable, "-m", "genengine.media", "compile", spec, "--assets", spec.parent, "--out", out]
    return cost_of([*argv, "--workers", str(workers)], PYTHONPATH=str(ROOT))


def _moviepy(ad: Path, assets: Path, work: Path) -> Cost | None:
    """MoviePy wants an older Pillow than we use, so it gets an environment of its own; None where it cannot be had."""
    home = work / "moviepy"
    python = home / "bin" / "python"
    try:
        if not python.exists():
            venv.create(home, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "-q", MOVIEPY], check=True)
        peer = ROOT / "benchmarks" / "render" / "moviepy_peer.py"
        return cost_of([python, peer, ad, assets, work / "moviepy.mp4"])
    except (subprocess.CalledProcessError, RuntimeError, OSError) as error:
        print(f"MoviePy was left out, so its ratio is not measured: {error}", file=sys.stderr)
        return None


def _warm(ad: Path, assets: Path, work: Path) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(dir=work) as folder:
        argv = [sys.executable, "-m", "benchmarks.render.warm", str(ad), str(assets), folder]
        answer = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    figures: dict[str, dict[str, float]] = json.loads(answer.strip().splitlines()[-1])
    return figures


def _lint(assets: Path) -> dict[str, float]:
    argv = [sys.executable, "-m", "benchmarks.render.longest", str(assets)]
    answer = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    figures: dict[str, float] = json.loads(answer.strip().splitlines()[-1])
    return figures


def _best(costs: list[Cost]) -> Cost:
    return min(costs, key=lambda cost: cost.cpu_s)


def _table(rows: dict[str, Cost], bound: float) -> None:
    print(f"{'':24}{'CPU s':>8}{'/ limit':>9}{'wall s':>8}{'peak MB':>9}")
    for name, cost in rows.items():
        print(f"{name:24}{cost.cpu_s:8.2f}{cost.cpu_s / bound:9.2f}{cost.wall_s:8.1f}{cost.peak_mb:9.0f}")


if __name__ == "__main__":
    sys.exit(main())
