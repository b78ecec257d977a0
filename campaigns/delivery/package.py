"""The package of an export: media, captions, thumbnails, script, shot list, manifest and checksums in one ZIP."""

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from campaigns.delivery.models import Export
from genengine.assets.models import Blob
from genengine.assets.services import open_blob, store_blob
from genengine.core.money import format_micro
from jobs.execution.making import selected_takes
from jobs.execution.models import Master
from jobs.plan import Plan

CHUNK = 1 << 20
EPOCH = (2020, 1, 1, 0, 0, 0)  # a fixed time, so that the same inputs give the same package
NOTICE = (
    "SIMULATED. Every vendor was stood for by the emulator; the pictures are rehearsal material,"
    " marked in picture and metadata. Not for publication.\n"
)


class PackageDamaged(Exception):
    """The package does not hold what its manifest says."""


def build_package(export: Export, folder: Path) -> tuple[Blob, dict[str, Any]]:
    """Write, read back, check and store the package. Returns its blob and manifest."""
    masters = list(export.masters.select_related("branch", "blob", "thumbnail", "srt", "vtt", "quality", "job"))
    path = folder / "package.zip"
    sums: dict[str, str] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for master in masters:
            _add_master(archive, sums, master, export)
        plan = masters[0].job.plan
        _add_text(archive, sums, "script.txt", script_text(plan))
        _add_text(archive, sums, "shot-list.csv", shot_list(masters))
        if export.simulated:
            _add_text(archive, sums, "SIMULATED.txt", NOTICE)
        manifest = manifest_values(export, masters, sums)
        _add_text(archive, sums, "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True))
        _add_text(archive, {}, "SHA256SUMS", "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
    verify_package(path)
    blob = store_blob(workspace=export.workspace, media_type="application/zip", path=path)
    return blob, manifest


def verify_package(path: Path) -> None:
    """Read every member back against SHA256SUMS."""
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("SHA256SUMS").decode().splitlines()
        listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
        members = set(archive.namelist()) - {"SHA256SUMS"}
        if members != set(listed):
            raise PackageDamaged(f"members and checksums differ: {sorted(members ^ set(listed))}")
        for name, wanted in listed.items():
            digest = hashlib.sha256()
            with archive.open(name) as member:
                while chunk := member.read(CHUNK):
                    digest.update(chunk)
            if digest.hexdigest() != wanted:
                raise PackageDamaged(f"{name} does not have its checksum")


def file_stem(master: Master) -> str:
    """Return a name that sorts and says what it is: title, variant, locale, ratio."""
    words = f"{master.job.title} {master.branch.key} {master.locale} {master.ratio.replace(':', 'x')}"
    stem = re.sub(r"[^\w]+", "-", words, flags=re.UNICODE).strip("-").lower()[:120]
    return stem or str(master.pk)


def script_text(plan: Plan) -> str:
    """Return the script by scenes and locales."""
    lines = [plan.title, ""]
    for number, scene in enumerate(plan.scenes, start=1):
        lines += [f"Scene {number}: {scene.title}", scene.script]
        lines += [
            f"[{locale.code}] {locale.scripts[scene.key]}" for locale in plan.locales if scene.key in locale.scripts
        ]
        if scene.on_screen_text:
            lines.append(f"On screen: {scene.on_screen_text}")
        lines.append("")
    return "\n".join(lines)


def shot_list(masters: Iterable[Master]) -> str:
    """Return the shots of every variant as CSV: times in seconds, model, seed, prompt, take and cost."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["variant", "scene", "start_s", "end_s", "visual", "camera", "provider", "model", "seed", "prompt", "take_kind",
         "take_sha256", "cost"]
    )  # fmt: skip
    for master in {m.branch_id: m for m in masters}.values():
        plan, at = master.job.plan, 0
        for take in selected_takes(master):
            scene = plan.scene(take.clip.scene_key)
            attempt = take.attempt
            request = attempt.request if attempt else {}
            writer.writerow(
                _safe(
                    [master.branch.name, scene.title, at / 1000, (at + scene.duration_ms) / 1000, scene.visual,
                     scene.camera, attempt.provider if attempt else "", attempt.model if attempt else "",
                     request.get("seed"), request.get("prompt", ""), take.kind, take.blob.sha256,
                     format_micro(attempt.cost_micro or 0) if attempt else ""]
                )
            )  # fmt: skip
            at += scene.duration_ms
    return out.getvalue()


def manifest_values(export: Export, masters: Iterable[Master], sums: dict[str, str]) -> dict[str, Any]:
    """Return what the package holds and where it came from."""
    return {
        "schema": "generation-engine/export/1",
        "export": str(export.pk),
        "job": str(export.job_id),
        "simulated": export.simulated,
        "masters": [
            {
                "file": f"media/{file_stem(m)}.mp4",
                "sha256": m.sha256,
                "variant": m.branch.name,
                "locale": m.locale,
                "ratio": m.ratio,
                "width": m.width,
                "height": m.height,
                "duration_ms": m.duration_ms,
                "models": sorted({f"{t.attempt.provider}/{t.attempt.model}" for t in selected_takes(m) if t.attempt}),
                "quality": {"verdict": m.quality.verdict, "score": str(m.quality.score)} if m.quality else None,
            }
            for m in masters
        ],
        "files": dict(sorted(sums.items())),
    }


def _add_master(archive: zipfile.ZipFile, sums: dict[str, str], master: Master, export: Export) -> None:
    if master.blob is None or master.sha256 != export.hashes.get(str(master.pk)):
        raise PackageDamaged(f"{master} changed since the export was asked for; ask for it again")
    stem = file_stem(master)
    members = [
        (f"media/{stem}.mp4", master.blob),
        (f"thumbnails/{stem}.jpg", master.thumbnail),
        (f"captions/{stem}.srt", master.srt),
        (f"captions/{stem}.vtt", master.vtt),
    ]
    for name, blob in members:
        if blob is not None:
            _add_blob(archive, sums, name, blob)


def _add_blob(archive: zipfile.ZipFile, sums: dict[str, str], name: str, blob: Blob) -> None:
    with open_blob(blob) as source, archive.open(zipfile.ZipInfo(name, EPOCH), "w", force_zip64=True) as target:
        while chunk := source.read(CHUNK):
            target.write(chunk)
    sums[name] = blob.sha256


def _add_text(archive: zipfile.ZipFile, sums: dict[str, str], name: str, text: str) -> None:
    content = text.encode()
    archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
    sums[name] = hashlib.sha256(content).hexdigest()


def _safe(row: list[Any]) -> list[Any]:
    """Keep spreadsheets from reading a text as a formula (OWASP, CSV injection)."""
    return [f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" else cell for cell in row]
