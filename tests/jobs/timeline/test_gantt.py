"""The geometry of the live page: one axis, bars in event time, nothing outside of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from jobs.execution.models import Job
from jobs.plan import Plan
from jobs.timeline.gantt import Gantt, gantt
from jobs.timeline.queries import BranchRow, ClipRow, Span, Spend, Timeline

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def clip(*spans: Span, state: str = "ready") -> ClipRow:
    return ClipRow(
        id=uuid4(), scene="s1", title="Hook", position=0, state=state, people="", locked=False, provider="kling",
        model="kling-2.6", prompt="", reason="", duration_ms=3000, progress=None, tries=1, failure=None, spans=spans,
        takes=(), price_micro=0, cost_micro=0, actions=(), step="",
    )  # fmt: skip


def timeline(*clips: ClipRow, eta: float | None = None, finished: float | None = None) -> Timeline:
    branch = BranchRow(
        id=uuid4(), key="A", name="A", provider="kling", model="kling-2.6", state="ready", people="", paused=False,
        clips=clips, masters=(), done=0, total=len(clips),
    )  # fmt: skip
    return Timeline(
        job=Job(), people="", plan=Plan("", "tiktok", 3000, ("9:16",), (), (), ()), branches=(branch,),
        spend=Spend(0, 0, 0, 0, ()), started_at=START, finished_at=None if finished is None else at(finished),
        eta_at=None if eta is None else at(eta), progress=0.0, last_seq=0, log=(),
    )  # fmt: skip


def drawn(view: Timeline, now: float) -> Gantt:
    return gantt(timeline=view, now=at(now))


def test_bars_keep_the_order_and_the_proportions_of_time() -> None:
    first = Span("attempt", "kling", "failed", at(0.2), at(10.2))
    second = Span("attempt", "kling", "collected", at(12), at(32))
    bars = drawn(timeline(clip(first, second), finished=40), 40).groups[0].clips[0].bars
    assert bars[0].x < bars[0].x + bars[0].width < bars[1].x
    assert round(bars[1].width / bars[0].width, 1) == 2.0
    assert bars[0].start_ms == 1_795_251_600_200


def test_a_running_bar_ends_now_and_the_axis_reaches_past_the_eta() -> None:
    view = timeline(clip(Span("attempt", "kling", "submitted", at(0), None), state="generating"), eta=100)
    chart = drawn(view, 50)
    bar = chart.groups[0].clips[0].bars[0]
    assert bar.end_ms == 0
    assert abs(bar.x + bar.width - chart.now_x) < 0.01
    assert chart.eta_x is not None
    assert chart.now_x < chart.eta_x <= 100


def test_work_that_outlasts_its_eta_stays_on_the_axis() -> None:
    view = timeline(clip(Span("attempt", "kling", "submitted", at(0), None), state="generating"), eta=30)
    chart = drawn(view, 300)
    assert chart.now_x <= 100
    assert chart.end > at(300)


def test_a_local_attempt_at_work_is_shown_as_rendering_not_as_waiting() -> None:
    view = timeline(clip(Span("attempt", "local", "intent", at(1), None), state="generating"), eta=30)
    assert drawn(view, 5).groups[0].clips[0].bars[0].state == "generating"


def test_a_job_of_a_moment_has_an_axis_and_few_ticks() -> None:
    for length in (0, 1, 59, 61, 3_600, 100_000):
        view = replace(timeline(clip()), finished_at=at(length), eta_at=at(length))
        chart = drawn(view, length)
        assert 1 <= len(chart.ticks) <= 8
        assert all(0 <= tick.x <= 100 for tick in chart.ticks)
