"""How heavy a font is: the weight class of its OpenType ``OS/2`` table.

Source: OpenType specification 1.9, chapter "OS/2", field ``usWeightClass`` (400 regular, 700 bold).
"""

from __future__ import annotations

import struct
from pathlib import Path

REGULAR = 400


def weight_class(path: Path) -> int:
    """1 to 1000; 400 where the file does not say or cannot be read as a font."""
    data = path.read_bytes()
    try:
        for index in range(struct.unpack(">H", data[4:6])[0]):
            tag, _, offset, _ = struct.unpack(">4sIII", data[12 + 16 * index : 28 + 16 * index])
            if tag == b"OS/2":
                said = int(struct.unpack(">H", data[offset + 4 : offset + 6])[0])
                return said if 1 <= said <= 1000 else REGULAR
    except struct.error:
        pass
    return REGULAR
