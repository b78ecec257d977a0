"""Checks before a frame is drawn: what would be refused, or compile and disappoint, with its place and its remedy."""
