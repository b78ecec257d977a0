"""Export packages: blocked by a checklist, built, checked, the same every time."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from campaigns.delivery.models import Export
from campaigns.delivery.package import PackageDamaged, build_package, verify_package
from campaigns.delivery.services import ExportRefused, request_export, retry_export, sweep_exports
from campaigns.delivery.states import ExportState
from campaigns.delivery.tasks import build_export
from campaigns.review.services import approve
from genengine.assets.services import open_blob
from genengine.core import clock
from genengine.core.events.queries import events_after
from genengine.workspaces.policy import NotAllowed, Principal
from jobs.execution.models import Job, Master
from tests.factories.jobs import make_principal, make_workspace
from tests.factories.masters import finish_master, make_finished_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Principal:
    return make_principal(make_workspace())


@pytest.fixture
def job(admin: Principal) -> Job:
    return make_finished_job(admin, ratios=("9:16", "1:1"))


def ask(job: Job, admin: Principal) -> Export:
    return request_export(job=job, masters=list(job.masters.all()), principal=admin, now=clock.now())


def approve_all(job: Job, admin: Principal) -> None:
    for master in job.masters.all():
        approve(master=master, principal=admin, now=clock.now())


def built(job: Job, admin: Principal) -> Export:
    approve_all(job, admin)
    export = ask(job, admin)
    build_export(export.pk)
    export.refresh_from_db()
    return export


def members(export: Export) -> dict[str, bytes]:
    assert export.package is not None
    with open_blob(export.package) as stream, zipfile.ZipFile(io.BytesIO(stream.read())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_unapproved_video_blocks_the_export_and_the_checklist_says_how_to_clear_it(
    job: Job, admin: Principal
) -> None:
    export = ask(job, admin)
    assert export.state == ExportState.BLOCKED
    assert {p["code"] for p in export.checklist} == {"not_approved"}
    assert all(p["fix"] for p in export.checklist)
    approve_all(job, admin)
    export = retry_export(export=export, principal=admin, now=clock.now())
    assert (export.state, export.checklist) == (ExportState.REQUESTED, [])


def test_a_stand_in_is_never_exported(job: Job, admin: Principal) -> None:
    approve_all(job, admin)
    Master.objects.filter(job=job).update(has_fallback=True)
    assert {p["code"] for p in ask(job, admin).checklist} == {"fallback"}


def test_the_package_holds_media_captions_thumbnails_script_shots_and_true_checksums(
    job: Job, admin: Principal
) -> None:
    export = built(job, admin)
    assert export.state == ExportState.READY
    files = members(export)
    kinds = sorted({name.split("/")[0] for name in files})
    assert kinds == [
        "SHA256SUMS",
        "SIMULATED.txt",
        "captions",
        "manifest.json",
        "media",
        "script.txt",
        "shot-list.csv",
        "thumbnails",
    ]
    for line in files["SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ", 1)
        assert hashlib.sha256(files[name]).hexdigest() == digest
    manifest = json.loads(files["manifest.json"])
    assert {m["sha256"] for m in manifest["masters"]} == set(job.masters.values_list("sha256", flat=True))
    assert manifest["simulated"] is True
    shots = list(csv.DictReader(io.StringIO(files["shot-list.csv"].decode())))
    assert [s["scene"] for s in shots] == ["S1", "S2"]
    assert (shots[1]["start_s"], shots[1]["end_s"]) == ("2.0", "4.0")
    assert "Words of s1." in files["script.txt"].decode()
    assert "export.ready" in [e.type for e in events_after(subject_id=job.pk)]


def test_the_same_masters_give_the_same_package(job: Job, admin: Principal, tmp_path: Path) -> None:
    export = built(job, admin)
    first, second = (build_package(export, folder)[0] for folder in _folders(tmp_path))
    assert first.sha256 == second.sha256


def _folders(root: Path) -> list[Path]:
    folders = [root / "one", root / "two"]
    for folder in folders:
        folder.mkdir()
    return folders


def test_a_video_that_changed_after_the_request_is_not_packed(job: Job, admin: Principal) -> None:
    approve_all(job, admin)
    export = ask(job, admin)
    finish_master(job.masters.all()[0], content=b"newer")
    for _ in range(3):
        build_export(export.pk)
    export.refresh_from_db()
    assert export.state == ExportState.FAILED
    assert "changed since" in export.failure["cause"]


def test_a_builder_that_died_is_replaced(job: Job, admin: Principal) -> None:
    approve_all(job, admin)
    export = ask(job, admin)
    Export.objects.filter(pk=export.pk).update(
        state=ExportState.BUILDING, lease_owner="dead", lease_until=clock.now() - timedelta(seconds=1), tries=1
    )
    sweep_exports(clock.now())
    export.refresh_from_db()
    assert export.state == ExportState.REQUESTED
    build_export(export.pk)
    export.refresh_from_db()
    assert export.state == ExportState.READY


def test_a_package_with_other_bytes_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "changed")
        archive.writestr("SHA256SUMS", f"{hashlib.sha256(b'original').hexdigest()}  a.txt\n")
    with pytest.raises(PackageDamaged, match=r"a\.txt"):
        verify_package(path)


def test_a_spreadsheet_reads_no_formula_from_a_shot_list(job: Job, admin: Principal) -> None:
    job.attempts.update(request={"seed": 1, "prompt": "=cmd()"})
    shots = list(csv.DictReader(io.StringIO(members(built(job, admin))["shot-list.csv"].decode())))
    assert shots[0]["prompt"] == "'=cmd()"


def test_an_empty_choice_and_a_viewer_are_refused(job: Job, admin: Principal) -> None:
    with pytest.raises(ExportRefused, match="at least one"):
        request_export(job=job, masters=[], principal=admin, now=clock.now())
    with pytest.raises(NotAllowed):
        ask(job, make_principal(admin.workspace, "viewer"))


def test_masters_of_another_job_are_not_exported(job: Job, admin: Principal) -> None:
    other = make_finished_job(make_principal(make_workspace("other")))
    with pytest.raises(ExportRefused):
        request_export(job=job, masters=list(other.masters.all()), principal=admin, now=clock.now())
