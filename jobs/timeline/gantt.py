"""The timeline as geometry: every bar as a share of one time axis, ready to be drawn as SVG."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.execution.states import AttemptState
from jobs.timeline.queries import BranchRow, ClipRow, MasterRow, Span, Timeline

SHORTEST_AXIS = timedelta(seconds=20)
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)
TICKS = 6


@dataclass(frozen=True)
class Bar:
    """One stretch. `x` and `width` are percentages; `start_ms` and `end_ms` (0 while it lasts) let the page move it."""

    x: float
    width: float
    start_ms: int
    end_ms: int
    state: str
    kind: str
    title: str
    fallback: bool


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class ClipLane:
    """A clip's row."""

    number: int
    clip: ClipRow
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class MasterLane:
    """A master's row."""

    master: MasterRow
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Group:
    """A branch with its rows."""

    branch: BranchRow
    clips: tuple[ClipLane, ...]
    masters: tuple[MasterLane, ...]


@dataclass(frozen=True)
class Gantt:
    """The whole drawing over one axis."""

    start: datetime
    end: datetime
    start_ms: int
    end_ms: int
    now_ms: int
    now_x: float
    eta_x: float | None
    running: bool
    ticks: tuple[Tick, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class _Axis:
    start: datetime
    end: datetime
    now: datetime

    def x(self, moment: datetime) -> float:
        share = (moment - self.start) / (self.end - self.start)
        return round(100 * min(1.0, max(0.0, share)), 3)

    def bar(self, span: Span) -> Bar:
        left, right = self.x(span.start), self.x(span.end or self.now)
        passed = ((span.end or self.now) - span.start).total_seconds()
        title = f"{span.label}, {span.state.replace('_', ' ')}, {passed:.1f} s"
        end_ms = _ms(span.end) if span.end else 0
        state = "generating" if span.state == AttemptState.INTENT and span.end is None else span.state
        width = max(0.4, round(right - left, 3))
        return Bar(left, width, _ms(span.start), end_ms, state, span.kind, title, span.fallback)


def gantt(*, timeline: Timeline, now: datetime) -> Gantt:
    """Lay a timeline out. The axis runs from the launch to the end, or past the expected end while work goes on."""
    axis = _axis(timeline, now)
    return Gantt(
        start=axis.start,
        end=axis.end,
        start_ms=_ms(axis.start),
        end_ms=_ms(axis.end),
        now_ms=_ms(now),
        now_x=axis.x(now),
        eta_x=axis.x(timeline.eta_at) if timeline.eta_at else None,
        running=timeline.finished_at is None,
        ticks=_ticks(axis),
        groups=tuple(_group(branch, axis) for branch in timeline.branches),
    )


def _axis(timeline: Timeline, now: datetime) -> _Axis:
    ends = [span.end or now for row in _rows(timeline) for span in row.spans]
    starts = [span.start for row in _rows(timeline) for span in row.spans]
    start = min([timeline.started_at, *starts])
    last = max([start, *ends])
    end = last if timeline.eta_at is None else max(timeline.eta_at, now, last)
    length = max(end - start, SHORTEST_AXIS)
    return _Axis(start, start + length * 1.03, now)


def _rows(timeline: Timeline) -> list[ClipRow | MasterRow]:
    rows: list[ClipRow | MasterRow] = []
    for branch in timeline.branches:
        rows += [*branch.clips, *branch.masters]
    return rows


def _group(branch: BranchRow, axis: _Axis) -> Group:
    clips = tuple(
        ClipLane(number, clip, tuple(axis.bar(span) for span in clip.spans))
        for number, clip in enumerate(branch.clips, start=1)
    )
    masters = tuple(MasterLane(m, tuple(axis.bar(span) for span in m.spans)) for m in branch.masters)
    return Group(branch, clips, masters)


def _ticks(axis: _Axis) -> tuple[Tick, ...]:
    length = (axis.end - axis.start).total_seconds()
    step = next((s for s in STEPS if length / s <= TICKS), STEPS[-1])
    return tuple(Tick(axis.x(axis.start + timedelta(seconds=at)), _label(at)) for at in range(0, int(length) + 1, step))


def _label(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}" if rest else f"{minutes} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
