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


def engine_policy(workspace: Workspace) -> str:
    """The workspace's engine policy, the installation's where it has none of its own."""
    return str(workspace.engine_policy or settings.ENGINE_POLICY)


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
