"""Frames from a RenderSpec: planes, warps, layers, pieces, and the finished file."""
