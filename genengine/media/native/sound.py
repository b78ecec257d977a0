"""Sound measured and limited by the compiled functions; each answers None where there are none."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from genengine.media.native.build import library

Samples = NDArray[np.float32]
TAPS, BETA = 32, 9.0
"""The interpolation between samples for true peaks: a Kaiser-windowed sinc, the same as ffmpeg's resampler uses."""

REST = 128
"""Silence behind a channel: the compiled function reads in whole blocks."""


def hop_energies(sound: Samples, hop: int) -> NDArray[np.float64] | None:
    """K-weighted energy (sum of squares over channels and samples) of each whole ``hop`` of a 48 kHz sound
    (samples × channels)."""
    native = library()
    if native is None:
        return None
    energy = np.zeros(len(sound) // hop, np.float64)
    for channel in np.ascontiguousarray(sound.T, np.float32):
        native.hop_energies(channel.ctypes.data, len(sound), hop, energy.ctypes.data)
    return energy


def peak_envelope(sound: Samples) -> Samples | None:
    """For each sample the largest magnitude up to the next one, between samples too, over all channels."""
    native = library()
    if native is None:
        return None
    filters, edge = _filters(), TAPS // 2
    envelope = np.zeros(edge + len(sound) + edge, np.float32)
    padded = np.zeros(edge + len(envelope) + REST, np.float32)
    for index in range(sound.shape[1]):
        padded[2 * edge : 2 * edge + len(sound)] = sound[:, index]
        first = padded[edge:].ctypes.data
        if native.peak_envelope(first, len(envelope), filters.ctypes.data, TAPS, envelope.ctypes.data):
            return None
    inner = envelope[edge : edge + len(sound)]
    if len(inner):  # a sound that starts or ends abruptly rings beyond its own samples
        inner[0], inner[-1] = envelope[: edge + 1].max(), envelope[edge + len(sound) - 1 :].max()
    return inner


def limiting_gain(envelope: Samples, ceiling: float, *, ahead: int, release: float) -> Samples | None:
    """A gain for each sample that keeps ``envelope`` under ``ceiling`` (both linear): it falls within ``ahead``
    samples before a peak and comes back by the share ``release`` a sample."""
    native = library()
    if native is None:
        return None
    gain, envelope = np.ones(len(envelope), np.float32), np.ascontiguousarray(envelope)
    done = native.limiting_gain(envelope.ctypes.data, len(envelope), ceiling, ahead, release, gain.ctypes.data)
    return gain if done == 0 else None


@cache
def _filters() -> Samples:
    """Three phases (a quarter, a half, three quarters between two samples) of ``TAPS`` weights, each of sum 1."""
    places = np.arange(TAPS) - TAPS // 2 + 1
    rows = []
    for phase in (0.25, 0.5, 0.75):
        away = places - phase
        window = np.i0(BETA * np.sqrt(np.maximum(0, 1 - (away / (TAPS / 2)) ** 2))) / np.i0(BETA)
        row = np.sinc(away) * window
        rows.append(row / row.sum())
    return np.ascontiguousarray(rows, np.float32)
