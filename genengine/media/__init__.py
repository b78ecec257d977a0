"""The media engine: plain Python from a RenderSpec and files to a finished, measured video. No Django.

The names below are the contract for the rest of the product. They load on first use, so that a web process that
only needs channel presets does not load a video encoder.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genengine.media.captions.cues import Cue, cues_from_script
    from genengine.media.captions.files import write_srt, write_vtt
    from genengine.media.channels import CHANNELS, Channel
    from genengine.media.compose.bars import bar_for_words
    from genengine.media.compose.compiler import CompileReport
    from genengine.media.compose.compiler import compile_spec as compile
    from genengine.media.errors import (
        MediaError,
        MediaRejected,
        RenderCancelled,
        RenderFailed,
        SpecError,
        SpecProblem,
        ToolMissing,
    )
    from genengine.media.framing import Framing, suggest_framing
    from genengine.media.intake.service import Ingested, Limits, ingest
    from genengine.media.preflight.run import lint
    from genengine.media.probing import MediaInfo, probe
    from genengine.media.qc.check import check as qc_check
    from genengine.media.qc.report import Expectations, Finding, QCReport
    from genengine.media.spec.brand import calmed
    from genengine.media.spec.findings import LintFinding, Severity
    from genengine.media.spec.model import RenderSpec
    from genengine.media.spec.parse import parse as parse_spec
    from genengine.media.spec.parse import schema as spec_schema
    from genengine.media.stills import thumbnail
    from genengine.media.version import ENGINE_VERSION, SPEC_VERSION

_PACKAGE = "genengine.media"
_HOMES = {
    "CHANNELS": "channels:CHANNELS",
    "Channel": "channels:Channel",
    "CompileReport": "compose.compiler:CompileReport",
    "Cue": "captions.cues:Cue",
    "ENGINE_VERSION": "version:ENGINE_VERSION",
    "Expectations": "qc.report:Expectations",
    "Finding": "qc.report:Finding",
    "Framing": "framing:Framing",
    "Ingested": "intake.service:Ingested",
    "LintFinding": "spec.findings:LintFinding",
    "Severity": "spec.findings:Severity",
    "Limits": "intake.service:Limits",
    "MediaError": "errors:MediaError",
    "MediaInfo": "probing:MediaInfo",
    "MediaRejected": "errors:MediaRejected",
    "QCReport": "qc.report:QCReport",
    "RenderCancelled": "errors:RenderCancelled",
    "RenderFailed": "errors:RenderFailed",
    "RenderSpec": "spec.model:RenderSpec",
    "SPEC_VERSION": "version:SPEC_VERSION",
    "SpecError": "errors:SpecError",
    "SpecProblem": "errors:SpecProblem",
    "ToolMissing": "errors:ToolMissing",
    "bar_for_words": "compose.bars:bar_for_words",
    "compile": "compose.compiler:compile_spec",
    "cues_from_script": "captions.cues:cues_from_script",
    "ingest": "intake.service:ingest",
    "calmed": "spec.brand:calmed",
    "lint": "preflight.run:lint",
    "parse_spec": "spec.parse:parse",
    "probe": "probing:probe",
    "qc_check": "qc.check:check",
    "spec_schema": "spec.parse:schema",
    "suggest_framing": "framing:suggest_framing",
    "thumbnail": "stills:thumbnail",
    "write_srt": "captions.files:write_srt",
    "write_vtt": "captions.files:write_vtt",
}

__all__ = [
    "CHANNELS",
    "ENGINE_VERSION",
    "SPEC_VERSION",
    "Channel",
    "CompileReport",
    "Cue",
    "Expectations",
    "Finding",
    "Framing",
    "Ingested",
    "Limits",
    "LintFinding",
    "MediaError",
    "MediaInfo",
    "MediaRejected",
    "QCReport",
    "RenderCancelled",
    "RenderFailed",
    "RenderSpec",
    "Severity",
    "SpecError",
    "SpecProblem",
    "ToolMissing",
    "bar_for_words",
    "calmed",
    "compile",
    "cues_from_script",
    "ingest",
    "lint",
    "parse_spec",
    "probe",
    "qc_check",
    "spec_schema",
    "suggest_framing",
    "thumbnail",
    "write_srt",
    "write_vtt",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {_PACKAGE!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].partition(":")
    value = getattr(import_module(f"{_PACKAGE}.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
