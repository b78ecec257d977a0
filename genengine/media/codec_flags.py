"""Flags of libavcodec that both the picture's and the sound's encoder need (libavcodec/avcodec.h)."""

GLOBAL_HEADER = 1 << 22
"""Parameter sets once, beside the packets, as MP4 wants them."""

BITEXACT = 1 << 23
"""No version strings in the output: the same input gives the same bytes."""
