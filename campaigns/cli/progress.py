"""Progress of a job on a terminal, or as lines when there is none."""

import sys
from datetime import datetime
from typing import TextIO

from genengine.core.money import format_micro
from jobs.timeline.queries import Timeline

WIDTH = 28


class ProgressBar:
    """One line that is drawn over itself on a terminal; elsewhere a line for each change of state."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self.stream = stream or sys.stderr
        self.quiet = quiet
        self.drawn = False
        self.last = ""

    def show(self, view: Timeline, now: datetime) -> None:
        """Draw where the job stands."""
        if self.quiet:
            return
        if self.stream.isatty():
            self.stream.write("\r\x1b[2K" + self._bar(view, now))
            self.stream.flush()
            self.drawn = True
            return
        line = f"{view.people}: {', '.join(f'{b.name} {b.people} {b.done}/{b.total}' for b in view.branches)}"
        if line != self.last:
            self.stream.write(line + "\n")
            self.stream.flush()
            self.last = line

    def end(self) -> None:
        """Leave the line."""
        if self.drawn:
            self.stream.write("\n")

    def _bar(self, view: Timeline, now: datetime) -> str:
        full = round(view.progress * WIDTH)
        eta = f", about {max(0, round((view.eta_at - now).total_seconds()))} s left" if view.eta_at else ""
        money = f"{format_micro(view.spend.spent_micro)} of {format_micro(view.spend.limit_micro)}"
        return f"[{'█' * full}{'·' * (WIDTH - full)}] {view.progress:4.0%} {view.people}, {money}{eta}"
