"""The emulator as a process: it survives a SIGKILL, bills once, holds a thousand tasks."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import pytest
import requests

from providers.emulator.media.mark import mark_of, read_mark
from tests.contracts.emulator_process import QUARTER, EmulatorProcess
from tests.contracts.waiting import wait_for

KEY = {"Authorization": "Bearer test-of-the-emulator"}


def create(emulator: EmulatorProcess, key: str, **settings: Any) -> requests.Response:
    body: dict[str, Any] = {"prompt": f"Clip {key}", "settings": settings, "options": {"external_task_id": key}}
    url = f"{emulator.url}/kling/text-to-video/kling-3.0"
    return requests.post(url, json=body, headers={**KEY, "X-Test": key}, timeout=20)


def read(emulator: EmulatorProcess, key: str) -> dict[str, Any]:
    answer = requests.get(f"{emulator.url}/kling/tasks", params={"external_task_ids": key}, headers=KEY, timeout=20)
    data: list[dict[str, Any]] = answer.json()["data"]
    return data[0]


def finished(emulator: EmulatorProcess, key: str) -> dict[str, Any]:
    return wait_for(lambda: next((v for v in [read(emulator, key)] if v["status"] == "succeeded"), None))


def test_a_task_survives_a_sigkill_of_the_emulator_and_is_billed_once(own_emulator: EmulatorProcess) -> None:
    task_id = create(own_emulator, "k1", duration=3).json()["data"]["id"]
    own_emulator.kill()
    own_emulator.start()
    done = finished(own_emulator, "k1")
    assert done["id"] == task_id
    assert requests.get(done["outputs"][0]["url"], timeout=20).headers["Content-Type"] == "video/mp4"
    assert len(own_emulator.bills("k1")) == 1


def test_a_charge_whose_log_line_was_lost_is_written_at_the_next_start(own_emulator: EmulatorProcess) -> None:
    create(own_emulator, "k2", duration=3)
    own_emulator.kill()
    own_emulator.log_path.write_text("")
    state = own_emulator.log_path.with_name("emulator.jsonl.state") / "tasks.sqlite"
    with sqlite3.connect(state) as db:
        db.execute("UPDATE tasks SET logged=0")
    own_emulator.start()
    assert len(own_emulator.bills("k2")) == 1
    own_emulator.kill()
    with sqlite3.connect(state) as db:
        db.execute("UPDATE tasks SET logged=0")
    own_emulator.start()
    assert len(own_emulator.bills("k2")) == 1


def test_a_second_submit_with_the_same_key_is_a_replay_and_not_billed(own_emulator_once: EmulatorProcess) -> None:
    first, second = (create(own_emulator_once, "k3", duration=3) for _ in range(2))
    assert (first.status_code, second.json()["code"]) == (200, 1201)
    submits = [line for line in own_emulator_once.lines() if line.get("idempotency_key") == "k3"]
    assert [line["replay"] for line in submits] == [False, True]
    assert len(own_emulator_once.bills("k3")) == 1


def test_the_picture_carries_its_tasks_number_moves_and_is_not_black(
    own_emulator_once: EmulatorProcess, tmp_path: Path
) -> None:
    create(own_emulator_once, "k4", duration=3, aspect_ratio="9:16")
    done = finished(own_emulator_once, "k4")
    path = tmp_path / "k4.mp4"
    path.write_bytes(requests.get(done["outputs"][0]["url"], timeout=30).content)
    film = cv2.VideoCapture(str(path))
    frames = []
    while (step := film.read())[0]:
        frames.append(cv2.cvtColor(step[1], cv2.COLOR_BGR2GRAY))
    assert len(frames) == 72
    assert frames[0].shape == (1280, 720)
    assert {read_mark(frame) for frame in frames} == {mark_of("kling", done["id"])}
    assert min(frame.mean() for frame in frames) > 40
    assert cv2.absdiff(frames[0], frames[12]).mean() > 1
    assert cv2.absdiff(frames[30], frames[31]).mean() > 0.05


def test_a_rehearsal_gets_small_clips_of_the_asked_length_that_still_carry_their_number(tmp_path: Path) -> None:
    emulator = EmulatorProcess(tmp_path, speed=30, arguments=QUARTER).start()
    try:
        create(emulator, "small", duration=3)
        done = finished(emulator, "small")
        (tmp_path / "small.mp4").write_bytes(requests.get(done["outputs"][0]["url"], timeout=20).content)
    finally:
        emulator.stop()
    film = cv2.VideoCapture(str(tmp_path / "small.mp4"))
    first = cv2.cvtColor(film.read()[1], cv2.COLOR_BGR2GRAY)
    assert (film.get(cv2.CAP_PROP_FRAME_COUNT), first.shape) == (72, (180, 320))
    assert read_mark(first) == mark_of("kling", done["id"])


def test_limits_of_the_account_are_kept_with_the_vendors_code(own_emulator: EmulatorProcess) -> None:
    requests.post(f"{own_emulator.url}/_control/speed", json={"speed": 0.1}, timeout=10)
    codes = [create(own_emulator, f"many-{index}", duration=3).json()["code"] for index in range(22)]
    assert codes == [0] * 20 + [1303] * 2


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/kling/text-to-video/kling-9", {"prompt": "x"}, 404, 1203),
        ("/kling/text-to-video/kling-3.0", {"prompt": ""}, 400, 1201),
        ("/kling/text-to-video/kling-3.0", {"prompt": "x", "settings": {"duration": 2}}, 400, 1201),
        ("/kling/text-to-video/kling-3.0", {"prompt": "x", "settings": {"duration": "5"}}, 400, 1201),
        ("/kling/text-to-video/kling-2.6", {"prompt": "x", "settings": {"resolution": "4k"}}, 400, 1201),
        ("/kling/text-to-video/kling-3.0", {"prompt": "x" * 3073}, 400, 1201),
        ("/kling/image-to-video/kling-3.0", {"contents": [{"type": "prompt", "text": "x"}]}, 400, 1201),
        ("/kling/v1/videos/text2video", {"prompt": "x", "duration": 5}, 400, 1201),
        ("/kling/v1/videos/image2video", {"prompt": "x", "image": "data:image/png;base64,AAAA"}, 400, 1201),
        ("/kling/nothing", {}, 404, 1202),
    ],
)
def test_kling_refuses_what_its_reference_refuses(
    own_emulator_once: EmulatorProcess, path: str, body: dict[str, Any], status: int, code: int
) -> None:
    answer = requests.post(own_emulator_once.url + path, json=body, headers=KEY, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.fixture(scope="module")
def own_emulator_once(tmp_path_factory: pytest.TempPathFactory) -> Any:
    running = EmulatorProcess(tmp_path_factory.mktemp("validation")).start()
    yield running
    running.stop()


def test_a_bad_fault_script_is_refused_with_its_place(own_emulator_once: EmulatorProcess) -> None:
    answer = requests.post(f"{own_emulator_once.url}/_control/faults", json={"faults": [{"do": "explode"}]}, timeout=10)
    assert answer.status_code == 400
    assert "Rule 0" in answer.json()["error"]


@pytest.mark.slow
def test_a_thousand_tasks_are_in_flight_and_each_is_told_by_its_own_id(own_emulator: EmulatorProcess) -> None:
    requests.post(f"{own_emulator.url}/_control/speed", json={"speed": 0.01}, timeout=10)
    body: dict[str, Any] = {"prompt": "x", "settings": {"duration": 3}}

    def one(index: int) -> str:
        headers = {"Authorization": f"Bearer account-{index // 20}"}
        url = f"{own_emulator.url}/kling/text-to-video/kling-3.0"
        return str(requests.post(url, json=body, headers=headers, timeout=30).json()["data"]["id"])

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(one, range(1000)))
    assert len(set(ids)) == 1000
    with requests.Session() as session:
        for index in range(0, 1000, 5):
            headers = {"Authorization": f"Bearer account-{index // 20}"}
            answer = session.get(f"{own_emulator.url}/kling/tasks?task_ids={ids[index]}", headers=headers, timeout=30)
            (told,) = answer.json()["data"]
            assert (told["id"], told["status"] in ("submitted", "processing")) == (ids[index], True)


def test_a_refused_task_is_billed_only_where_the_vendor_charges_it(own_emulator: EmulatorProcess) -> None:
    own_emulator.script({"endpoint": "submit", "do": "refuse_at_end"})
    create(own_emulator, "refused", duration=3)
    runway = {"Authorization": "Bearer key_x", "X-Runway-Version": "2024-11-06", "X-Correlation-ID": "refused-too"}
    body: dict[str, Any] = {"model": "gen4.5", "promptText": "x", "ratio": "1280:720", "duration": 2}
    assert requests.post(f"{own_emulator.url}/runway/v1/text_to_video", json=body, headers=runway, timeout=10).ok
    assert own_emulator.bills("refused") == []
    assert len(own_emulator.bills("refused-too")) == 1


def test_many_downloads_that_wait_for_a_rendering_do_not_hold_up_other_calls(own_emulator: EmulatorProcess) -> None:
    requests.post(f"{own_emulator.url}/_control/speed", json={"speed": 10_000}, timeout=10)
    for index in range(4):
        create(own_emulator, f"film-{index}", duration=3)
    urls = [finished(own_emulator, f"film-{index}")["outputs"][0]["url"] for index in range(4)]
    with ThreadPoolExecutor(48) as pool:
        fetches = [pool.submit(requests.get, urls[index % 4], timeout=120) for index in range(48)]
        answered = 0
        while not all(fetch.done() for fetch in fetches):
            assert read(own_emulator, "film-0")["status"] == "succeeded"
            answered += not all(fetch.done() for fetch in fetches)
        assert {fetch.result().status_code for fetch in fetches} == {200}
    assert answered > 5  # the films take seconds to draw; a server that waits with them answers none meanwhile
