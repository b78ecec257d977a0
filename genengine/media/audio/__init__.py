"""Sound on one sample clock: decoded to PCM, mixed, brought to the target loudness, encoded once."""
