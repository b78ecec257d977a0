"""When to ask a vendor next. Pure: measured durations in, seconds out."""

LEAST_MEASURED = 5  # durations before they are trusted
FROM_EARLY = 0.9  # of the earliest usual end: one in ten ends before it
UNTIL_LATE = 1.5  # of the latest usual end: what was measured so far are the quick ones
CEILING = 6.0  # the longest interval, as a multiple of the usual one
CEILING_WITH_PROGRESS = 2.0  # where the vendor tells progress that people watch


def next_poll_s(
    *,
    base_s: float,
    age_s: float,
    early_s: float | None,
    late_s: float | None,
    measured: int,
    tells_progress: bool = False,
) -> float:
    """Return the seconds to the next poll of a task accepted ``age_s`` ago.

    Well before the earliest usual end (10th percentile) nothing is asked, up to the ceiling; from there to well after
    the latest usual end (90th) the interval is the usual one, so that an end is seen within it; then it grows again.
    """
    if measured < LEAST_MEASURED or early_s is None or late_s is None:
        return base_s
    ceiling = base_s * (CEILING_WITH_PROGRESS if tells_progress else CEILING)
    first, last = FROM_EARLY * early_s, UNTIL_LATE * max(late_s, base_s)
    if age_s < first:
        return min(ceiling, max(base_s, first - age_s))
    if age_s <= last:
        return base_s
    return min(ceiling, base_s * (age_s / last) ** 2)
