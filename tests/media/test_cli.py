"""The command line, as a stranger would use it: a process, files, exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.media.support import CAN, REPOSITORY, image_spec


def media(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "genengine.media", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


def test_compile_then_qc_then_thumbnail(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(image_spec() | {"files": {"can": CAN.name}}))
    out, report = tmp_path / "ad.mp4", tmp_path / "report.json"
    done = media("compile", tmp_path / "spec.json", "--assets", CAN.parent, "--out", out, "--report", report)
    assert done.returncode == 0, done.stderr
    assert json.loads(report.read_text())["frames"] == 30
    checked = media("qc", out, "--json", "--size", "180x320", "--seconds", "1")
    verdicts = {row["check"]: row["verdict"] for row in json.loads(checked.stdout)["findings"]}
    assert verdicts["size"] == verdicts["duration"] == "pass"
    assert media("thumbnail", out, "--out", tmp_path / "t.jpg", "--at", "0.5").returncode == 0
    assert (tmp_path / "t.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    assert json.loads(media("probe", out).stdout)["video"]["frames"] == 30


def test_a_faulty_spec_is_told_line_by_line_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(image_spec(version="9", colour=1)))
    done = media("compile", tmp_path / "spec.json", "--assets", tmp_path, "--out", tmp_path / "a.mp4")
    assert done.returncode == 1
    assert "$.version" in done.stderr
    assert "$.colour" in done.stderr
    assert "Traceback" not in done.stderr


def test_lint_tells_a_video_that_is_too_long(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps(image_spec(30 * 61)))
    done = media("lint", tmp_path / "spec.json")
    assert done.returncode == 1
    assert "61.0 s" in done.stdout


def test_schema_prints_the_schema() -> None:
    assert json.loads(media("schema").stdout)["title"] == "RenderSpec 1.0"


def test_the_engine_runs_without_django() -> None:
    code = (
        "import sys, genengine.media as m; m.compile, m.ingest, m.qc_check, m.lint; sys.exit('django' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0
