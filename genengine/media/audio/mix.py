"""Mix bed, voice and clip sound by samples. Every position is rounded from its own absolute time: no drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genengine.media.audio.pcm import RATE, Pcm, decode, gain
from genengine.media.ffmpeg.run import Cancelled
from genengine.media.spec.model import Bed, RenderSpec, VideoSegment

LOOP_OVERLAP_S = 0.35
EDGE_S = 0.012
DUCK_WINDOW_S = 0.02
DUCK_ATTACK_S, DUCK_HOLD_S, DUCK_RELEASE_S = 0.12, 0.25, 0.4
SPEECH_FLOOR = 0.006


def samples_at(frame: int, fps: Fraction) -> int:
    """Sample at which a frame starts."""
    return int(Fraction(frame * RATE) / fps + Fraction(1, 2))


def has_sound(spec: RenderSpec) -> bool:
    """Whether anything could be heard."""
    clips = any(isinstance(s, VideoSegment) and s.sound_gain_db is not None for s in spec.segments)
    return bool(spec.audio.bed or spec.audio.voice or clips)


def mix(spec: RenderSpec, files: Mapping[str, Path], cancelled: Cancelled | None = None) -> Pcm:
    """The whole mix before loudness, exactly as long as the picture."""
    fps, total = spec.output.fps, samples_at(spec.duration_frames, spec.output.fps)
    under = np.zeros((total, 2), np.float32)
    if spec.audio.bed:
        under += bed(spec.audio.bed, files[spec.audio.bed.asset], total, fps, cancelled)
    _add_clip_sound(under, spec, files, cancelled)
    voice = np.zeros((total, 2), np.float32)
    for item in spec.audio.voice:
        start = samples_at(item.start_frame, fps)
        sound = decode(files[item.asset], seconds=(total - start) / RATE, cancelled=cancelled)
        _lay(voice, start, sound * gain(item.gain_db))
    if spec.audio.voice and spec.audio.ducking_db:
        under *= ducking(voice, spec.audio.ducking_db)[:, None]
    return under + voice


def bed(plan: Bed, path: Path, total: int, fps: Fraction, cancelled: Cancelled | None = None) -> Pcm:
    """Music looped or trimmed to ``total`` samples, faded in and out."""
    start = float(plan.start_frame / fps)
    music = decode(path, seconds=total / RATE, start=start, cancelled=cancelled)
    out = looped(music, total) * gain(plan.gain_db)
    fade_in = min(total, samples_at(plan.fade_in_frames, fps))
    fade_out = min(total, samples_at(plan.fade_out_frames, fps))
    if fade_in:
        out[:fade_in] *= np.linspace(0, 1, fade_in, dtype=np.float32)[:, None]
    if fade_out:
        curve = np.cos(np.linspace(0, np.pi / 2, fade_out, dtype=np.float32))
        out[total - fade_out :] *= curve[:, None]
    return out


def looped(music: Pcm, total: int) -> Pcm:
    """``total`` samples; where the music ends it starts over under an equal-power cross-fade."""
    if len(music) == 0:
        return np.zeros((total, 2), np.float32)
    if len(music) >= total:
        return music[:total].copy()
    overlap = min(int(LOOP_OVERLAP_S * RATE), len(music) // 3)
    out = np.zeros((total, 2), np.float32)
    angle = np.linspace(0, np.pi / 2, max(1, overlap), dtype=np.float32)[:, None]
    at = 0
    while at < total:
        part = music.copy()
        if at and overlap:
            part[:overlap] *= np.sin(angle)
        if overlap:
            part[len(part) - overlap :] *= np.cos(angle)
        _lay(out, at, part)
        at += len(music) - overlap
    return out


def ducking(voice: Pcm, depth_db: float) -> NDArray[np.float32]:
    """Gain curve for what lies under the voice: down shortly before speech, up after a pause."""
    window = int(DUCK_WINDOW_S * RATE)
    count = -(-len(voice) // window)
    padded = np.zeros(count * window, np.float32)
    padded[: len(voice)] = np.abs(voice).max(axis=1)
    level = np.sqrt((padded.reshape(count, window) ** 2).mean(axis=1))
    speech = level > max(SPEECH_FLOOR, float(level.max()) * 0.06)
    before, after = int(DUCK_ATTACK_S / DUCK_WINDOW_S), int(DUCK_HOLD_S / DUCK_WINDOW_S)
    wide = np.convolve(speech.astype(np.float32), np.ones(before + after + 1), "full")[before : before + count] > 0
    curve = _followed(wide, depth_db)
    position = np.arange(len(voice), dtype=np.float32) / window - 0.5
    return gain_curve(np.interp(position, np.arange(count), curve).astype(np.float32))


def gain_curve(decibel: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.power(np.float32(10), decibel / np.float32(20))


def _followed(speech: NDArray[np.bool_], depth_db: float) -> NDArray[np.float64]:
    """Decibels a window, moving no faster than attack and release allow."""
    down, up = depth_db * DUCK_WINDOW_S / DUCK_ATTACK_S, depth_db * DUCK_WINDOW_S / DUCK_RELEASE_S
    out, value = np.zeros(len(speech)), 0.0
    for index, talks in enumerate(speech):
        value = max(-depth_db, value - down) if talks else min(0.0, value + up)
        out[index] = value
    return out


def _add_clip_sound(under: Pcm, spec: RenderSpec, files: Mapping[str, Path], cancelled: Cancelled | None) -> None:
    fps = spec.output.fps
    for index, (first, segment) in enumerate(zip(spec.slot_starts, spec.segments, strict=True)):
        if not isinstance(segment, VideoSegment) or segment.sound_gain_db is None:
            continue
        start = samples_at(first, fps)
        end = samples_at(first + segment.duration_frames + spec.run_on(index), fps)
        offset = float(segment.start_frame / fps)
        sound = decode(files[segment.asset], seconds=(end - start) / RATE, start=offset, cancelled=cancelled)
        if len(sound) < end - start and segment.when_short == "loop" and len(sound):
            sound = looped(sound, end - start)
        fade_in = max(samples_at(segment.transition.frames, fps), int(EDGE_S * RATE))
        fade_out = max(end - samples_at(first + segment.duration_frames, fps), int(EDGE_S * RATE))
        _lay(under, start, _faded(sound * gain(segment.sound_gain_db), fade_in, fade_out))


def _faded(sound: Pcm, fade_in: int, fade_out: int) -> Pcm:
    fade_in, fade_out = min(fade_in, len(sound)), min(fade_out, len(sound))
    shape: Callable[[int], Pcm] = lambda count: np.sin(np.linspace(0, np.pi / 2, count, dtype=np.float32))[:, None]  # noqa: E731
    sound[:fade_in] *= shape(fade_in)
    sound[len(sound) - fade_out :] *= shape(fade_out)[::-1]
    return sound


def _lay(target: Pcm, at: int, sound: Pcm) -> None:
    count = min(len(sound), len(target) - at)
    if count > 0:
        target[at : at + count] += sound[:count]
