"""Where the code lies and where this installation keeps its state."""

from pathlib import Path

from genengine.settings import environment as env

BASE_DIR = Path(__file__).resolve().parents[2]

GE_STATE_DIR = env.path(
    "GE_STATE_DIR",
    BASE_DIR / ".state",
    "Folder of this installation's state: embedded PostgreSQL, files, keys, logs. Keep it, and back it up.",
    shown_default="`.state` in the checkout",
)
