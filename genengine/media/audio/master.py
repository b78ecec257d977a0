"""From the mix to AAC packets that decode to the target: one gain, a limiter where needed, one encode, one check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genengine.media.audio.aac import Sound, decoded, encode
from genengine.media.audio.limiter import Limiter
from genengine.media.audio.loudness import Loudness, lufs_of_pcm, measure_pcm
from genengine.media.audio.mix import has_sound, mix
from genengine.media.audio.pcm import Pcm, gain
from genengine.media.ffmpeg.run import Cancelled
from genengine.media.spec.model import RenderSpec

TOLERANCE_LU, CORRECTION_LU = 0.15, 0.03
HEADROOM_DB = 0.3
MAX_GAIN_DB = 40.0
CORRECTIONS, ENCODES = 4, 3


@dataclass(frozen=True, slots=True)
class Mastered:
    """The encoded sound, what it measures once decoded again (None when silent), and remarks."""

    sound: Sound
    loudness: Loudness | None
    warnings: tuple[str, ...]


def master(spec: RenderSpec, files: Mapping[str, Path], cancelled: Cancelled | None = None) -> Mastered:
    """Mix, correct and encode. Without any sound the result is a silent stereo track, and says so."""
    mixed = mix(spec, files, cancelled)
    if not has_sound(spec):
        return Mastered(encode(mixed), None, ("There is no bed, voice or clip sound: the track is silent.",))
    before = measure_pcm(mixed, cancelled)
    if before.is_silent:
        return Mastered(encode(mixed), None, ("The sound that was given is silent: the track is silent.",))
    return _to_target(mixed, before, spec, cancelled)


def _to_target(mixed: Pcm, before: Loudness, spec: RenderSpec, cancelled: Cancelled | None) -> Mastered:
    """Correct, encode, measure what a player will hear; encode again only where that missed."""
    target, ceiling = spec.output.loudness_lufs, spec.output.true_peak_dbtp
    aim, limit = target, ceiling - HEADROOM_DB
    boost = min(MAX_GAIN_DB, target - before.lufs)
    for attempt in range(ENCODES):
        corrected, boost = _corrected(mixed, before, aim, limit, boost, cancelled)
        sound = encode(corrected)
        heard = measure_pcm(decoded(sound), cancelled)
        missed, over = target - heard.lufs, heard.true_peak_dbtp - ceiling
        if (abs(missed) <= TOLERANCE_LU and over <= 0) or attempt == ENCODES - 1:
            break
        aim += missed if abs(missed) > TOLERANCE_LU else 0.0
        limit -= over + 0.1 if over > 0 else 0.0
    return Mastered(sound, heard, tuple(_remarks(heard, spec)))


def _corrected(
    mixed: Pcm, before: Loudness, aim: float, limit: float, boost: float, cancelled: Cancelled | None
) -> tuple[Pcm, float]:
    """The mix at ``aim`` LUFS under ``limit`` dBTP, and the gain that took; limiting costs loudness, so it is
    measured and given back before anything is encoded."""
    straight = min(MAX_GAIN_DB, aim - before.lufs)
    if before.true_peak_dbtp + straight <= limit:
        return mixed * np.float32(gain(straight)), straight
    limiter = Limiter(mixed, cancelled)
    for _ in range(CORRECTIONS):
        louder = limiter.at(boost, limit)
        missed = aim - lufs_of_pcm(louder, cancelled)
        if abs(missed) <= CORRECTION_LU:
            break
        boost = min(MAX_GAIN_DB, boost + missed)
    return louder, boost


def _remarks(heard: Loudness, spec: RenderSpec) -> list[str]:
    out = []
    if abs(heard.lufs - spec.output.loudness_lufs) > 0.3:
        out.append(
            f"Loudness is {heard.lufs:.1f} LUFS; {spec.output.loudness_lufs:.1f} was asked for and cannot be reached."
        )
    if heard.true_peak_dbtp > spec.output.true_peak_dbtp:
        out.append(
            f"True peak is {heard.true_peak_dbtp:.1f} dBTP; at most {spec.output.true_peak_dbtp:.1f} was asked for."
        )
    return out
