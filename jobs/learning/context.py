"""What features above know about a job: its genre, and whether people approved a variant. Registered in `apps.py`."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

GenreOfBriefs = Callable[[Iterable[UUID]], Mapping[UUID, str]]
VerdictOfBranches = Callable[[Iterable[UUID]], Mapping[UUID, bool]]
_genres: list[GenreOfBriefs] = []
_verdicts: list[VerdictOfBranches] = []


def register_genres(source: GenreOfBriefs) -> None:
    """Let a feature say which genre of ad each brief asks for."""
    if source not in _genres:
        _genres.append(source)


def register_verdicts(source: VerdictOfBranches) -> None:
    """Let a feature say which variants people approved (true) or turned down (false)."""
    if source not in _verdicts:
        _verdicts.append(source)


def genres_of(briefs: Iterable[UUID]) -> Mapping[UUID, str]:
    """Return the genre by brief; what nobody knows is missing."""
    asked = tuple(briefs)
    return {key: genre for source in _genres for key, genre in source(asked).items()} if asked else {}


def verdicts_of(branches: Iterable[UUID]) -> Mapping[UUID, bool]:
    """Return people's verdict by variant; what nobody judged is missing."""
    asked = tuple(branches)
    return {key: verdict for source in _verdicts for key, verdict in source(asked).items()} if asked else {}
