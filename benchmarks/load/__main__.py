"""``python -m benchmarks.load``: a thousand clips in flight over twenty workspaces, on the product as it runs.

Prints a table and, as the last line, ``clips=… pump_core=… late_p95_ms=… finish_lag_p95_ms=… poll_interval_s=…
double_polls=… billed_twice=… speedup=… db_core=… pump_ms_per_poll=… bare_get_ms=…``. Shares are of one core while all
clips are in flight and none has finished; the speed-up is the vendor's own time for the clips that were collected
against the time that this took, so that a run that is cut short counts what it did. An end is seen when the transaction
begins that writes it: the wait for the poll, the vendor's answer and the way through the pump are in it, the commit is
not.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.routing.stack import running

if TYPE_CHECKING:
    from benchmarks.load.reading import Figures
    from benchmarks.load.watching import Share, Watch

POLL_INTERVAL_S = 5.0  # that of live work; simulated work is polled more often only to be lively


def main() -> int:
    """Run the benchmark; 0 when every clip came home, nobody was asked or paid twice, and no event is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--vendor-seconds", type=float, default=300, help="what a clip takes at the vendor, about")
    parser.add_argument("--window", type=float, default=60, help="longest measurement with all in flight, in seconds")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds to wait for the last clip")
    arguments = parser.parse_args()
    settings = {
        "GE_EMULATOR_SPEED": f"{60 / arguments.vendor_seconds:.4f}",
        "GE_SIMULATED_POLL_INTERVAL_S": str(POLL_INTERVAL_S),
        "GE_PROVIDER_PARALLEL": "60",
        "GE_MASTER_SCALE": "0.1",
        "GE_EMULATOR_PICTURE_SCALE": "0.25",  # drawing the vendors' pictures would take most of both cores
        "GE_MODELS": "0",
    }
    with (
        tempfile.TemporaryDirectory(prefix="ge-bench-load-") as folder,
        running(Path(folder), settings=settings, faults=()) as log,
    ):
        import django

        django.setup()
        from benchmarks.load.reading import read_figures
        from benchmarks.load.watching import Watcher
        from benchmarks.load.work import launch_all
        from benchmarks.load.yardstick import bare_get_ms

        get_ms = bare_get_ms()
        watcher = Watcher(arguments.clips, window_s=arguments.window)
        jobs = launch_all(arguments.clips)
        watch = watcher.run(timeout_s=arguments.timeout)
        figures = read_figures(watch, jobs, log=log, interval_s=POLL_INTERVAL_S)
        return _print(arguments.clips, watch, figures, get_ms)


def _print(clips: int, watch: Watch, figures: Figures, get_ms: float) -> int:
    from benchmarks.load.reading import percentile

    late, lags = figures.lateness, figures.lags
    steady = watch.steady
    pump_ms = 1000 * steady.cores.get("pump", 0.0) / steady.polls if steady and steady.polls else -1.0
    rows = (
        ("most in flight at once", f"{watch.flying} of {clips}", f"all submitted after {watch.submit_s:.0f} s"),
        ("all in flight, share of a core", _cores(steady), f"{steady.seconds:.0f} s" if steady else "not measured"),
        ("", f"{steady.polls:.0f} polls/s, {steady.transactions:.0f} transactions/s" if steady else "", ""),
        ("pump, CPU ms a poll", f"{pump_ms:.2f}", f"a bare GET by requests takes {get_ms:.2f} here"),
        ("while they finish", _cores(watch.finishing), f"{watch.finishing.seconds:.0f} s" if watch.finishing else ""),
        ("poll later than planned, ms", _spread(late), f"{len(late)} polls"),
        ("end seen after the end, ms", _spread(lags), f"{len(lags)} ends, asked every {POLL_INTERVAL_S:g} s"),
        ("polls twice, billed, billed twice", f"{figures.double_polls}, {figures.billed}, {figures.billed_twice}", ""),
        ("streams with a gap", str(figures.event_gaps), ""),
        ("emulator", f"{watch.emulator_mb:.0f} MB, {watch.emulator_threads} threads", ""),
        ("collected", f"{watch.collected} in {watch.wall_s:.0f} s", f"{figures.vendor_s:.0f} s one after another"),
        ("load of the machine", f"{watch.load:.1f}", "while all were in flight, all programs on it"),
    )
    for name, value, more in rows:
        print(f"{name:34} {value:66} {more}")
    speedup = figures.vendor_s / watch.wall_s if watch.wall_s else 0.0
    cores = steady.cores if steady else {}
    print(
        f"clips={clips} pump_core={cores.get('pump', -1):.3f} late_p95_ms={percentile(late, 0.95) * 1000:.0f}"
        f" finish_lag_p95_ms={percentile(lags, 0.95) * 1000:.0f} poll_interval_s={POLL_INTERVAL_S:g}"
        f" double_polls={figures.double_polls} billed_twice={figures.billed_twice} speedup={speedup:.1f}"
        f" db_core={cores.get('database', -1):.3f} pump_ms_per_poll={pump_ms:.2f} bare_get_ms={get_ms:.2f}"
    )
    bad = (figures.double_polls, figures.billed_twice, figures.event_gaps, clips - watch.collected)
    return int(any(bad))


def _cores(share: Share | None) -> str:
    if share is None:
        return "not measured: not all were in flight at once"
    return ", ".join(f"{role} {core:.3f}" for role, core in sorted(share.cores.items()) if core >= 0.001)


def _spread(values: list[float]) -> str:
    from benchmarks.load.reading import percentile

    return ", ".join(
        f"{name} {percentile(values, share) * 1000:.0f}" for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
    )


if __name__ == "__main__":
    raise SystemExit(main())
