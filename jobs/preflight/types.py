"""What the check of a plan says."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Level(StrEnum):
    """An error holds the launch back; a warning would disappoint; a note says what the engine does by itself."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class PlanFinding:
    """One thing that would be wrong. `code` is stable; `scene` is a scene's key and `number` its place from 1, empty
    and 0 for the whole ad; `films` are the finished films that it is in, such as “9:16 en”."""

    code: str
    level: Level
    scene: str
    number: int
    subject: str
    cause: str
    fix: str
    films: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"Scene {self.number}" if self.number else "The whole ad"

    @property
    def sentence(self) -> str:
        """Place, cause and remedy in one line."""
        return f"{self.place}, {self.subject}: {self.cause} {self.fix}".strip()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"level": str(self.level), "films": list(self.films)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "PlanFinding":
        """Read plain values."""
        return cls(**{**values, "level": Level(values["level"]), "films": tuple(values["films"])})


def errors_of(findings: tuple[PlanFinding, ...]) -> tuple[PlanFinding, ...]:
    """Return the findings that hold a launch back."""
    return tuple(f for f in findings if f.level is Level.ERROR)
