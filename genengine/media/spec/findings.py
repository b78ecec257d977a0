"""What a check before drawing has to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """``error`` refuses the render; ``warning`` would disappoint; ``note`` says what the engine will do by itself."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class LintFinding:
    """``code`` is stable, ``path`` a JSON path, ``message`` a sentence, ``fix`` what to do (empty for a note)."""

    code: str
    severity: Severity
    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.severity}: {self.path}: {self.message} {self.fix} [{self.code}]".replace("  ", " ")

    def to_dict(self) -> dict[str, str]:
        """Plain JSON values."""
        return {name: str(getattr(self, name)) for name in self.__dataclass_fields__}
