"""Commands ``compile``, ``lint``, ``probe``, ``thumbnail``, ``schema``, ``qc``, ``cutout``, ``models`` and ``ingest``.

Exit status: 0 done, 1 the work was refused or failed the check, 2 wrong use, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from genengine.media.errors import MediaError, SpecError

BAR_WIDTH = 32


def main(argv: list[str] | None = None) -> int:
    """Run one command; errors become one clear line on stderr."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except SpecError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1
    except (MediaError, OSError, json.JSONDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m genengine.media", description="Compile and check short videos.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    compiling = commands.add_parser("compile", help="make a video from a RenderSpec")
    compiling.add_argument("spec", type=Path)
    compiling.add_argument(
        "--assets", type=Path, required=True, help="folder with the files: ID.ext, or named in a `files` map"
    )
    compiling.add_argument("--out", type=Path, required=True)
    compiling.add_argument("--report", type=Path, help="write the report as JSON")
    compiling.add_argument("--cache", type=Path, help="keep rendered pieces in this folder")
    compiling.add_argument("--workers", type=int, help="threads that render pieces (default: up to two)")
    compiling.set_defaults(command=_compile)
    linting = commands.add_parser("lint", help="check a RenderSpec before rendering")
    linting.add_argument("spec", type=Path)
    linting.add_argument("--assets", type=Path)
    linting.add_argument("--json", action="store_true")
    linting.set_defaults(command=_lint)
    probing = commands.add_parser("probe", help="say what is in a file")
    probing.add_argument("file", type=Path)
    probing.set_defaults(command=_probe)
    still = commands.add_parser("thumbnail", help="take a still from a video")
    still.add_argument("file", type=Path)
    still.add_argument("--out", type=Path, required=True)
    still.add_argument("--at", type=float, default=1.0, help="seconds")
    still.add_argument("--width", type=int)
    still.set_defaults(command=_thumbnail)
    schema = commands.add_parser("schema", help="print the JSON Schema of RenderSpec")
    schema.add_argument("--markdown", action="store_true", help="print the reference page instead")
    schema.set_defaults(command=_schema)
    checking = commands.add_parser("qc", help="check a finished video")
    checking.add_argument("file", type=Path)
    checking.add_argument("--json", action="store_true")
    checking.add_argument("--channel", default="generic", help="whose loudness applies")
    checking.add_argument("--size", help="expected size, such as 1080x1920")
    checking.add_argument("--fps", help="expected rate, such as 30 or 30000/1001")
    checking.add_argument("--seconds", type=float, help="expected length")
    checking.set_defaults(command=_qc)
    cutting = commands.add_parser("cutout", help="cut the subject out of a photo")
    cutting.add_argument("file", type=Path)
    cutting.add_argument("--out", type=Path, required=True, help="PNG to write")
    cutting.set_defaults(command=_cutout)
    models = commands.add_parser("models", help="say which vision models are here, and how to get the others")
    models.set_defaults(command=_models)
    taking = commands.add_parser("ingest", help="check and normalise a file from outside")
    taking.add_argument("file", type=Path)
    taking.add_argument("--out-dir", type=Path, required=True)
    taking.set_defaults(command=_ingest)
    return parser


def _compile(arguments: argparse.Namespace) -> int:
    from genengine.media import compile as compile_video

    data = _load(arguments.spec)
    files = find_assets(data, arguments.assets)
    bar = ProgressBar()
    report = compile_video(
        {key: value for key, value in data.items() if key != "files"},
        files,
        arguments.out,
        cache_dir=arguments.cache,
        progress=bar,
        workers=arguments.workers,
    )
    bar.close()
    if arguments.report:
        arguments.report.write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
    for warning in report.warnings:
        print(f"note: {warning}", file=sys.stderr)
    print(f"{report.path}: {report.frames} frames, {report.duration_ms / 1000:.3f} s, {report.wall_s:.1f} s to make")
    return 0


def find_assets(data: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Files by asset id: from the spec's ``files`` map (paths relative to ``folder``), else ``ID`` or ``ID.*``."""
    named = data.get("files", {})
    out: dict[str, Path] = {}
    for name in data.get("assets", {}):
        if name in named:
            out[name] = folder / named[name]
            continue
        exact = folder / name
        matches = [exact] if exact.is_file() else sorted(folder.glob(f"{name}.*"))
        if matches:
            out[name] = matches[0]
    return out


def _lint(arguments: argparse.Namespace) -> int:
    from genengine.media import lint

    repeated: list[str] = []
    data = _load(arguments.spec, repeated)
    files = find_assets(data, arguments.assets) if arguments.assets else None
    found = lint({key: value for key, value in data.items() if key != "files"}, files)
    rows = [_repeated(name) for name in repeated] + [item.to_dict() for item in found]
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['severity']}: {row['path']}: {row['message']} {row['fix']}".rstrip() + f" [{row['code']}]")
        counts = [f"{sum(row['severity'] == name for row in rows)} {name}s" for name in ("error", "warning", "note")]
        print(", ".join(counts), file=sys.stderr)
    return 1 if any(row["severity"] == "error" for row in rows) else 0


def _repeated(name: str) -> dict[str, str]:
    fix = "Give every id once: JSON readers keep only the last."
    message = f"{name!r} is given twice in one object."
    return {"code": "duplicate_id", "severity": "error", "path": f"$..{name}", "message": message, "fix": fix}


def _probe(arguments: argparse.Namespace) -> int:
    from genengine.media import probe

    print(json.dumps(probe(arguments.file).to_dict(), indent=2))
    return 0


def _thumbnail(arguments: argparse.Namespace) -> int:
    from genengine.media import thumbnail

    print(thumbnail(arguments.file, arguments.out, at_s=arguments.at, width=arguments.width))
    return 0


def _schema(arguments: argparse.Namespace) -> int:
    from genengine.media import spec_schema
    from genengine.media.spec.reference import markdown

    if arguments.markdown:
        print(markdown(), end="")
        return 0
    print(json.dumps(spec_schema(), indent=2))
    return 0


def _qc(arguments: argparse.Namespace) -> int:
    from genengine.media import CHANNELS, Expectations, qc_check

    if arguments.channel not in CHANNELS:
        print(f"Unknown channel {arguments.channel!r}; known: {', '.join(CHANNELS)}.", file=sys.stderr)
        return 2
    channel = CHANNELS[arguments.channel]
    width, height = (int(part) for part in arguments.size.split("x")) if arguments.size else (None, None)
    expected = Expectations(
        width=width,
        height=height,
        fps=Fraction(arguments.fps) if arguments.fps else None,
        duration_ms=round(arguments.seconds * 1000) if arguments.seconds else None,
        lufs=channel.lufs,
        loudness_tolerance=channel.loudness_tolerance,
        true_peak_dbtp=channel.true_peak_dbtp,
        max_bytes=channel.max_bytes,
    )
    report = qc_check(arguments.file, expected)
    if arguments.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        for item in report.findings:
            where = f" [{'; '.join(item.evidence)}]" if item.evidence else ""
            row = f"{item.verdict:8}{item.check:18}{item.measured} (wanted {item.threshold}) {item.message}{where}"
            print(row.rstrip())
        print(f"verdict: {report.verdict}, score {report.score}/10")
    return 0 if report.passed else 1


def _cutout(arguments: argparse.Namespace) -> int:
    from genengine.media.cutout import cut_out

    cut = cut_out(arguments.file, arguments.out)
    print(f"{cut.path or 'not used'}: {cut.why} (confidence {cut.confidence:.2f})")
    return 0 if cut.usable else 1


def _models(arguments: argparse.Namespace) -> int:
    from genengine.media.models.registry import State, statuses

    found = statuses()
    for status in found:
        it = status.weights
        print(f"{status.state:13}{it.label:30}{it.licence:12}{it.size / 1e6:5.1f} MB  {it.used_for}; {it.source}")
        if status.hint:
            print(f"{'':13}{status.hint}")
    return 0 if all(status.state is State.READY for status in found) else 1


def _ingest(arguments: argparse.Namespace) -> int:
    from genengine.media import ingest

    taken = ingest(arguments.file, name=arguments.file.name, out_dir=arguments.out_dir)
    print(json.dumps({name: _plain(getattr(taken, name)) for name in taken.__slots__}, indent=2))
    return 0


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _load(path: Path, repeated: list[str] | None = None) -> dict[str, Any]:
    """The spec; keys that one object has twice are added to ``repeated``."""

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if repeated is not None:
            repeated.extend(name for name in dict.fromkeys(names) if names.count(name) > 1)
        return dict(pairs)

    data = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=keep)
    if not isinstance(data, dict):
        raise MediaError(f"{path} does not hold a RenderSpec: a JSON object is expected.")
    return data


class ProgressBar:
    """Frames done on a terminal; silent when stderr is not one."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        if not self._shown:
            return
        filled = BAR_WIDTH * done // max(1, total)
        passed = time.monotonic() - self._started
        left = f"{passed / done * (total - done):4.0f} s left" if done else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {done}/{total} frames {left}  ")
        sys.stderr.flush()

    def close(self) -> None:
        if self._shown:
            sys.stderr.write("\n")
