"""Jumps in a series of follower counts: gains that are far over what the account's other days allow, and that leave no tail.

An audience that finds a creator by a post that spreads comes over days, fewer each day; bought followers come at once.
"""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from services.discovery.authenticity.columns import Floats
from services.discovery.domain.authenticity.evidence import JUMPS_LIMIT, Growth, Jump

POINTS = 8
"""Fewer counts tell no habit."""
POINTS_LIMIT = 400
SPREADS, LEAST_SHARE = 8.0, 0.015
"""A jump is over the median day by so many spreads, and over this part of the followers before it."""
TAIL = 0.12
"""What follows a jump in the next gains together, as a part of it, where an audience came by itself at least."""
TAIL_GAINS = 3
DAY_S = 86_400.0
NORMAL = 1.4826
"""Of a normal distribution: standard deviation by median absolute deviation."""


def growth_of(series: Sequence[tuple[datetime, int]]) -> Growth | None:
    """The growth that the counts (UTC times, in order, each time once) show; None for fewer than POINTS."""
    if len(series) < POINTS:
        return None
    newest = series[-POINTS_LIMIT:]
    times = np.array([at.timestamp() for at, _ in newest]) / DAY_S
    counts = np.array([count for _, count in newest], dtype=float)
    gaps = np.maximum(np.diff(times), 1 / 24)
    expected = _expected(np.diff(counts) / gaps, counts[:-1]) * np.maximum(gaps, 1.0)
    gains = np.diff(counts)
    over = [int(place) for place in np.flatnonzero(gains > expected)]
    odd = [place for place in over if _is_abrupt(gains, place)]
    jumps = tuple(Jump(newest[place + 1][0].date(), int(gains[place]), int(expected[place])) for place in odd)
    bought = sum(one.gained - one.expected_max for one in jumps)
    share = min(10_000, int(10_000 * bought / max(counts[-1], 1.0)))
    largest = sorted(sorted(jumps, key=lambda one: -one.gained)[:JUMPS_LIMIT], key=lambda one: one.day)
    return Growth(len(newest), int(times[-1] - times[0]), share, tuple(largest))


def _expected(a_day: Floats, followers: Floats) -> Floats:
    """The most that a day may bring."""
    middle = float(np.median(a_day))
    spread = NORMAL * float(np.median(np.abs(a_day - middle)))
    return np.asarray(np.maximum(middle + SPREADS * spread, LEAST_SHARE * followers + max(middle, 0.0)))


def _is_abrupt(gains: Floats, place: int) -> bool:
    """Nothing over the usual came in the days after, as it does behind a post that spreads; the newest gain has no after."""
    usual = float(np.median(gains))
    after = gains[place + 1 : place + 1 + TAIL_GAINS]
    before = gains[max(0, place - TAIL_GAINS) : place]
    around = [float(np.clip(part - usual, 0.0, None).sum()) for part in (after, before)]
    return len(after) > 0 and max(around) < TAIL * float(gains[place] - usual)
