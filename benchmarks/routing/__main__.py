"""``python -m benchmarks.routing``: mixed jobs through the real stack against the emulator with faults.

Prints a table and, as the last line, ``jobs=… ended=… estimate_within_10pct=… billed_twice=… utilisation_spread=…
saved_vs_naive=… saved_vs_naive_paid=… share_before=… share_after=…``. Naive is the model of the highest declared
quality for every clip, at list price; ``_paid`` leaves out the clips that the local engine makes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.routing.stack import running

if TYPE_CHECKING:
    from benchmarks.routing.jobs import Outcome
    from benchmarks.routing.learning import Shift


def main() -> int:
    """Run the benchmark; 0 when every job ended and nothing was billed twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--timeout", type=float, default=3600, help="seconds to wait for the last job")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ge-bench-routing-") as folder, running(Path(folder)) as log:
        import django

        django.setup()
        from benchmarks.routing.jobs import run_jobs
        from benchmarks.routing.learning import measure_shift

        outcome = run_jobs(arguments.jobs, log=log, timeout_s=arguments.timeout)
        return _print(outcome, measure_shift())


def _print(outcome: Outcome, shift: Shift) -> int:
    from benchmarks.routing.jobs import savings, utilisation
    from genengine.core.money import format_micro

    spread, used = utilisation(outcome.plans)
    saved = savings(outcome.plans)
    within, ended = outcome.within / outcome.jobs, outcome.ended / outcome.jobs
    rows = (
        ("jobs ended", f"{outcome.ended} of {outcome.jobs} in {outcome.wall_s:.0f} s", dict(outcome.states)),
        ("estimate within 10 % of the bill", f"{within:.1%}", f"worst {max(outcome.deviations, default=0):.0%}"),
        ("attempts, billed, billed twice", f"{outcome.attempts}, {outcome.billed}, {outcome.billed_twice}", ""),
        ("clips of equally fit providers", used, f"at most {spread:.1%} from their mean" if used else "too few to say"),
        ("planned against naive", f"{format_micro(saved.planned)} of {format_micro(saved.naive)}",
         f"{saved.share:.1%} saved; {saved.share_paid:.1%} on clips that a vendor makes"),
        (f"share of {shift.provider}", f"{shift.before:.1%} → {shift.after:.1%}", "after its pass rate halved"),
    )  # fmt: skip
    for name, value, more in rows:
        print(f"{name:34} {value!s:44} {more}")
    print(
        f"jobs={outcome.jobs} ended={ended:.4f} estimate_within_10pct={within:.4f} billed_twice={outcome.billed_twice}"
        f" utilisation_spread={spread:.4f} saved_vs_naive={saved.share:.4f} saved_vs_naive_paid={saved.share_paid:.4f}"
        f" share_before={shift.before:.4f} share_after={shift.after:.4f}"
    )
    return int(ended < 1 or outcome.billed_twice > 0)


if __name__ == "__main__":
    raise SystemExit(main())
