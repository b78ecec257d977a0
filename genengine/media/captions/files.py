"""SubRip and WebVTT files. Both are UTF-8; SubRip has no escaping, WebVTT escapes ``&``, ``<`` and ``>``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from genengine.media.captions.cues import Cue


def write_srt(cues: Iterable[Cue], path: Path) -> Path:
    """Write a SubRip file and return its path."""
    blocks = [
        f"{number}\n{_time(cue.start_ms, ',')} --> {_time(cue.end_ms, ',')}\n{_body(cue.text)}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return _write(path, "\n".join(blocks))


def write_vtt(cues: Iterable[Cue], path: Path, *, language: str = "") -> Path:
    """Write a WebVTT file and return its path."""
    head = f"WEBVTT\nLanguage: {language}\n" if language else "WEBVTT\n"
    blocks = [f"{_time(cue.start_ms, '.')} --> {_time(cue.end_ms, '.')}\n{_escaped(_body(cue.text))}\n" for cue in cues]
    return _write(path, "\n".join([head, *blocks]))


def _write(path: Path, text: str) -> Path:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _time(milliseconds: int, mark: str) -> str:
    seconds, rest = divmod(max(0, milliseconds), 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{mark}{rest:03}"


def _body(text: str) -> str:
    """A blank line would end the cue, and an arrow looks like a time line to a parser: both are softened."""
    text = re.sub(r"\n\s*\n+", "\n", text.strip().replace("\r\n", "\n").replace("\r", "\n"))
    return text.replace("-->", "→") or "\u00a0"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
