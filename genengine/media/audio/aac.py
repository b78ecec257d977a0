"""AAC-LC in process: encode, and decode again to hear what a player will hear."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from genengine.media.audio.pcm import RATE, Pcm
from genengine.media.codec_flags import BITEXACT, GLOBAL_HEADER

PRIMING = 1024
BIT_RATE = 192_000


@dataclass(frozen=True, slots=True)
class Sound:
    """AAC packets of 1024 samples each and the codec's header; ``samples`` is the exact length."""

    header: bytes
    packets: tuple[bytes, ...]
    samples: int
    rate: int = RATE
    bit_rate: int = BIT_RATE


def prepare_aac(context: AudioCodecContext, rate: int, bit_rate: int) -> None:
    """The settings that the sound's encoder and the joined file's stream share."""
    context.sample_rate = rate
    context.layout = "stereo"
    context.format = "fltp"
    context.bit_rate = bit_rate
    context.time_base = Fraction(1, rate)
    context.flags |= GLOBAL_HEADER | BITEXACT


def encode(sound: Pcm) -> Sound:
    """AAC-LC. A player without edit lists hears the encoder's 1024 samples of run-in: the sound starts that much
    later in the encoder, so that everything after them is in place."""
    context = av.CodecContext.create("aac", "w")
    assert isinstance(context, AudioCodecContext)
    prepare_aac(context, RATE, BIT_RATE)
    context.open()
    packets: list[bytes] = []
    body = sound[PRIMING:].T
    for start in range(0, body.shape[1], 1024):
        block = np.ascontiguousarray(body[:, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = RATE, start
        packets += [bytes(packet) for packet in context.encode(frame)]
    packets += [bytes(packet) for packet in context.encode(None)]
    wanted = -(-len(sound) // 1024)
    return Sound(bytes(context.extradata or b""), tuple(packets[:wanted]), len(sound))


def decoded(sound: Sound) -> Pcm:
    """What a player gets from the packets."""
    context = av.CodecContext.create("aac", "r")
    assert isinstance(context, AudioCodecContext)
    context.extradata = sound.header
    blocks = []
    for data in sound.packets:
        blocks += [frame.to_ndarray().T for frame in context.decode(av.Packet(data))]
    blocks += [frame.to_ndarray().T for frame in context.decode(None)]
    joined = np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32)
    return np.ascontiguousarray(joined[: sound.samples], np.float32)
