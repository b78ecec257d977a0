"""Vision models: which weights there are, where they lie on this machine, and what they see in a picture."""
