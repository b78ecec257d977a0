"""Captions as text files and as timed cues."""
