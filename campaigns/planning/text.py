"""Words, sentences and speaking time in any script. Text is data: nothing here changes what a person wrote."""

import re
import unicodedata

MS_A_WORD = 370  # unhurried advertising speech, about 160 words a minute
MS_A_IDEOGRAPH = 220
MS_A_THAI_SIGN = 90
PAUSE_MS = 250

IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
SENTENCE_END = re.compile(r"(?<=[.!?…؟۔।])[\"'”’»)\]]*\s+|(?<=[。！？])[」』”’)]*")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
STOP = frozenset(
    WORD.findall(
        "the a an and or of in on at to for with is are was it its this that your you we our i not no do does by from"
        " as be so than then into over el la los las un una de del en y o con le les des du et à dans der die das ein"
        " und mit ist text logo last first second seconds all"
    )
)


def sentences(text: str) -> list[str]:
    """Split at the ends of sentences of any script; the pieces joined are the text but for white space."""
    pieces: list[str] = []
    for line in text.splitlines():
        start = 0
        for match in SENTENCE_END.finditer(line):
            pieces.append(line[start : match.end()].strip())
            start = match.end()
        pieces.append(line[start:].strip())
    return [piece for piece in pieces if piece]


def words(text: str) -> list[str]:
    """Return the words of a text, in order, as written."""
    return WORD.findall(text)


def stems(text: str) -> frozenset[str]:
    """Return the meaningful words in a form that compares: lower case, no accents, no plural s."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    found = WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))
    return frozenset(_stem(word) for word in found if word not in STOP and len(word) > 1 and not word.isdigit())


def speech_ms(text: str) -> int:
    """Return how long a text takes to say, in milliseconds; silence for no text."""
    if not text.strip():
        return 0
    ideographs, unspaced = len(IDEOGRAPHS.findall(text)), len(UNSPACED.findall(text))
    spaced = UNSPACED.sub(" ", IDEOGRAPHS.sub(" ", text))
    said = len(words(spaced)) * MS_A_WORD + ideographs * MS_A_IDEOGRAPH + unspaced * MS_A_THAI_SIGN
    return said + PAUSE_MS * max(1, len(sentences(text)))


def shortened(text: str, limit_ms: int) -> str:
    """Return the leading sentences that can be said in the time, at least a part of the first one."""
    kept = ""
    for sentence in sentences(text):
        longer = f"{kept} {sentence}".strip()
        if speech_ms(longer) > limit_ms:
            break
        kept = longer
    return kept or _leading_clause(text, limit_ms)


def cut_at_word(text: str, limit: int) -> str:
    """Return at most `limit` characters, cut between words, with an ellipsis where something is missing."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    return (head[:space] if space > limit // 2 else head).rstrip(" ,;:-–—") + "…"


def _leading_clause(text: str, limit_ms: int) -> str:
    first = sentences(text)[0] if sentences(text) else text
    for mark in re.finditer(r"[,;:–—،、，]\s*", first):
        if PAUSE_MS < speech_ms(first[: mark.start()]) <= limit_ms and mark.start() > len(first) // 3:
            return first[: mark.start()].rstrip() + "…"
    units = first.split(" ") if " " in first else list(first)
    glue = " " if " " in first else ""
    while len(units) > 1 and speech_ms(glue.join(units)) > limit_ms:
        units = units[:-1]
    cut = glue.join(units)
    return cut if cut == first else cut.rstrip(" ,;:") + "…"


def _stem(word: str) -> str:
    word = word.split("'")[0].split("’")[0]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
