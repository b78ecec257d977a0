"""Everything the media engine can refuse or fail with. Each message says what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass


class MediaError(Exception):
    """Base of all errors of the media engine."""


@dataclass(frozen=True, slots=True)
class SpecProblem:
    """One fault in a RenderSpec: where (a JSON path such as ``$.segments[0].asset``), what, and how to fix it."""

    path: str
    message: str
    fix: str
    code: str = "invalid"

    def __str__(self) -> str:
        return f"{self.path}: {self.message} {self.fix}"


class SpecError(MediaError):
    """The RenderSpec cannot be compiled. ``problems`` lists every fault that was found, not only the first."""

    def __init__(self, problems: Sequence[SpecProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class MediaRejected(MediaError):
    """A file from outside is not used. ``code`` is stable, ``message`` and ``hint`` are sentences for a person."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        self.code = code
        self.message = message
        self.hint = hint
        super().__init__(f"{message} {hint}")


class RenderFailed(MediaError):
    """A child process or an encoder failed; keeps what it was asked to do and the end of what it said."""

    def __init__(self, argv: Sequence[str], stderr_tail: str) -> None:
        self.argv = tuple(str(part) for part in argv)
        self.stderr_tail = stderr_tail
        program = self.argv[0].rsplit("/", 1)[-1] if self.argv else "media engine"
        super().__init__(f"{program} failed: {stderr_tail.strip() or 'no message'}")

    @property
    def command(self) -> str:
        """The command as one could type it, for logs."""
        return shlex.join(self.argv)


class RenderCancelled(MediaError):
    """The caller's ``cancelled()`` said so; every child has been ended and no output was left behind."""

    def __init__(self) -> None:
        super().__init__("The render was cancelled.")


class ToolMissing(MediaError):
    """ffmpeg or ffprobe cannot be found, or lacks a filter that is needed."""
