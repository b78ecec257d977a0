"""``compile``: a checked spec and its files in, one finished file and a report out.

What draws and encodes is imported only when something has to be drawn: a render that is already in the cache costs
next to nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import struct
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genengine.media.builds import tool_builds
from genengine.media.errors import SpecError, SpecProblem
from genengine.media.spec.brand import breaches, too_long
from genengine.media.spec.model import RenderSpec
from genengine.media.spec.parse import parse, references
from genengine.media.store import Store
from genengine.media.version import ENGINE_VERSION, SPEC_VERSION

if TYPE_CHECKING:
    from genengine.media.audio.master import Mastered
    from genengine.media.compose.job import Job

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class CompileReport:
    """What was made. Loudness is of the encoded sound and None when the track is silent; times are in seconds."""

    path: Path
    thumbnail: Path
    sha256: str
    size_bytes: int
    frames: int
    duration_ms: int
    width: int
    height: int
    fps: str
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    pieces: int
    cache_hits: int
    cpu_s: float
    wall_s: float
    engine: str = ENGINE_VERSION
    spec_version: str = SPEC_VERSION
    warnings: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return values | {"path": str(self.path), "thumbnail": str(self.thumbnail), "warnings": list(self.warnings)}


def compile_spec(
    spec: RenderSpec | Mapping[str, Any],
    assets: Mapping[str, Path],
    out: Path,
    *,
    work_dir: Path | None = None,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    workers: int | None = None,
) -> CompileReport:
    """Render ``spec`` to ``out`` (MP4) with a JPEG thumbnail beside it.

    ``assets`` maps asset ids to files that came through ``ingest``. ``progress(done, total)`` counts frames and is
    called, like ``cancelled()``, in the calling thread about four times a second. Nothing is left at ``out`` after
    an error. Raises ``SpecError``, ``RenderFailed``, ``RenderCancelled``.
    """
    started, cpu = time.monotonic(), _cpu()
    checked = spec if isinstance(spec, RenderSpec) else parse(spec)
    files = {name: Path(path) for name, path in assets.items()}
    digests = _check_files(checked, files)
    _refuse(checked, files)
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    store = Store(Path(cache_dir)) if cache_dir else None
    key = _result_key(checked, digests) if store and checked.source else ""
    report = _known(store, key, out, progress) if store and key else None
    if report is None:
        with tempfile.TemporaryDirectory(prefix=".ge-render-", dir=work_dir or out.parent) as scratch:
            report = _render(checked, files, digests, out, Path(scratch), store, workers, progress, cancelled)
        if store:
            _keep(store, key, report)
            store.evict()
    return replace(report, cpu_s=round(_cpu() - cpu, 3), wall_s=round(time.monotonic() - started, 3))


def _render(
    spec: RenderSpec,
    files: Mapping[str, Path],
    digests: Mapping[str, str],
    out: Path,
    scratch: Path,
    store: Store | None,
    workers: int | None,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> CompileReport:
    from genengine.media.compose.job import Job

    job = Job(spec, files, digests, store, workers or min(2, os.cpu_count() or 1))
    mastered = job.run(scratch / "out.mp4", progress, cancelled)
    job.save_thumbnail(scratch / "thumb.jpg")
    os.replace(scratch / "out.mp4", out)
    os.replace(scratch / "thumb.jpg", out.with_suffix(".jpg"))
    return _report(spec, out, job, mastered)


def _result_key(spec: RenderSpec, digests: Mapping[str, str]) -> str:
    """SHA-256 of the whole request: the spec as it was given, the files, the tools."""
    described = {"spec": spec.source, "digests": digests, "tools": tool_builds()}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _keep(store: Store, key: str, report: CompileReport) -> None:
    if not key:
        return
    index = json.dumps(report.to_dict()).encode()
    film, still = report.path.read_bytes(), report.thumbnail.read_bytes()
    store.put(key, "result", struct.pack(">III", len(index), len(film), len(still)) + index + film + still)


def _known(store: Store, key: str, out: Path, progress: Progress | None) -> CompileReport | None:
    """The file of an earlier, equal request; None when it is not there or not whole."""
    data = store.get(key, "result")
    if data is None or len(data) < 12:
        return None
    index_size, film_size, still_size = struct.unpack(">III", data[:12])
    film_at, still_at = 12 + index_size, 12 + index_size + film_size
    if len(data) != still_at + still_size:
        return None
    try:
        values = json.loads(data[12:film_at])
    except ValueError:
        return None
    if hashlib.sha256(data[film_at:still_at]).hexdigest() != values["sha256"]:
        return None
    for path, part in ((out, data[film_at:still_at]), (out.with_suffix(".jpg"), data[still_at:])):
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_bytes(part)
        os.replace(fresh, path)
    if progress is not None:
        progress(values["frames"], values["frames"])
    places = {"path": out, "thumbnail": out.with_suffix(".jpg"), "warnings": tuple(values["warnings"])}
    return CompileReport(**values | places | {"cache_hits": values["pieces"]})


def _check_files(spec: RenderSpec, files: Mapping[str, Path]) -> dict[str, str]:
    """Digest of every file that is used; what is missing or different is a fault of the request."""
    problems, digests = [], {}
    used = {name for _, name, _ in references(spec)}
    for name in sorted(used):
        path = files.get(name)
        if path is None or not path.is_file():
            problems.append(SpecProblem(f"$.assets.{name}", "no file was given for it.", f"Pass assets[{name!r}]."))
            continue
        digests[name] = _digest(path)
        wanted = spec.assets[name].sha256
        if wanted and wanted != digests[name]:
            fix = "Give the file that the spec was made for, or remove sha256."
            problems.append(SpecProblem(f"$.assets.{name}.sha256", "the file has another digest.", fix))
    if problems:
        raise SpecError(problems)
    return digests


def _refuse(spec: RenderSpec, files: Mapping[str, Path]) -> None:
    """What brand-safe work and the spec's own limits forbid is refused before a frame is drawn."""
    found = [*too_long(spec), *breaches(spec)]
    if spec.brand and spec.brand.logo and spec.constraints.brand_safe:
        from genengine.media.compose.clearance import crowding

        found += crowding(spec, files)
    if found:
        raise SpecError([SpecProblem(item.path, item.message, item.fix, item.code) for item in found])


def _report(spec: RenderSpec, out: Path, job: Job, mastered: Mastered) -> CompileReport:
    loudness = mastered.loudness
    return CompileReport(
        path=out,
        thumbnail=out.with_suffix(".jpg"),
        sha256=_digest(out),
        size_bytes=out.stat().st_size,
        frames=spec.duration_frames,
        duration_ms=round(spec.duration_s * 1000),
        width=spec.output.width,
        height=spec.output.height,
        fps=str(spec.output.fps),
        loudness_lufs=loudness.lufs if loudness else None,
        true_peak_dbtp=loudness.true_peak_dbtp if loudness else None,
        pieces=len(job.pieces),
        cache_hits=job.store.hits if job.store else 0,
        cpu_s=0.0,
        wall_s=0.0,
        warnings=(*mastered.warnings, *job.warnings()),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cpu() -> float:
    """CPU seconds of this process and of the children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
