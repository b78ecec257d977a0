"""Read a script: bracketed scene hints, prose, dialogue, lists, in any language. Comment lines are left out."""

import re
from dataclasses import dataclass, replace

from campaigns.planning.text import sentences, speech_ms, words

PROSE_SCENE_MS = 4_500  # a comfortable passage of prose

COMMENT = re.compile(r"^#+(\s|$)")
HINT = re.compile(r"^\s*\[(?P<inside>.*)\]\s*$", re.DOTALL)
HEAD = re.compile(
    r"^\s*(?P<label>[^\W\d_]+)\s+(?P<number>\d+)\s*"
    r"(?:[,:(]?\s*(?P<start>\d+(?:[.,]\d+)?)\s*[-–—]\s*(?P<end>\d+(?:[.,]\d+)?)\s*(?:s|sec|secs|seconds|segundos|secondes)?\)?)?"
    r"\s*(?:[.:]\s*|$)",
    re.IGNORECASE,
)
ON_SCREEN = re.compile(
    r"(?:on[- ]?screen(?: text)?|super|texto en pantalla|texte à l['’]écran|bildschirmtext|testo a schermo"
    r"|texto na tela)\s*:\s*(?P<text>.+)$",
    re.IGNORECASE | re.DOTALL,
)
DIRECTIONS = re.compile(r"^(hook|cta|call to action|big caption|captions?|voice[- ]?over|no voice)$", re.IGNORECASE)
BULLET = re.compile(r"^\s*(?:[-*•–—]|\d{1,2}[.)])\s+(?=\S)")
SPEAKER = re.compile(r"^\s*(?P<name>[^\W\d_][\w .'’-]{0,24}?)\s*[:：]\s+\S")


@dataclass(frozen=True)
class Passage:
    """A stretch of the script that becomes one scene. Times in milliseconds are those the writer asked for."""

    spoken: str = ""
    visual: str = ""
    on_screen: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    speaker: str = ""

    @property
    def asked_ms(self) -> int | None:
        """The length the writer asked for, if any."""
        if self.start_ms is None or self.end_ms is None or self.end_ms <= self.start_ms:
            return None
        return self.end_ms - self.start_ms


def read_script(script: str) -> list[Passage]:
    """Return the passages of a script in order; an empty list when nothing in it is to be said or shown."""
    lines = [line for line in script.replace("\x00", "").splitlines() if not COMMENT.match(line.strip())]
    blocks = _blocks(lines)
    if any(HINT.match(block) for block in blocks):
        return _hinted(blocks)
    spoken = [line.strip() for line in lines if line.strip()]
    if len(spoken) >= 2 and _mostly(spoken, BULLET):
        return [Passage(spoken=BULLET.sub("", line)) for line in spoken]
    if len(spoken) >= 2 and _mostly(spoken, SPEAKER):
        return [_line_of_dialogue(line) for line in spoken]
    return _prose("\n".join(spoken))


def _blocks(lines: list[str]) -> list[str]:
    """Join a hint that runs over several lines; every other line stands alone."""
    blocks: list[str] = []
    open_hint: list[str] = []
    for line in lines:
        if open_hint:
            open_hint.append(line)
            if "]" in line:
                blocks.append("\n".join(open_hint))
                open_hint = []
        elif line.lstrip().startswith("[") and "]" not in line:
            open_hint = [line]
        else:
            blocks.append(line)
    return blocks + open_hint


def _hinted(blocks: list[str]) -> list[Passage]:
    passages: list[Passage] = []
    for block in blocks:
        hint = HINT.match(block)
        if hint:
            passages.append(_from_hint(" ".join(hint["inside"].split())))
        elif block.strip():
            if not passages:
                passages.append(Passage())
            last = passages[-1]
            passages[-1] = replace(last, spoken=f"{last.spoken}\n{block.strip()}".strip())
    return [p for p in passages if p.spoken or p.visual or p.on_screen]


def _from_hint(inside: str) -> Passage:
    head = HEAD.match(inside)
    rest = inside[head.end() :] if head else inside
    shown = ON_SCREEN.search(rest)
    on_screen = shown["text"].strip().removesuffix(".") if shown else ""
    visual = rest[: shown.start()] if shown else rest
    visual = " ".join(s for s in sentences(visual) if not DIRECTIONS.match(s.rstrip(".")))
    return Passage(
        visual=visual.strip(),
        on_screen=on_screen,
        start_ms=_ms(head["start"]) if head else None,
        end_ms=_ms(head["end"]) if head else None,
    )


def _ms(seconds: str | None) -> int | None:
    return round(float(seconds.replace(",", ".")) * 1000) if seconds else None


def _mostly(lines: list[str], pattern: re.Pattern[str]) -> bool:
    return sum(1 for line in lines if pattern.match(line)) * 3 >= len(lines) * 2


def _line_of_dialogue(line: str) -> Passage:
    speaker = SPEAKER.match(line)
    return Passage(spoken=line, speaker=speaker["name"].strip() if speaker else "")


def _prose(text: str) -> list[Passage]:
    """Group sentences into passages of a few seconds; a paragraph's end is also a passage's end."""
    passages: list[Passage] = []
    for line in text.splitlines():
        group = ""
        for sentence in sentences(line):
            longer = f"{group} {sentence}".strip()
            if group and speech_ms(longer) > PROSE_SCENE_MS:
                passages.append(Passage(spoken=group))
                longer = sentence
            group = longer
        if group:
            passages.append(Passage(spoken=group))
    return passages if words(text) or text.strip() else []
