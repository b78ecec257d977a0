"""What does not fit and what would make it fit, as values that a form can apply with one click."""

from collections.abc import Sequence

from genengine.core.money import MICRO, format_micro
from jobs.routing.types import Fix, FixKind, Problem, Profile

CENT = MICRO // 100
QUARTER_HOUR = 900


def over_cap_problem(*, by_branch: Sequence[int], least_micro: int, cap_micro: int) -> Problem | None:
    """Return the problem when the upper prices of the variants pass the cap together.

    `least_micro` is what one variant costs with the cheapest model that can make each scene.
    """
    needed = sum(by_branch)
    if needed <= cap_micro:
        return None
    fixes = [
        _fewer_variants(by_branch, cap_micro),
        _cheaper(least_micro * len(by_branch), cap_micro),
        _raise_cap(needed),
    ]
    return Problem(
        "over_cap",
        f"{_variants(len(by_branch))} may cost up to {format_micro(needed)} and the budget is"
        f" {format_micro(cap_micro)}.",
        tuple(fix for fix in fixes if fix is not None),
    )


def deadline_problem(*, expected_s: int, seconds_left: int | None, variants: int) -> Problem | None:
    """Return the problem when the plan is not expected to be ready by the deadline."""
    if seconds_left is None or expected_s <= seconds_left:
        return None
    late = expected_s - max(0, seconds_left)
    extra = -(-late // QUARTER_HOUR) * QUARTER_HOUR
    fixes = [Fix(FixKind.LONGER_DEADLINE, f"Move the deadline by {extra // 60} minutes.", seconds=extra)]
    if variants > 1:
        fixes.append(Fix(FixKind.FEWER_VARIANTS, "Make one variant.", variants=1))
    left = f"in {_time(seconds_left)}" if seconds_left > 0 else "over"
    return Problem(
        "past_deadline", f"The plan takes about {_time(expected_s)} and the deadline is {left}.", tuple(fixes)
    )


def _fewer_variants(by_branch: Sequence[int], cap_micro: int) -> Fix | None:
    total, holds = 0, 0
    for price in by_branch:
        total += price
        if total > cap_micro:
            break
        holds += 1
    if not holds:
        return None
    return Fix(FixKind.FEWER_VARIANTS, f"Make {_variants(holds)} instead of {len(by_branch)}.", variants=holds)


def _cheaper(total_micro: int, cap_micro: int) -> Fix | None:
    if total_micro > cap_micro:
        return None
    price = f"up to {format_micro(total_micro)}" if total_micro else "free"
    return Fix(
        FixKind.CHEAPER_MODEL,
        f"Use the cheapest model that can make each scene ({price}).",
        profile=Profile.ECONOMY,
    )


def _raise_cap(needed_micro: int) -> Fix:
    cap = -(-needed_micro // CENT) * CENT
    return Fix(FixKind.RAISE_CAP, f"Raise the budget to {format_micro(cap)}.", cap_micro=cap)


def _variants(count: int) -> str:
    return "1 variant" if count == 1 else f"{count} variants"


def _time(seconds: int) -> str:
    return f"{round(seconds / 60)} minutes" if seconds >= 90 else f"{seconds} seconds"
