"""The ad's languages: each other script is laid over the same scenes."""

from collections.abc import Sequence

from campaigns.planning.script import Passage, read_script
from campaigns.planning.text import sentences, shortened, speech_ms
from campaigns.planning.types import BriefValues
from jobs.plan import LocalePlan, ScenePlan

TIMED = 1.9  # where a writer gave times, or another language shares them, the text may be said this much faster


def locales_of(brief: BriefValues, scenes: Sequence[ScenePlan]) -> tuple[tuple[LocalePlan, ...], list[str]]:
    """Return the brief's own language first, then each other one that has a script, and notes on those without."""
    locales = [LocalePlan(brief.language, voice_asset_id=brief.voiceovers.get(brief.language, ""))]
    notes = []
    for code in dict.fromkeys((*brief.alternate_languages, *brief.alternate_scripts)):
        passages = read_script(brief.alternate_scripts.get(code, ""))
        if not passages:
            notes.append(f"There is no {code} script, so no {code} cut is made; add one to the brief.")
        elif code != brief.language:
            locales.append(_locale(code, passages, scenes, brief.voiceovers.get(code, "")))
    return tuple(locales), notes


def _locale(code: str, passages: Sequence[Passage], scenes: Sequence[ScenePlan], voice: str) -> LocalePlan:
    if len(passages) == len(scenes):
        spoken = [p.spoken for p in passages]
        shown = {s.key: p.on_screen for s, p in zip(scenes, passages, strict=True) if p.on_screen}
    else:
        spoken = _shared_out(" ".join(p.spoken for p in passages), scenes)
        shown = {}
    scripts = {
        s.key: shortened(text, round(s.duration_ms * TIMED)) if text else ""
        for s, text in zip(scenes, spoken, strict=True)
    }
    return LocalePlan(code, scripts=scripts, on_screen=shown, voice_asset_id=voice)


def _shared_out(text: str, scenes: Sequence[ScenePlan]) -> list[str]:
    """Give each scene the sentences that fall into its share of the speaking time."""
    total_said, total = max(1, speech_ms(text)), sum(s.duration_ms for s in scenes)
    shares: list[list[str]] = [[] for _ in scenes]
    said, scene, ends = 0, 0, scenes[0].duration_ms
    for sentence in sentences(text):
        middle = (said + speech_ms(sentence) / 2) * total / total_said
        while middle > ends and scene < len(scenes) - 1:
            scene += 1
            ends += scenes[scene].duration_ms
        shares[scene].append(sentence)
        said += speech_ms(sentence)
    return [" ".join(parts) for parts in shares]
