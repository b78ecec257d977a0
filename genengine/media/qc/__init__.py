"""Quality control of a finished file: one pass over its frames and sound, typed findings, no silent gaps."""
