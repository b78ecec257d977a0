"""The Generation Engine: the frame and the ground every app stands on (see docs/explanation)."""
