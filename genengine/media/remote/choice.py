"""Keep an engine policy: which engine renders, and what follows when it cannot.

``local_only`` never leaves this machine. ``local_preferred`` renders here, and on the remote engine when this machine
fails, is not healthy or takes too long. ``api_only`` renders on the remote engine alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from genengine.media.compose.compiler import CompileReport
from genengine.media.errors import MediaError, RenderCancelled, SpecError
from genengine.media.remote.engine import Cancelled, Engine, Order, Progress, ThisMachine


class EnginePolicy(StrEnum):
    LOCAL_ONLY = "local_only"
    LOCAL_PREFERRED = "local_preferred"
    API_ONLY = "api_only"


@dataclass(frozen=True, slots=True)
class Switch:
    """One change of engine, with the reason in words."""

    from_engine: str
    to_engine: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Plain values for events and reports."""
        return {"from_engine": self.from_engine, "to_engine": self.to_engine, "reason": self.reason}


@dataclass(frozen=True)
class Rendered:
    """A finished render, the engine that made it, and how it came to that engine."""

    report: CompileReport
    engine: str
    policy: EnginePolicy
    switches: tuple[Switch, ...] = ()

    def facts(self) -> dict[str, Any]:
        """What a report says of the engine."""
        return {
            "engine_used": self.engine,
            "engine_policy": self.policy.value,
            "switches": [switch.to_dict() for switch in self.switches],
        }


class EnginesFailed(MediaError):
    """No engine that the policy allows could render; ``failures`` holds each engine's name and reason."""

    def __init__(self, policy: EnginePolicy, failures: tuple[tuple[str, str], ...]) -> None:
        self.policy, self.failures = policy, failures
        super().__init__("; ".join(reason for _, reason in failures))


def policy_of(order: Order) -> EnginePolicy:
    """The policy that the spec itself asks for."""
    constraints = order.spec.get("constraints") or {}
    return EnginePolicy(constraints.get("engine_policy", EnginePolicy.LOCAL_PREFERRED))


@dataclass(frozen=True)
class Engines:
    """The engines of an installation. ``health`` says why this machine should not render now, empty when it may."""

    local: Engine = field(default_factory=ThisMachine)
    remote: Engine | None = None
    health: Callable[[], str] = lambda: ""
    local_timeout_s: float | None = None

    def render(
        self,
        order: Order,
        out: Path,
        *,
        progress: Progress | None = None,
        cancelled: Cancelled | None = None,
        on_switch: Callable[[Switch], None] | None = None,
    ) -> Rendered:
        """Render by the spec's own policy. Raises ``EnginesFailed``, ``SpecError``, ``RenderCancelled``.

        A wrong spec is not handed on: it would be as wrong elsewhere.
        """
        policy = policy_of(order)
        if policy is EnginePolicy.API_ONLY:
            return Rendered(self._far(order, out, policy, progress, cancelled, ()), _name(self.remote), policy)
        reason = self._why_not_here() if policy is EnginePolicy.LOCAL_PREFERRED else ""
        if not reason:
            near = _Try(self.local, self.local_timeout_s if policy is EnginePolicy.LOCAL_PREFERRED else None)
            report, reason = near.render(order, out, progress, cancelled)
            if report is not None:
                return Rendered(report, self.local.name, policy)
        failed = ((self.local.name, reason),)
        if policy is EnginePolicy.LOCAL_ONLY or self.remote is None:
            raise EnginesFailed(policy, failed)
        switch = Switch(self.local.name, self.remote.name, reason)
        if on_switch is not None:
            on_switch(switch)
        report = self._far(order, out, policy, progress, cancelled, failed)
        return Rendered(report, self.remote.name, policy, (switch,))

    def _why_not_here(self) -> str:
        """Ill health counts only while there is somewhere else to go."""
        if self.remote is None:
            return ""
        ill = self.health()
        return f"the {self.local.label} is not healthy: {ill}" if ill else ""

    def _far(
        self,
        order: Order,
        out: Path,
        policy: EnginePolicy,
        progress: Progress | None,
        cancelled: Cancelled | None,
        failed: tuple[tuple[str, str], ...],
    ) -> CompileReport:
        if self.remote is None:
            reason = "the policy is api_only and no remote engine is set up (REMOTE_ENGINE_URL)"
            raise EnginesFailed(policy, (*failed, ("remote", reason)))
        report, reason = _Try(self.remote, None).render(order, out, progress, cancelled)
        if report is None:
            raise EnginesFailed(policy, (*failed, (self.remote.name, reason)))
        return report


class _Try:
    """One try of one engine. What the caller's own callbacks raise is the caller's, never a reason to switch."""

    def __init__(self, engine: Engine, timeout_s: float | None) -> None:
        self.engine, self.timeout_s = engine, timeout_s
        self._until = time.monotonic() + timeout_s if timeout_s else None
        self._own: BaseException | None = None

    def render(
        self, order: Order, out: Path, progress: Progress | None, cancelled: Cancelled | None
    ) -> tuple[CompileReport | None, str]:
        """The report, or None and why there is none."""

        def tell(done: int, total: int) -> None:
            if progress is not None:
                self._call(progress, done, total)

        def stop() -> bool:
            return self._late() or bool(cancelled is not None and self._call(cancelled))

        try:
            return self.engine.render(order, out, progress=tell, cancelled=stop), ""
        except SpecError:
            raise
        except RenderCancelled:
            if not self._late() or (cancelled is not None and cancelled()):
                raise
            return None, f"the {self.engine.label} took longer than {self.timeout_s:g} s"
        except Exception as error:
            if error is self._own:
                raise
            return None, f"the {self.engine.label} failed: {error}"[:500]

    def _late(self) -> bool:
        return self._until is not None and time.monotonic() > self._until

    def _call(self, callback: Callable[..., Any], *values: Any) -> Any:
        try:
            return callback(*values)
        except BaseException as error:
            self._own = error
            raise


def _name(engine: Engine | None) -> str:
    return engine.name if engine is not None else "remote"
