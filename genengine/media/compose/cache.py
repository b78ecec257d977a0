"""Rendered pieces as bytes, for the store."""

from __future__ import annotations

import json
import struct

from genengine.media.compose.encoder import Packet
from genengine.media.compose.piece import Encoded
from genengine.media.store import Store

MAGIC = b"GEPIECE1"


def known_piece(store: Store, key: str) -> Encoded | None:
    """The piece, or None when it is not there or not whole."""
    data = store.get(key, "piece")
    try:
        piece = unpack(data) if data is not None else None
    except (ValueError, struct.error, KeyError):
        piece = None
    store.hits += piece is not None
    store.misses += piece is None
    return piece


def keep_piece(store: Store, key: str, piece: Encoded) -> None:
    store.put(key, "piece", pack(piece))


def pack(piece: Encoded) -> bytes:
    """Header line with sizes and times, then the packets' bytes."""
    rows = [(len(packet.data), packet.pts, packet.dts, packet.key) for packet in piece.packets]
    index = json.dumps({"header": piece.header.hex(), "packets": rows}).encode()
    body = b"".join(packet.data for packet in piece.packets)
    return MAGIC + struct.pack(">IQ", len(index), len(body)) + index + body


def unpack(data: bytes) -> Encoded:
    """Raises ``ValueError`` for anything that is not a whole piece."""
    if data[:8] != MAGIC:
        raise ValueError("not a piece")
    index_size, body_size = struct.unpack(">IQ", data[8:20])
    at = 20 + index_size
    if len(data) != at + body_size:
        raise ValueError("cut off")
    index = json.loads(data[20:at])
    packets = []
    for size, pts, dts, key in index["packets"]:
        packets.append(Packet(data[at : at + size], pts, dts, bool(key)))
        at += size
    return Encoded(bytes.fromhex(index["header"]), tuple(packets))
