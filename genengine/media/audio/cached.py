"""The finished sound, kept by everything it depends on: changing a caption does not mix and encode again."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from genengine.media.audio.aac import Sound
from genengine.media.audio.loudness import Loudness
from genengine.media.audio.master import Mastered, master
from genengine.media.builds import tool_builds
from genengine.media.ffmpeg.run import Cancelled
from genengine.media.spec.model import RenderSpec, VideoSegment
from genengine.media.store import Store


def master_cached(
    spec: RenderSpec, files: Mapping[str, Path], digests: Mapping[str, str], store: Store | None, cancelled: Cancelled
) -> Mastered:
    """``master``, or what it gave before for the same sound plan and files."""
    if store is None:
        return master(spec, files, cancelled)
    key = sound_key(spec, digests)
    data = store.get(key, "sound")
    if data is not None and (known := _unpacked(data)) is not None:
        return known
    made = master(spec, files, cancelled)
    store.put(key, "sound", _packed(made))
    return made


def sound_key(spec: RenderSpec, digests: Mapping[str, str]) -> str:
    """SHA-256 of what can be heard: plan, places of clips with sound, digests, target, length."""
    clips = [
        (
            start,
            segment.duration_frames,
            spec.run_on(index),
            segment.transition.frames,
            asdict(segment),
            digests[segment.asset],
        )
        for index, (start, segment) in enumerate(zip(spec.slot_starts, spec.segments, strict=True))
        if isinstance(segment, VideoSegment) and segment.sound_gain_db is not None
    ]
    used = [spec.audio.bed.asset] if spec.audio.bed else []
    used += [voice.asset for voice in spec.audio.voice]
    described = {
        "tools": tool_builds(),
        "fps": str(spec.output.fps),
        "frames": spec.duration_frames,
        "target": (spec.output.loudness_lufs, spec.output.true_peak_dbtp),
        "plan": asdict(spec.audio),
        "digests": [digests[name] for name in used],
        "clips": clips,
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True, default=str).encode()).hexdigest()


def _packed(made: Mastered) -> bytes:
    loudness = [made.loudness.lufs, made.loudness.true_peak_dbtp] if made.loudness else None
    index = {
        "header": made.sound.header.hex(),
        "samples": made.sound.samples,
        "sizes": [len(packet) for packet in made.sound.packets],
        "loudness": loudness,
        "warnings": made.warnings,
    }
    head = json.dumps(index).encode()
    return struct.pack(">I", len(head)) + head + b"".join(made.sound.packets)


def _unpacked(data: bytes) -> Mastered | None:
    """None for anything that is not whole."""
    try:
        at = 4 + struct.unpack(">I", data[:4])[0]
        index = json.loads(data[4:at])
        packets = []
        for size in index["sizes"]:
            packets.append(data[at : at + size])
            at += size
        if at != len(data):
            return None
        loudness = Loudness(*index["loudness"]) if index["loudness"] else None
        return Mastered(
            Sound(bytes.fromhex(index["header"]), tuple(packets), index["samples"]), loudness, tuple(index["warnings"])
        )
    except (ValueError, KeyError, struct.error, TypeError):
        return None
