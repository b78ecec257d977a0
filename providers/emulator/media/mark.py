"""A machine-readable strip in the picture, so that a mix-up of clips can be measured and not only seen.

Thirty-two squares in one row at the top left carry a 32-bit number: white is 1, black is 0. The first 32 bits
of the SHA-256 of ``vendor:task id`` are the number of a task.
"""

from __future__ import annotations

import hashlib

import numpy as np

BITS = 32
WHITE, BLACK = 235, 16


def mark_of(vendor: str, task_id: str) -> int:
    """The number a task's picture carries."""
    return int.from_bytes(hashlib.sha256(f"{vendor}:{task_id}".encode()).digest()[:4], "big")


def cell_size(height: int) -> int:
    """Side of one square in pixels, even, so that it survives 4:2:0."""
    return max(4, height // 180 * 2)


def draw_mark(luma: np.ndarray, number: int) -> None:
    """Write the strip into a luma plane in place."""
    cell = cell_size(luma.shape[0])
    for bit in range(BITS):
        left = cell * (bit + 1)
        if left + cell > luma.shape[1]:
            return
        luma[cell : 2 * cell, left : left + cell] = WHITE if number >> (BITS - 1 - bit) & 1 else BLACK


def read_mark(luma: np.ndarray) -> int:
    """Read the strip back from a decoded luma plane."""
    cell = cell_size(luma.shape[0])
    number = 0
    for bit in range(BITS):
        left = cell * (bit + 1)
        centre = luma[cell + cell // 4 : 2 * cell - cell // 4, left + cell // 4 : left + cell - cell // 4]
        number = number << 1 | int(centre.mean() > 126)
    return number
