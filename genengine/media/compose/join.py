"""Put packets of pieces and the sound into one MP4: nothing is encoded again.

No edit lists (platforms ask for none), index first, no creation time: the same packets give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from heapq import merge
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from genengine.media.audio.aac import Sound, prepare_aac
from genengine.media.compose.encoder import Packet, prepare
from genengine.media.errors import RenderFailed
from genengine.media.spec.model import Output

FLAGS = "+faststart+negative_cts_offsets"


def join(
    out: Path, output: Output, parts: Sequence[tuple[int, bytes, Sequence[Packet]]], sound: Sound, tags: dict[str, str]
) -> None:
    """Write ``out``. ``parts`` are (first frame, header, packets) in order."""
    if any(header != parts[0][1] for _, header, _ in parts):
        raise RenderFailed(
            ("join",), "the pieces were encoded with different settings; clear the cache and render again"
        )
    options = {
        "movflags": FLAGS,
        "use_editlist": "0",
        "fflags": "+bitexact",
        "video_track_timescale": str(_timescale(output.fps)),
    }
    with av.open(str(out), "w", format="mp4", options=options) as container:
        container.metadata.update(tags)
        video = _video_stream(container, output)
        audio = _audio_stream(container, sound)
        container.start_encoding()
        for packet in _interleaved(list(_video_packets(parts, video, output)), list(_audio_packets(sound, audio))):
            container.mux(packet)


def _video_stream(container: av.container.OutputContainer, output: Output) -> VideoStream:
    stream = container.add_stream("libx264", rate=output.fps)
    assert isinstance(stream, VideoStream)
    prepare(stream.codec_context, output)
    return stream


def _audio_stream(container: av.container.OutputContainer, sound: Sound) -> AudioStream:
    stream = container.add_stream("aac", rate=sound.rate)
    assert isinstance(stream, AudioStream)
    prepare_aac(stream.codec_context, sound.rate, sound.bit_rate)
    return stream


def _video_packets(
    parts: Sequence[tuple[int, bytes, Sequence[Packet]]], stream: VideoStream, output: Output
) -> Iterator[av.Packet]:
    """The decoding order must rise over the joints: each piece's first packets may reach back before its start."""
    for first, _, packets in parts:
        for item in packets:
            packet = av.Packet(item.data)
            packet.pts, packet.dts = item.pts + first, item.dts + first
            packet.duration, packet.time_base = 1, 1 / output.fps
            packet.is_keyframe, packet.stream = item.key, stream
            yield packet


def _audio_packets(sound: Sound, stream: AudioStream) -> Iterator[av.Packet]:
    for index, data in enumerate(sound.packets):
        packet = av.Packet(data)
        packet.pts = packet.dts = index * 1024
        packet.duration = min(1024, sound.samples - index * 1024)
        packet.time_base, packet.is_keyframe, packet.stream = Fraction(1, sound.rate), True, stream
        yield packet


def _interleaved(video: list[av.Packet], audio: list[av.Packet]) -> Iterator[av.Packet]:
    """By decoding time, pictures before sound."""

    def when(packet: av.Packet) -> Fraction:
        assert packet.dts is not None
        assert packet.time_base is not None
        return packet.dts * packet.time_base

    yield from merge(video, audio, key=when)


def _timescale(fps: Fraction) -> int:
    """A whole number of ticks a frame, fine enough for players."""
    return fps.numerator * (512 if fps.numerator <= 120 else 1)
