"""From a file to a running job through the API alone, then everything that can be read of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from campaigns.planning.models import PlanRevision
from genengine.workspaces.models import Role
from jobs.execution.models import Job
from tests.api.support import Partner, member, partner

pytestmark = pytest.mark.django_db

MEDIA = Path(__file__).resolve().parents[2] / "examples" / "media"
SCRIPT = "Meet the morning.\nSlow steeped for sixteen hours.\nOrder yours today."


@pytest.fixture
def api() -> Partner:
    return partner(member().workspace)


def photo(name: str = "product-flatlay-square.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, (MEDIA / "photos" / "product-flatlay-square.jpg").read_bytes(), "image/jpeg")


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return response.json()


def new_brief(api: Partner, **values: Any) -> dict[str, Any]:
    body = {"title": "Morning", "script": SCRIPT, "length_ms": 6000, "variants": 1, "ratios": ["9:16"]}
    return ok(api.post("briefs", body | {"quality_profile": "economy"} | values), 201)


def new_plan(api: Partner, **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    brief = new_brief(api, **values)
    return brief, ok(api.post(f"briefs/{brief['id']}/plan"), 201)


def test_a_partner_goes_the_whole_way_to_a_running_job(api: Partner) -> None:
    asset = ok(api.upload("assets", file=photo(), licence="own"), 201)
    assert (asset["kind"], asset["licence"]) == ("image", "own")
    link = asset["url"].removeprefix("http://testserver")
    assert api.client.get(link).status_code == 200

    brief = new_brief(api)
    assert brief["cap"]["display"] == "$10.00"
    use = ok(api.post(f"briefs/{brief['id']}/assets", {"asset": asset["id"], "note": "bottle"}), 201)
    assert use["asset"]["sha256"] == asset["sha256"]
    brief = ok(api.patch(f"briefs/{brief['id']}", {"call_to_action": "Order yours", "campaign": "Spring"}))
    assert (brief["campaign"], len(brief["assets"])) == ("Spring", 1)

    plan = ok(api.post(f"briefs/{brief['id']}/plan"), 201)
    assert sum(scene["duration_ms"] for scene in plan["plan"]["scenes"]) == 6000
    assert all(clip["reason"] for clip in plan["plan"]["clips"])
    scene = plan["plan"]["scenes"][0]["key"]
    change = {"kind": "edit_scene", "scene": scene, "on_screen_text": "Wake up"}
    changed = ok(api.post(f"briefs/{brief['id']}/changes", {"revision": 1, "change": change}), 201)
    assert changed["number"] == 2
    assert changed["plan"]["scenes"][0]["on_screen_text"] == "Wake up"
    assert [r["number"] for r in ok(api.get(f"briefs/{brief['id']}/revisions"))["items"]] == [2, 1]

    launched = api.post(f"briefs/{brief['id']}/launch", {"revision": 2})
    job = ok(launched, 201)
    assert launched.headers["Location"].endswith(f"/api/v1/jobs/{job['id']}")
    assert (job["mode"], job["status"], job["people_state"]) == ("simulated", "queued", "Queued")
    state = ok(api.get(f"jobs/{job['id']}"))
    assert state["percentage"] == 0
    assert state["spend"]["limit"]["amount_micro"] == 10_000_000
    timeline = ok(api.get(f"jobs/{job['id']}/timeline"))
    assert [clip["clip_index"] for clip in timeline["branches"][0]["clips"]] == list(range(len(plan["plan"]["scenes"])))
    outputs = ok(api.get(f"jobs/{job['id']}/outputs"))
    assert [(o["ratio"], o["url"], o["simulated"]) for o in outputs["outputs"]] == [("9:16", None, True)]
    events = ok(api.get(f"jobs/{job['id']}/events"))
    assert [e["seq"] for e in events["events"]] == list(range(1, events["last_seq"] + 1))
    assert events["events"][0]["type"] == "job.created"


def test_controls_answer_with_the_new_state_and_refuse_what_cannot_be(api: Partner) -> None:
    brief, _ = new_plan(api)
    job = ok(api.post(f"briefs/{brief['id']}/launch"), 201)
    base = f"jobs/{job['id']}"
    assert ok(api.post(f"{base}/pause", {"reason": "lunch"}))["people_state"] == "Paused"
    assert ok(api.post(f"{base}/resume"))["people_state"] == "Queued"
    branch = ok(api.get(f"{base}/timeline"))["branches"][0]
    clip = branch["clips"][0]
    assert ok(api.post(f"{base}/branches/{branch['id']}/pause"))["paused"]
    assert ok(api.post(f"{base}/branches/{branch['id']}/resume"))["state"] == "queued"
    assert ok(api.post(f"{base}/clips/{clip['id']}/lock"))["locked"]
    refused = api.post(f"{base}/clips/{clip['id']}/rerun")
    assert (refused.status_code, refused.json()["code"]) == (409, "clip_locked")
    assert not ok(api.post(f"{base}/clips/{clip['id']}/unlock"))["locked"]
    again = api.post(f"{base}/clips/{clip['id']}/rerun")
    assert (again.status_code, again.json()["code"]) == (409, "state_refused")
    assert api.post(f"{base}/clips/{clip['id']}/explode").status_code == 404
    assert api.post(f"{base}/cap", {"cap_micro": 5}).status_code == 403  # an Approver's right
    approver = partner(Job.objects.get().workspace, Role.APPROVER)
    assert ok(approver.post(f"{base}/cap", {"cap_micro": 20_000_000}))["cap"]["display"] == "$20.00"
    assert ok(api.post(f"{base}/cancel"))["status"] == "failed"


def test_a_dry_run_says_what_a_launch_would_and_leaves_nothing(api: Partner) -> None:
    brief, plan = new_plan(api)
    dry = ok(api.post(f"briefs/{brief['id']}/launch?dry_run=true"))
    assert (dry["would_launch"], dry["refusals"]) == (True, [])
    assert dry["price"] == plan["price"]
    assert not Job.objects.exists()
    assert PlanRevision.objects.get().launched_job_id is None
    ok(api.patch(f"briefs/{brief['id']}", {"script": SCRIPT + "\nNow."}))
    stale = ok(api.post(f"briefs/{brief['id']}/launch?dry_run=true"))
    assert [refusal["code"] for refusal in stale["refusals"]] == ["plan_stale"]
    assert not stale["would_launch"]


def test_a_plan_that_is_too_dear_is_refused_with_fixes(api: Partner) -> None:
    brief, _ = new_plan(api, quality_profile="quality")
    ok(api.patch(f"briefs/{brief['id']}", {"cap_micro": 1}))
    refused = api.post(f"briefs/{brief['id']}/launch")
    body = refused.json()
    assert (refused.status_code, body["code"]) == (422, "price_over_cap")
    assert body["errors"][0]["path"] == "cap_micro"
    assert all(point["fix"] for point in body["errors"])


def test_a_change_on_an_older_revision_is_refused(api: Partner) -> None:
    brief, _ = new_plan(api)
    change = {"revision": 1, "change": {"kind": "add_branch", "name": "B"}}
    ok(api.post(f"briefs/{brief['id']}/changes", change), 201)
    refused = api.post(f"briefs/{brief['id']}/changes", change)
    assert (refused.status_code, refused.json()["code"]) == (409, "plan_moved")
    back = ok(api.post(f"briefs/{brief['id']}/revisions/1/restore"), 201)
    assert (back["number"], back["reason"]) == (3, "back to revision 1")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "explode"},
        {"kind": "edit_scene"},
        {"kind": "edit_scene", "scene": "s1", "colour": "red"},
        {"kind": "lock_scene", "scene": "s1", "locked": "perhaps"},
        {},
    ],
)
def test_a_change_that_cannot_be_read_says_what_can(api: Partner, change: dict[str, Any]) -> None:
    brief, _ = new_plan(api)
    refused = api.post(f"briefs/{brief['id']}/changes", {"revision": 1, "change": change})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["path"].startswith("change")


def test_a_patch_with_one_wrong_field_changes_nothing(api: Partner) -> None:
    brief = new_brief(api)
    refused = api.patch(f"briefs/{brief['id']}", {"title": "Other", "length_ms": 1})
    assert refused.status_code == 400
    assert refused.json()["errors"] == [
        {
            "path": "length_ms",
            "message": "Give a length between 3 and 300 seconds.",
            "fix": "Give a length between 3 and 300 seconds.",
        }
    ]
    assert ok(api.get(f"briefs/{brief['id']}"))["title"] == "Morning"


def test_a_misspelt_field_is_not_lost_in_silence(api: Partner) -> None:
    refused = api.post("briefs", {"titel": "x"})
    assert refused.status_code == 400
    assert "titel" in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("photo.jpg", b"%PDF-1.7 not a picture"),
        ("clip.mp4", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"),
        ("clip.mp4", b"just text"),
        ("empty.png", b""),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_with_a_fix(api: Partner, name: str, content: bytes) -> None:
    refused = api.upload("assets", file=SimpleUploadedFile(name, content))
    assert refused.status_code in (201, 422), refused.content
    if refused.status_code == 422:
        body = refused.json()
        assert body["code"] == "upload_refused"
        assert body["errors"][0]["fix"]
    else:  # the text is a text: named by its content
        assert refused.json()["kind"] == "text"


def test_an_export_of_what_is_not_finished_is_blocked_with_its_points(api: Partner) -> None:
    brief, _ = new_plan(api)
    job = ok(api.post(f"briefs/{brief['id']}/launch"), 201)
    master = ok(api.get(f"jobs/{job['id']}/outputs"))["outputs"][0]
    export = ok(api.post(f"jobs/{job['id']}/exports", {"masters": [master["id"]]}), 201)
    assert (export["state"], export["checklist"][0]["code"]) == ("blocked", "not_ready")
    assert export["checklist"][0]["fix"]
    assert ok(api.get(f"exports/{export['id']}"))["download_url"] is None
    assert ok(api.post(f"exports/{export['id']}/retry"))["state"] == "blocked"
    assert len(ok(api.get(f"jobs/{job['id']}/exports"))["items"]) == 1


def test_only_a_person_approves(api: Partner) -> None:
    brief, _ = new_plan(api)
    job = ok(api.post(f"briefs/{brief['id']}/launch"), 201)
    master = ok(api.get(f"jobs/{job['id']}/outputs"))["outputs"][0]
    approver = partner(Job.objects.get().workspace, Role.APPROVER)
    refused = approver.post(f"jobs/{job['id']}/masters/{master['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "approval_refused")
