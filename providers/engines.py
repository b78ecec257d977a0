"""The engines of this installation, from its settings: this machine and, where the operator names one, another."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from genengine.media.remote.choice import Engines
from genengine.media.remote.client import RemoteEngine
from genengine.media.remote.health import MEGABYTE, Needs, ill_health
from genengine.workspaces.models import Workspace
from providers.sessions import operator_session

PATIENCE_S = 20.0
"""How long a render server that does not answer is waited for, before the render counts as failed there."""


def engines() -> Engines:
    """Where clips of the local engine and masters may be rendered."""
    return Engines(remote=remote_engine(), health=_ill_health, local_timeout_s=settings.GE_RENDER_TIMEOUT_S)


def engine_policy(workspace: Workspace, own: str = "") -> str:
    """The engine policy of a brief (``own``), the workspace's where it has none, else the installation's."""
    return policy_and_reason(workspace, own)[0]


def policy_and_reason(workspace: Workspace, own: str = "") -> tuple[str, str]:
    """The engine policy that holds, and who said so: the narrowest that says anything wins."""
    if own:
        return own, "the brief says so"
    if workspace.engine_policy:
        return str(workspace.engine_policy), "the workspace says so"
    return str(settings.ENGINE_POLICY), "this installation is set up so"


def remote_engine() -> RemoteEngine | None:
    """The render server that the operator named, or None. No workspace can name one."""
    url = settings.REMOTE_ENGINE_URL
    if not url:
        return None
    return RemoteEngine(
        url,
        settings.REMOTE_ENGINE_TOKEN,
        session=operator_session(url),
        timeout_s=settings.GE_RENDER_TIMEOUT_S,
        patience_s=PATIENCE_S,
    )


def _ill_health() -> str:
    folder = Path(settings.GE_WORK_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    needs = Needs(settings.GE_RENDER_MIN_FREE_MB * MEGABYTE, settings.GE_RENDER_MIN_MEMORY_MB * MEGABYTE)
    return ill_health(folder, needs)
