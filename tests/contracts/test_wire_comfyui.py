"""ComfyUI on the wire: its socket, a picture workflow, validation, history, jobs, uploads, a foreign page."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.contracts.emulator_process import EmulatorProcess
from tests.contracts.waiting import wait_for
from tests.contracts.wire import Wire

PICTURE = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
            "seed": 5,
            "steps": 4,
            "cfg": 8,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1,
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "any.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red kite", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blur", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "wire"}},
}


@pytest.fixture
def comfy(emulator: EmulatorProcess) -> Wire:
    return Wire(emulator, "comfyui")


def graph(prefix: str, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(PICTURE))
    made["9"]["inputs"]["filename_prefix"] = prefix
    for name, value in changes.items():
        node = next(node for node in made.values() if name in node["inputs"])
        node["inputs"][name] = value
    return made


def ended(comfy: Wire, prompt_id: str) -> dict[str, Any]:
    entry: dict[str, Any] = wait_for(lambda: comfy("GET", f"/history/{prompt_id}").json().get(prompt_id))
    return entry


def test_the_socket_tells_each_step_of_its_clients_job_in_order(comfy: Wire) -> None:
    client, prefix = str(uuid.uuid4()), uuid.uuid4().hex

    async def listen() -> list[dict[str, Any]]:
        frames: list[dict[str, Any]] = []
        async with connect(f"{comfy.root.replace('http', 'ws', 1)}/ws?clientId={client}") as socket:
            frames.append(json.loads(await asyncio.wait_for(socket.recv(), 30)))
            body = {"prompt": graph(prefix), "client_id": client}
            await asyncio.to_thread(comfy, "POST", "/prompt", json=body)
            while frames[-1]["type"] != "executing" or frames[-1]["data"]["node"] is not None:
                frames.append(json.loads(await asyncio.wait_for(socket.recv(), 30)))
        return frames

    frames = asyncio.run(listen())
    assert (frames[0]["type"], frames[0]["data"]["sid"]) == ("status", client)
    kinds = [frame["type"] for frame in frames]
    assert kinds.index("execution_start") < kinds.index("progress") < kinds.index("executed")
    assert kinds[-2:] == ["execution_success", "executing"]
    nodes = [frame["data"]["node"] for frame in frames if frame["type"] == "executing"]
    assert nodes.index("4") < nodes.index("3") < nodes.index("9"), "a node runs after those it takes from"
    output = next(frame["data"] for frame in frames if frame["type"] == "executed")
    assert output["output"]["images"] == [{"filename": f"{prefix}_00001_.png", "subfolder": "", "type": "output"}]


def test_a_picture_is_named_by_its_own_node_and_fetched_in_ranges(comfy: Wire) -> None:
    prefix = uuid.uuid4().hex
    made = comfy("POST", "/api/prompt", json={"prompt": graph(f"shots/{prefix}")}).json()
    ((node, output),) = ended(comfy, made["prompt_id"])["outputs"].items()
    (item,) = output["images"]
    assert (node, item["subfolder"]) == ("9", "shots")
    part = comfy("GET", "/view", params=item, headers={"Range": "bytes=1-3"})
    assert (part.status_code, part.content, part.headers["Content-Type"]) == (206, b"PNG", "image/png")
    assert comfy("GET", "/view", params={**item, "filename": "none.png"}).status_code == 404
    assert comfy("GET", "/view", params={**item, "filename": "../x"}).status_code == 400
    assert comfy("GET", "/view", params={**item, "subfolder": "../x"}).status_code == 403


def test_an_equal_graph_gives_the_earlier_file_and_another_seed_a_new_one(comfy: Wire) -> None:
    prefix, names = uuid.uuid4().hex, []
    for seed in (1, 1, 2):
        made = comfy("POST", "/prompt", json={"prompt": graph(prefix, seed=seed)}).json()
        names.append(ended(comfy, made["prompt_id"])["outputs"]["9"]["images"][0]["filename"])
    assert names == [f"{prefix}_00001_.png", f"{prefix}_00001_.png", f"{prefix}_00002_.png"]


def test_a_graph_that_cannot_run_is_refused_by_kind_with_its_nodes(comfy: Wire) -> None:
    def refused(prompt: Any) -> dict[str, Any]:
        answer = comfy("POST", "/prompt", json={"prompt": prompt})
        assert answer.status_code == 400
        told: dict[str, Any] = answer.json()
        return told

    assert refused({})["error"]["type"] == "no_prompt"
    assert refused({"nodes": [], "links": []})["error"]["type"] == "invalid_prompt"
    strange = graph("x") | {"10": {"class_type": "Unknown", "inputs": {}, "_meta": {"title": "Mine"}}}
    assert refused(strange)["error"]["extra_info"]["node_title"] == "Mine"
    without = {name: node for name, node in graph("x").items() if name != "9"}
    assert refused(without)["error"]["type"] == "prompt_no_outputs"
    small = refused(graph("x", width=8))
    assert small["error"]["type"] == "prompt_outputs_failed_validation"
    assert small["node_errors"]["5"]["errors"][0]["type"] == "value_smaller_than_min"
    lacking = graph("x")
    del lacking["3"]["inputs"]["seed"], lacking["8"]
    kinds = {
        name: {error["type"] for error in node["errors"]} for name, node in refused(lacking)["node_errors"].items()
    }
    assert kinds == {"3": {"required_input_missing"}, "9": {"exception_during_inner_validation"}}
    assert comfy("POST", "/prompt", data="{").status_code == 500


def test_history_is_listed_oldest_first_and_forgotten_on_request(comfy: Wire) -> None:
    ids = []
    for seed in (11, 12):
        made = comfy("POST", "/prompt", json={"prompt": graph(uuid.uuid4().hex, seed=seed)}).json()["prompt_id"]
        ended(comfy, made)
        ids.append(made)
    assert [name for name in comfy("GET", "/history").json() if name in ids] == ids
    assert list(comfy("GET", "/history", params={"max_items": 1}).json()) == ids[-1:]
    assert comfy("POST", "/history", json={"delete": ids[:1]}).status_code == 200
    assert comfy("GET", f"/history/{ids[0]}").json() == {}
    jobs = comfy("GET", "/api/jobs", params={"status": "completed", "limit": 1}).json()
    assert (len(jobs["jobs"]), jobs["pagination"]["has_more"]) == (1, True)


def test_a_job_in_the_queue_can_be_taken_out_and_leaves_no_trace(comfy: Wire, emulator: EmulatorProcess) -> None:
    emulator.script({"vendor": "comfyui", "endpoint": "submit", "do": "never_ends", "nth": [1]})
    first, second = (
        comfy("POST", "/prompt", json={"prompt": graph(uuid.uuid4().hex)}).json()["prompt_id"] for _ in range(2)
    )

    def listed(name: str) -> set[str]:
        return {item[1] for item in comfy("GET", "/queue").json()[name]}

    wait_for(lambda: first in listed("queue_running"))
    assert second in listed("queue_pending")
    comfy("POST", "/queue", json={"delete": [first, second]})
    assert second not in listed("queue_pending")
    assert first in listed("queue_running")
    assert comfy("GET", f"/history/{second}").json() == {}
    comfy("POST", "/interrupt", json={"prompt_id": first})
    assert ended(comfy, first)["status"]["messages"][-1][0] == "execution_interrupted"


def test_uploads_are_renamed_unless_they_are_the_same_or_overwrite(comfy: Wire) -> None:
    name = f"{uuid.uuid4().hex}.png"

    def upload(data: bytes, **fields: str) -> str:
        told: str = comfy("POST", "/upload/image", files={"image": (name, data)}, data=fields).json()["name"]
        return told

    stem = name.removesuffix(".png")
    assert [upload(b"a"), upload(b"a"), upload(b"b"), upload(b"c")] == [
        name,
        name,
        f"{stem} (1).png",
        f"{stem} (2).png",
    ]
    assert upload(b"d", overwrite="true") == name
    assert comfy("GET", "/view", params={"filename": name, "type": "input"}).content == b"d"
    assert comfy("POST", "/upload/image", files={"other": (name, b"a")}).status_code == 400


def test_a_page_of_another_origin_cannot_post_work(comfy: Wire) -> None:
    body = {"prompt": graph("x")}
    assert comfy("POST", "/prompt", json=body, headers={"Origin": "https://evil.example"}).status_code == 403
    own = comfy.emulator.url
    assert comfy("POST", "/prompt", json=body, headers={"Origin": own}).status_code == 200


def test_the_server_says_what_it_has(comfy: Wire) -> None:
    info = comfy("GET", "/object_info/KSampler").json()["KSampler"]
    assert info["input"]["required"]["seed"][0] == "INT"
    assert info["output"] == ["LATENT"]
    assert comfy("GET", "/object_info/Nothing").json() == {}
    assert comfy("GET", "/models/vae").json()
    assert comfy("GET", "/models/nothing").status_code == 404
    assert comfy("GET", "/system_stats").json()["devices"][0]["vram_total"] > 0
    assert comfy("POST", "/free", json={"unload_models": True}).status_code == 200
