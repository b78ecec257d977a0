"""``lint``: every check of a RenderSpec, and of its files where they are given, in one list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from genengine.media.channels import CHANNELS, nearest_ratio
from genengine.media.compose.clearance import crowding
from genengine.media.compose.placing import placed
from genengine.media.errors import SpecError
from genengine.media.preflight.contrast import contrasts
from genengine.media.preflight.files import file_findings, used_files
from genengine.media.preflight.texts import card_findings, text_findings
from genengine.media.spec.brand import breaches, too_long
from genengine.media.spec.findings import LintFinding, Severity
from genengine.media.spec.model import RenderSpec
from genengine.media.spec.parse import parse

ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def lint(spec: RenderSpec | Mapping[str, Any], assets: Mapping[str, Path] | None = None) -> list[LintFinding]:
    """Findings, worst first; a spec that cannot be read at all is one error a fault. With ``assets`` (files by id)
    the files are looked at too: their heads, and single small frames behind words, never a whole video."""
    try:
        checked = spec if isinstance(spec, RenderSpec) else parse(spec)
    except SpecError as error:
        return [LintFinding(item.code, Severity.ERROR, item.path, item.message, item.fix) for item in error.problems]
    files = used_files(checked, assets)
    items = placed(_without_karaoke(checked), files)
    found = [
        *too_long(checked),
        *_length(checked),
        *_transitions(checked),
        *text_findings(checked, files, items),
        *card_findings(checked, files),
        *contrasts(checked, files, items),
        *breaches(checked),
        *crowding(checked, files, items),
    ]
    if assets is not None:
        found += file_findings(checked, assets)
    return sorted(dict.fromkeys(found), key=lambda finding: ORDER[finding.severity])


def _without_karaoke(spec: RenderSpec) -> RenderSpec:
    """The spec with captions that stand whole: words that light up one by one take the same place, in many bitmaps."""
    if spec.captions.style != "karaoke":
        return spec
    return replace(spec, captions=replace(spec.captions, style="plate"))


def _length(spec: RenderSpec) -> Iterator[LintFinding]:
    seconds, channel = float(spec.duration_s), CHANNELS[spec.output.channel]
    low, high = channel.duration_s
    if not low <= seconds <= high:
        message, fix = f"The video is {seconds:.1f} s long.", f"{channel.label} takes {low:g} to {high:g} s."
        yield LintFinding("channel_length", Severity.WARNING, "$.segments", message, fix)
    ratio = nearest_ratio(spec.output.width, spec.output.height)
    if ratio not in channel.ratios:
        message, fix = f"{channel.label} does not take {ratio}.", f"Use one of {', '.join(channel.ratios)}."
        yield LintFinding("channel_ratio", Severity.WARNING, "$.output", message, fix)


def _transitions(spec: RenderSpec) -> Iterator[LintFinding]:
    """The schema's reader refuses a transition longer than its own slot; these are legal and look wrong."""
    for index, segment in enumerate(spec.segments):
        frames, path = segment.transition.frames, f"$.segments[{index}].transition.frames"
        if not frames:
            continue
        before = spec.segments[index - 1]
        if frames + before.transition.frames > before.duration_frames + frames // 2:
            message = f"{frames} frames leave the slot before it ({before.duration_frames} frames) no time at rest."
            fix = f"Use at most {max(1, before.duration_frames - before.transition.frames) // 2} frames."
            yield LintFinding("transition_crowded", Severity.WARNING, path, message, fix)
        elif frames * 2 > segment.duration_frames:
            message = f"More than half of the slot ({segment.duration_frames} frames) is transition."
            fix = f"Use at most {segment.duration_frames // 2} frames."
            yield LintFinding("transition_crowded", Severity.WARNING, path, message, fix)
