"""A partner makes an ad through the API and the socket alone; a person approves; the partner takes the package home."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.sync.client import connect

from tests.journeys.stage_password import PASSWORD
from tests.journeys.stages import Stage
from tests.support.processes import REPOSITORY, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.slow]

PHOTO = REPOSITORY / "examples" / "media" / "photos" / "product-flatlay-square.jpg"
SCRIPT = "[Scene 1, 0-3 s. The can on a table.]\nCold brew in a can.\n\n[Scene 2, 3-6 s. Three cans.]\nPick one."
FINAL = ("ready", "failed", "cancelled", "needs_attention")


class Api:
    """`/api/v1/` of the running product."""

    def __init__(self, stage: Stage, **headers: str) -> None:
        self.session = requests.Session()
        self.session.headers.update(headers)
        self.base = f"{stage.url}/api/v1"

    def get(self, path: str, **query: Any) -> Any:
        return self._read(self.session.get(f"{self.base}/{path}", params=query, timeout=60))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._read(self.session.post(f"{self.base}/{path}", json=body or {}, headers=headers, timeout=60))

    def upload(self, path: Path) -> Any:
        with path.open("rb") as file:
            return self._read(self.session.post(f"{self.base}/assets", files={"file": file}, timeout=60))

    def _read(self, answer: requests.Response) -> Any:
        assert answer.ok, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}"
        return answer.json()


def test_a_partner_makes_an_ad_and_takes_it_home(stage: Stage) -> None:
    key = _key(stage)
    api = Api(stage, Authorization=f"Bearer {key}")
    asset = api.upload(PHOTO)
    brief = api.post(
        "briefs",
        {"title": "By a partner", "script": SCRIPT, "length_ms": 6000, "ratios": ["9:16"], "variants": 2},
        **{"Idempotency-Key": "partner-brief"},
    )
    api.post(f"briefs/{brief['id']}/assets", {"asset": asset["id"], "note": "can"})
    plan = api.post(f"briefs/{brief['id']}/plan")
    dry = api.post(f"briefs/{brief['id']}/launch?dry_run=true")
    assert (dry["would_launch"], dry["price"]) == (True, plan["price"])
    job = api.post(
        f"briefs/{brief['id']}/launch", {"revision": plan["number"]}, **{"Idempotency-Key": "partner-launch"}
    )

    told = _watch(api, job["id"])
    assert [message["seq"] for message in told] == list(range(1, len(told) + 1))
    assert told[-1]["type"] == "job.completed", told[-1]
    assert told[-1]["percentage"] == 100
    assert {"branch.dispatched", "clip.ready", "master.ready"} <= {message["type"] for message in told}
    state = api.get(f"jobs/{job['id']}")
    assert (state["job"]["status"], state["percentage"]) == ("completed", 100)
    assert state["spend"]["held"]["amount_micro"] == 0
    assert told[-1]["cost"] == state["spend"]["spent"]

    outputs = api.get(f"jobs/{job['id']}/outputs")["outputs"]
    assert len(outputs) == 2
    for output in outputs:
        film = requests.get(output["url"], timeout=60).content
        assert hashlib.sha256(film).hexdigest() == output["sha256"]
        assert film[4:8] == b"ftyp"
        part = requests.get(output["url"], headers={"Range": "bytes=4-7"}, timeout=60)
        assert (part.status_code, part.content) == (206, b"ftyp")
        assert requests.get(output["vtt_url"], timeout=60).text.startswith("WEBVTT")
        assert output["simulated"]

    masters = [output["id"] for output in outputs if not output["has_fallback"]]
    blocked = api.post(f"jobs/{job['id']}/exports", {"masters": masters})
    assert {point["code"] for point in blocked["checklist"]} == {"not_approved"}
    _approve(stage, job["id"], [o for o in outputs if o["id"] in masters])
    api.post(f"exports/{blocked['id']}/retry")
    export = wait_for(lambda: _ready(api, blocked["id"]), within_s=120, what="the package")
    package = requests.get(export["download_url"], timeout=120).content
    assert hashlib.sha256(package).hexdigest() == export["sha256"]
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert sum(name.endswith(".mp4") for name in archive.namelist()) == len(masters)


def _key(stage: Stage) -> str:
    command = [sys.executable, "manage.py", "apikey", "create", "--workspace", "aurora", "--role", "editor"]
    answer = subprocess.run(
        command, cwd=REPOSITORY, env=stage.environment, capture_output=True, text=True, check=True, timeout=120
    )
    return answer.stdout.strip()


def _watch(api: Api, job: str) -> list[dict[str, Any]]:
    """Follow the job by its socket with a ticket, reconnecting every ten events as a bad network would."""
    told: list[dict[str, Any]] = []
    while True:
        ticket = api.post(f"jobs/{job}/ticket")
        last = told[-1]["seq"] if told else 0
        with connect(f"{ticket['url']}&after={last}", proxy=None, open_timeout=30) as socket:
            for _ in range(10):
                told.append(json.loads(socket.recv(timeout=240)))
                if told[-1]["subject"]["kind"] == "job" and told[-1]["data"].get("state") in FINAL:
                    return told


def _approve(stage: Stage, job: str, outputs: list[dict[str, Any]]) -> None:
    """A person signs in and approves the exact bytes."""
    person = Api(stage)
    page = f"{stage.url}/accounts/login/"
    person.session.get(page, timeout=60)
    form = {"login": "approver@aurora.example", "password": PASSWORD}
    token = person.session.cookies["csrftoken"]
    signed_in = person.session.post(
        page, data=form | {"csrfmiddlewaretoken": token}, headers={"Referer": page}, timeout=60
    )
    assert signed_in.ok
    headers = {"X-CSRFToken": person.session.cookies["csrftoken"], "Referer": stage.url}
    for output in outputs:
        approved = person.post(f"jobs/{job}/masters/{output['id']}/approve", {"sha256": output["sha256"]}, **headers)
        assert approved["approval"]["sha256"] == output["sha256"]


def _ready(api: Api, export: str) -> Any:
    found = api.get(f"exports/{export}")
    assert found["state"] != "failed", found
    return found if found["state"] == "ready" else None
