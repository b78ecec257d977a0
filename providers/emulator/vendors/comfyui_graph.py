"""ComfyUI's graphs: the nodes an emulated server has, how a graph is validated, and what it makes.

Node names, inputs and outputs are those of the server's own ``/object_info`` (2026-11); only inputs that every version
requires are required here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# name | required inputs | outputs; a star marks nodes whose results are kept.
TABLE = """
UNETLoader|unet_name weight_dtype|MODEL
CheckpointLoaderSimple|ckpt_name|MODEL CLIP VAE
CLIPLoader|clip_name type|CLIP
DualCLIPLoader|clip_name1 clip_name2 type|CLIP
VAELoader|vae_name|VAE
LoraLoader|model clip lora_name|MODEL CLIP
LoraLoaderModelOnly|model lora_name|MODEL
ModelSamplingSD3|model shift|MODEL
CLIPTextEncode|text clip|CONDITIONING
CLIPVisionLoader|clip_name|CLIP_VISION
CLIPVisionEncode|clip_vision image|CLIP_VISION_OUTPUT
FluxGuidance|conditioning guidance|CONDITIONING
ConditioningZeroOut|conditioning|CONDITIONING
LTXVConditioning|positive negative frame_rate|CONDITIONING CONDITIONING
LoadImage|image|IMAGE MASK
LoadVideo|file|VIDEO
LoadAudio|audio|AUDIO
ImageScale|image upscale_method width height crop|IMAGE
Wan22ImageToVideoLatent|vae width height length batch_size|LATENT
WanImageToVideo|positive negative vae width height length batch_size|CONDITIONING CONDITIONING LATENT
WanFirstLastFrameToVideo|positive negative vae width height length batch_size|CONDITIONING CONDITIONING LATENT
EmptyHunyuanLatentVideo|width height length batch_size|LATENT
EmptyLTXVLatentVideo|width height length batch_size|LATENT
LTXVImgToVideo|positive negative vae image width height length batch_size|CONDITIONING CONDITIONING LATENT
EmptyLatentImage|width height batch_size|LATENT
EmptySD3LatentImage|width height batch_size|LATENT
KSampler|model seed steps cfg sampler_name scheduler positive negative latent_image denoise|LATENT
KSamplerAdvanced|model noise_seed steps cfg sampler_name scheduler positive negative latent_image|LATENT
KSamplerSelect|sampler_name|SAMPLER
BasicScheduler|model scheduler steps denoise|SIGMAS
LTXVScheduler|steps max_shift base_shift stretch terminal|SIGMAS
RandomNoise|noise_seed|NOISE
BasicGuider|model conditioning|GUIDER
CFGGuider|model positive negative cfg|GUIDER
SamplerCustom|model add_noise noise_seed cfg positive negative sampler sigmas latent_image|LATENT LATENT
SamplerCustomAdvanced|noise guider sampler sigmas latent_image|LATENT LATENT
VAEDecode|samples vae|IMAGE
VAEDecodeTiled|samples vae tile_size overlap|IMAGE
VAEEncode|pixels vae|LATENT
CreateVideo|images fps|VIDEO
SaveVideo*|video filename_prefix|
SaveWEBM*|images filename_prefix codec fps crf|
SaveAnimatedWEBP*|images filename_prefix fps lossless quality method|
VHS_VideoCombine*|images frame_rate loop_count filename_prefix format|
SaveImage*|images filename_prefix|
PreviewImage*|images|
"""
NUMBERS = {
    "width": (16, 16384),
    "height": (16, 16384),
    "length": (1, 16384),
    "steps": (1, 10_000),
    "batch_size": (1, 4096),
}
PICTURES = ("SaveImage", "PreviewImage")
Exists = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Node:
    """A kind of node: what it needs, what it gives, and whether its results are kept."""

    required: tuple[str, ...]
    outputs: tuple[str, ...]
    keeps: bool


def _read_table() -> dict[str, Node]:
    nodes = {}
    for line in TABLE.strip().splitlines():
        name, required, outputs = line.split("|")
        nodes[name.rstrip("*")] = Node(tuple(required.split()), tuple(outputs.split()), name.endswith("*"))
    return nodes


NODES = _read_table()


class Refused(Exception):
    """A 400 with ComfyUI's error object."""

    def __init__(
        self,
        kind: str,
        message: str,
        node_errors: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        error = {"type": kind, "message": message, "details": "", "extra_info": dict(extra or {})}
        self.body = {"error": error, "node_errors": dict(node_errors or {})}


def read_graph(graph: Mapping[str, Any], exists: Exists) -> dict[str, Any]:
    """Validate as the server does, then give size, frames, rate, words, seed, picture and the nodes that keep results.

    ``exists`` tells whether an input file was uploaded.
    """
    _check_kinds(graph)
    kept = [node_id for node_id, node in graph.items() if NODES[node["class_type"]].keeps]
    if not kept:
        raise Refused("prompt_no_outputs", "Prompt has no outputs")
    _check_inputs(graph, exists)
    inputs = [node["inputs"] for node in graph.values()]
    width, height = (int(_first(inputs, name, 0) or 512) for name in ("width", "height"))
    saver = graph[kept[0]]
    prefix = str(saver["inputs"].get("filename_prefix") or "ComfyUI")
    return {
        "prompt": _words(graph),
        "width": width,
        "height": height,
        "frames": int(_first(inputs, "length", 1)),
        "fps": round(float(_first(inputs, "fps", 0) or _first(inputs, "frame_rate", 0) or 16)),
        "seed": int(_first(inputs, "seed", 0) or _first(inputs, "noise_seed", 0)),
        "steps": int(_first(inputs, "steps", 1)),
        "prefix": prefix,
        "picture": next((str(i["image"]) for i in inputs if isinstance(i.get("image"), str)), "").rpartition("/")[2],
        "kept": kept,
        "saver": saver["class_type"],
        "nodes": _in_order(graph),
        "digest": hashlib.sha256(json.dumps(graph, sort_keys=True).encode()).hexdigest(),
    }


def _in_order(graph: Mapping[str, Any]) -> list[str]:
    """The nodes as they run: each after those that it takes something from."""
    done: dict[str, None] = {}

    def visit(node_id: str, above: frozenset[str]) -> None:
        if node_id in done or node_id in above:
            return
        for value in graph[node_id]["inputs"].values():
            if isinstance(value, list) and value:
                visit(str(value[0]), above | {node_id})
        done[node_id] = None

    for node_id in graph:
        visit(node_id, frozenset())
    return list(done)


def _first(inputs: list[Any], name: str, default: Any) -> Any:
    """The first plain value that any node has under this name; links are followed by nobody here."""
    return next((i[name] for i in inputs if isinstance(i.get(name), int | float)), default)


def _words(graph: Mapping[str, Any]) -> str:
    """The text that the first sampler's positive side comes from, else the first text of the graph."""
    for node in graph.values():
        found = _text_behind(graph, node["inputs"].get("positive") or node["inputs"].get("guider"))
        if found:
            return found
    return next((str(n["inputs"]["text"]) for n in graph.values() if isinstance(n["inputs"].get("text"), str)), "")


def _text_behind(graph: Mapping[str, Any], link: Any) -> str:
    for _ in range(len(graph)):
        node = graph.get(str(link[0])) if isinstance(link, list) and link else None
        if node is None:
            return ""
        inputs = node["inputs"]
        if isinstance(inputs.get("text"), str):
            return str(inputs["text"])
        link = inputs.get("positive") or inputs.get("conditioning") or inputs.get("text")
    return ""


def _check_kinds(graph: Mapping[str, Any]) -> None:
    for node_id, node in graph.items():
        kind = node.get("class_type") if isinstance(node, dict) else None
        if kind is None:
            words = f"Cannot execute because node '#{node_id}' is missing the class_type property."
            raise Refused("invalid_prompt", words, extra={})
        if kind not in NODES:
            title = (node.get("_meta") or {}).get("title") or kind
            extra = {"node_id": node_id, "class_type": kind, "node_title": title}
            raise Refused(
                "missing_node_type", f"Node '{title}' not found. The custom node may not be installed.", {}, extra
            )
        if not isinstance(node.get("inputs"), dict):
            node["inputs"] = {}


def _check_inputs(graph: Mapping[str, Any], exists: Exists) -> None:
    errors: dict[str, Any] = {}
    for node_id, node in graph.items():
        found = list(_node_errors(graph, node, exists))
        if found:
            errors[node_id] = {"errors": found, "dependent_outputs": [], "class_type": node["class_type"]}
    if errors:
        raise Refused("prompt_outputs_failed_validation", "Prompt outputs failed validation", errors)


def _node_errors(graph: Mapping[str, Any], node: Mapping[str, Any], exists: Exists) -> Any:
    inputs, kind = node["inputs"], node["class_type"]
    for name in NODES[kind].required:
        if name not in inputs:
            yield _error("required_input_missing", "Required input is missing", name, name)
    for name, value in inputs.items():
        if isinstance(value, list) and value and str(value[0]) not in graph:
            yield _error(
                "exception_during_inner_validation", "Exception when validating inner node", f"'{value[0]}'", name
            )
        low, high = NUMBERS.get(name, (value, value)) if isinstance(value, int) else (value, value)
        if isinstance(value, int) and value < low:
            yield _error("value_smaller_than_min", f"Value {value} smaller than min of {low}", name, name)
        if isinstance(value, int) and value > high:
            yield _error("value_bigger_than_max", f"Value {value} bigger than max of {high}", name, name)
    if kind == "LoadImage" and "image" in inputs and not exists(inputs["image"]):
        words = f"image - Invalid image file: {inputs['image']}"
        yield _error("custom_validation_failed", "Custom validation failed for node", words, "image")


def _error(kind: str, message: str, details: str, name: str) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": {"input_name": name}}


def node_view(name: str) -> dict[str, Any]:
    """A node as ``/object_info`` shows it."""
    node = NODES[name]
    return {
        "input": {"required": {field: [_type_of(field), {}] for field in node.required}},
        "input_order": {"required": list(node.required)},
        "output": list(node.outputs),
        "output_is_list": [False] * len(node.outputs),
        "output_name": list(node.outputs),
        "name": name,
        "display_name": name,
        "description": "",
        "python_module": "nodes",
        "category": "emulated",
        "output_node": node.keeps,
    }


def _type_of(field: str) -> Any:
    if field in NUMBERS or field.endswith("seed"):
        return "INT"
    if field.endswith("_name") or field in ("weight_dtype", "type", "scheduler", "format", "codec", "crop"):
        return [f"emulated-{field}"]
    floats = ("cfg", "denoise", "shift", "fps", "frame_rate", "guidance")
    return "FLOAT" if field in floats else "STRING" if field in ("text", "filename_prefix") else field.upper()
