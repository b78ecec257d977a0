"""``python -m benchmarks.routing``: mixed jobs through the real stack against the emulator with faults.

Prints a table and, as the last line, ``jobs=… ended=… estimate_within_10pct=… billed_twice=… utilisation_spread=…
utilisation_avoidable=… saved_vs_naive=… saved_vs_turns=… saved_vs_first=… saved_vs_reputation=… saved_vs_dearest=…
reuse_alone=… share_before=… share_after=…``. ``saved_vs_naive`` is the smaller of the savings against two allocations
that buy the same quality (`benchmarks/routing/baselines.py`), over the clips that a vendor makes, without reuse. A run
that is cut prints what it has.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from benchmarks.routing.stack import running

if TYPE_CHECKING:
    from benchmarks.routing.balance import Group
    from benchmarks.routing.jobs import Bills, Run
    from benchmarks.routing.learning import Shift

Row = tuple[str, str, str]


def main() -> int:
    """Run the benchmark; 0 when every job ended and nothing was billed twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--timeout", type=float, default=7200, help="seconds until the run is cut")
    parser.add_argument("--at-once", type=int, default=24, help="jobs that are under way at one time")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="ge-bench-routing-") as folder, running(Path(folder)) as log:
        import django

        django.setup()
        from benchmarks.routing.jobs import run_jobs
        from benchmarks.routing.learning import measure_shift

        run = run_jobs(arguments.jobs, log=log, timeout_s=arguments.timeout, at_once=arguments.at_once)
        return _print(run, measure_shift())


def _interrupt(number: int, frame: FrameType | None) -> None:
    """A run that is told to stop prints what it has, like one that a person interrupts."""
    raise KeyboardInterrupt


def _print(run: Run, shift: Shift) -> int:
    from benchmarks.routing.balance import groups_of
    from benchmarks.routing.jobs import bills_of, reuse_share

    bills, groups, reuse = bills_of(run), groups_of(run.plans.values()), reuse_share(run)
    if run.cut:
        print(f"cut after {run.wall_s:.0f} s: {run.cut}; the figures are of the {len(run.ended)} jobs that ended")
    for name, value, more in (*_ends(run, bills), *_use(groups), *_savings(run, reuse), _learning(shift)):
        print(f"{name:34} {value:52} {more}".rstrip())
    print(" ".join(f"{name}={value}" for name, value in _figures(run, bills, groups, reuse, shift).items()))
    return int(len(run.ended) < run.wanted or bills.billed_twice > 0)


def _ends(run: Run, bills: Bills) -> list[Row]:
    from genengine.core.money import format_micro

    states = ", ".join(f"{state} {jobs}" for state, jobs in run.states.most_common())
    apart = f"{bills.under} cost less (a free take stands in), {bills.over} more; worst {bills.worst:.0%}"
    money = f"{format_micro(bills.planned)} planned, {format_micro(bills.spent)} billed to the workspace"
    return [
        ("jobs ended", f"{len(run.ended)} of {run.wanted} in {run.wall_s:.0f} s", states),
        ("clips that a fallback take made", str(bills.stand_ins), f"{bills.stuck_clips} clips without any take"),
        ("estimate within 10 % of the bill", f"{bills.within} of {len(run.ended)}", apart),
        ("money of the ended jobs", money, "settled in the ledger, retries included"),
        (
            "CPU seconds a job that ended",
            f"{sum(run.cpu.values()) / max(1, len(run.ended)):.1f}",
            ", ".join(f"{role} {used / max(1, len(run.ended)):.2f}" for role, used in sorted(run.cpu.items())),
        ),
        ("attempts", f"{bills.attempts}, {bills.retries} of them retries", ""),
        ("billed by vendors, billed twice", f"{bills.billed}, {bills.billed_twice}", "in the vendors' own log"),
    ]


def _use(groups: list[Group]) -> list[Row]:
    from benchmarks.routing.balance import LEAST

    if not groups:
        return [("clips of equally fit providers", "not measured", f"no two were equals for {LEAST} clips")]
    return [
        (
            "clips of equally fit providers",
            ", ".join(f"{name} {clips}" for name, clips in group.used.items()),
            f"at most {group.spread:.1%} from their mean, {group.avoidable:.1%} from the most even that the"
            f" {group.shared.total()} clips for which they were equals allow",
        )
        for group in groups
    ]


def _savings(run: Run, reuse: float) -> list[Row]:
    from benchmarks.routing.baselines import NAMES
    from genengine.core.money import format_micro

    found = run.allocation
    rows = [
        (
            f"planned against {name}",
            f"{format_micro(found.planned)} of {format_micro(found.paid[name])}: {found.saved(name):.1%} saved",
            f"{found.saved_with_free(name):.1%} with the clips that the local engine makes",
        )
        for name in NAMES
    ]
    return [*rows, ("reuse alone, asked for again", f"{reuse:.1%} saved", "no part of the figures above")]


def _learning(shift: Shift) -> Row:
    return f"share of {shift.provider}", f"{shift.before:.1%} → {shift.after:.1%}", "after its pass rate halved"


def _figures(run: Run, bills: Bills, groups: list[Group], reuse: float, shift: Shift) -> dict[str, Any]:
    from benchmarks.routing.baselines import NAMES

    ended = len(run.ended)
    spread = f"{max(group.spread for group in groups):.4f}" if groups else "too_few_clips"
    return {
        "jobs": run.wanted,
        "ended": f"{ended / run.wanted:.4f}",
        "estimate_within_10pct": f"{bills.within / ended:.4f}" if ended else "no_job_ended",
        "billed_twice": bills.billed_twice,
        "utilisation_spread": spread,
        "utilisation_avoidable": f"{max(group.avoidable for group in groups):.4f}" if groups else "too_few_clips",
        "saved_vs_naive": f"{run.allocation.headline:.4f}",
        **{f"saved_vs_{name}": f"{run.allocation.saved(name):.4f}" for name in NAMES},
        "reuse_alone": f"{reuse:.4f}",
        "share_before": f"{shift.before:.4f}",
        "share_after": f"{shift.after:.4f}",
    }


if __name__ == "__main__":
    raise SystemExit(main())
