"""x264 in process, one thread a piece, settings that make pieces joinable: closed GOPs and the same headers.

One thread makes the bytes independent of how many processors the machine has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av
import cv2
from av.video.codeccontext import VideoCodecContext

from genengine.media.codec_flags import BITEXACT, GLOBAL_HEADER
from genengine.media.compose.planes import Frame
from genengine.media.spec.model import Output

BT709, LIMITED = 1, 1
FLOOR_MARGIN = 1.08
"""Every piece starts with a part-filled buffer, which costs a little of a constant rate."""

CPU_AVX_512F = 13
"""OpenCV's number for that instruction set."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded frame; times in frames from the start of its piece."""

    data: bytes
    pts: int
    dts: int
    key: bool


def options(output: Output) -> dict[str, str]:
    """Encoder options: a key frame at least every half second times four, no open GOP."""
    keyint = max(1, round(output.fps * 2))
    params = f"open-gop=0:keyint={keyint}:min-keyint={max(1, keyint // 10)}:force-cfr=1"
    if output.preset == "ultrafast":
        params += ":8x8dct=1:cabac=1"  # without them x264 writes Baseline, whatever profile is asked for
    if cv2.checkHardwareSupport(CPU_AVX_512F):
        params += ":asm=AVX2"  # x264's AVX-512 look-ahead reads memory it never set: other bytes every time
    chosen = {"preset": output.preset, "crf": str(output.crf), "profile": "high", "x264-params": params}
    if output.min_bit_rate:
        rate = round(output.min_bit_rate * FLOOR_MARGIN)
        chosen |= {
            "nal-hrd": "cbr",
            "b": str(rate),
            "minrate": str(rate),
            "maxrate": str(rate),
            "bufsize": str(rate // 2),
        }
        del chosen["crf"]
    return chosen


def open_encoder(output: Output) -> VideoCodecContext:
    """A fresh encoder for one piece."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, VideoCodecContext)
    prepare(context, output)
    context.open()
    return context


def prepare(context: VideoCodecContext, output: Output) -> None:
    """Everything both a piece's encoder and the joined file's stream must agree on."""
    context.width, context.height, context.pix_fmt = output.width, output.height, "yuv420p"
    context.time_base, context.framerate = 1 / output.fps, output.fps
    context.options = options(output)
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = LIMITED
    context.thread_count = 1
    context.flags |= GLOBAL_HEADER | BITEXACT


class PieceEncoder:
    """Frames in, packets out."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._context = open_encoder(output)
        self._count = 0
        self.packets: list[Packet] = []

    @property
    def header(self) -> bytes:
        """Parameter sets; equal for all pieces of one file."""
        return bytes(self._context.extradata or b"")

    def add(self, frame: Frame) -> None:
        """Encode one frame. The buffer may be reused afterwards: x264 keeps its own copy."""
        # PyAV takes a borrowed buffer's height in steps of four rows: in others (1350 of 4:5) colours lose their place
        borrowed = self._output.height % 4 == 0
        make = av.VideoFrame.from_numpy_buffer if borrowed else av.VideoFrame.from_ndarray
        picture = make(frame, format="yuv420p")
        picture.pts, picture.time_base = self._count, 1 / self._output.fps
        self._count += 1
        self._collect(self._context.encode(picture))

    def finish(self) -> None:
        self._collect(self._context.encode(None))

    def _collect(self, packets: list[av.Packet]) -> None:
        self.packets += list(_plain(packets))


def _plain(packets: list[av.Packet]) -> Iterator[Packet]:
    for packet in packets:
        assert packet.pts is not None
        assert packet.dts is not None
        yield Packet(bytes(packet), packet.pts, packet.dts, packet.is_keyframe)
