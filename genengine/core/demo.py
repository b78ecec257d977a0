"""The demo's two hooks: the ground names them by setting, an app above implements them.

`GE_DEMO_SEED` is called as `seed_demo(*, password: str, now: datetime) -> str`. It makes the demo workspace
with its first job unless they exist, and returns the e-mail address to sign in with; it must be safe to call
at every start. `GE_DEMO_PROGRESS` is called as `demo_progress() -> str`: empty while the demo job runs, then
one line that begins with "demo ad finished".
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from genengine.core.state_files import random_token, read_or_create_secret

PASSWORD_LENGTH = 14


@dataclass(frozen=True)
class SignIn:
    """How a newcomer gets in."""

    email: str
    password: str


def seed(*, now: datetime) -> SignIn | None:
    """Make the demo and say how to sign in; None when this installation has no demo."""
    hook = _hook(settings.GE_DEMO_SEED)
    if hook is None:
        return None
    password = demo_password()
    return SignIn(str(hook(password=password, now=now)), password)


def progress() -> str:
    """The line that says the demo ad is finished, or an empty string."""
    hook = _hook(settings.GE_DEMO_PROGRESS)
    return str(hook()) if hook is not None else ""


def demo_password() -> str:
    """Random, made once for this installation, kept readable for its owner only."""
    path = Path(settings.GE_STATE_DIR) / "secrets" / "demo.password"
    return read_or_create_secret(path, lambda: random_token()[:PASSWORD_LENGTH])


def _hook(dotted: str) -> Callable[..., Any] | None:
    """Import a dotted path; None when its module is not part of this installation."""
    if not dotted:
        return None
    module_name, _, name = dotted.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        if missing.name is not None and module_name.startswith(missing.name):
            return None
        raise
    return getattr(module, name)
