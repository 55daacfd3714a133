"""From evidence to a score: each signal's suspicion between two thresholds, by its weight; formula `authenticity@1`.

Suspicions are combined as independent doubts: score = 100 x product of (1 - weight x suspicion). No weight is over 60 %, so no
signal alone brings a creator to `fraud`. The range says what the sampling error of each signal and the signals that nobody has
measured leave open.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from kernel.core.money import BASIS_POINTS
from services.discovery.domain.authenticity.evidence import Evidence

FORMULA = "authenticity@1"
UNMEASURED = 25
"""Suspicion that the lower end of the range has of each signal that nobody measured."""
CERTAIN = 100


class Signal(StrEnum):
    """What is looked at; the order is that of pages."""

    FOLLOWERS = "followers"
    GROWTH = "growth"
    ENGAGEMENT = "engagement"
    LIKES = "likes"
    SAMENESS = "sameness"
    CIRCLE = "circle"
    GEOGRAPHY = "geography"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured, and between which values the truth lies; basis points. `size`: of what it was measured on."""

    value: int
    low: int
    high: int
    size: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """No suspicion up to `clear`, full suspicion from `full` on (basis points); `least` is the smallest size that counts."""

    weight: int
    clear: int
    full: int
    least: int
    measure: Callable[[Evidence], Measure | None]

    def suspicion(self, value: int) -> int:
        """0..100, straight between the thresholds."""
        return max(0, min(CERTAIN, (value - self.clear) * CERTAIN // (self.full - self.clear)))


@dataclass(frozen=True, slots=True)
class Weighed:
    """A signal as it was weighed: measured value, thresholds and range in basis points; weight and suspicions in 0..100."""

    signal: Signal
    value_bps: int
    low_bps: int
    high_bps: int
    size: int
    clear_bps: int
    full_bps: int
    weight: int
    suspicion: int
    suspicion_low: int
    suspicion_high: int


@dataclass(frozen=True, slots=True)
class Score:
    """0 (nothing is genuine) to 100 with its range, and every signal that it is made of."""

    score: int
    low: int
    high: int
    signals: tuple[Weighed, ...]
    formula: str = FORMULA


def _share(value: int, size: int) -> Measure:
    """A share with its interval: 1 / sqrt(size) to each side, which no share's 95 % interval is wider than."""
    spread = BASIS_POINTS // max(1, _root(size))
    return Measure(value, max(0, value - spread), min(BASIS_POINTS, value + spread), size)


def _root(size: int) -> int:
    """The whole square root."""
    root = 1
    while (root + 1) * (root + 1) <= size:
        root += 1
    return root


def _followers(evidence: Evidence) -> Measure | None:
    told = evidence.followers
    return Measure(told.fake_bps, told.low_bps, told.high_bps, told.sample_size) if told else None


def _growth(evidence: Evidence) -> Measure | None:
    told = evidence.growth
    return Measure(told.jump_bps, told.jump_bps * 9 // 10, told.jump_bps * 11 // 10, told.points) if told else None


def _engagement(evidence: Evidence) -> Measure | None:
    """How many times (10,000: once) the rate is under the band, or half so many times over it: virality is honest."""
    told = evidence.engagement
    if told is None:
        return None
    under = told.low_bps * BASIS_POINTS // max(1, told.rate_bps)
    over = told.rate_bps * BASIS_POINTS // max(1, 2 * told.high_bps)
    times = max(under, over)
    return Measure(times, times * 9 // 10, times * 11 // 10, told.peers)


def _likes(evidence: Evidence) -> Measure | None:
    told = evidence.likes
    return _share(told.odd_bps, 4 * told.posts) if told else None


def _sameness(evidence: Evidence) -> Measure | None:
    told = evidence.comments
    return _share(told.same_bps, told.comments) if told else None


def _circle(evidence: Evidence) -> Measure | None:
    told = evidence.comments
    return _share(told.circle_bps, told.comments) if told else None


def _geography(evidence: Evidence) -> Measure | None:
    told = evidence.geography
    return _share(told.elsewhere_bps, told.sample_size) if told else None


def _account(evidence: Evidence) -> Measure | None:
    told = evidence.account
    return _share(told.chance_bps, ONE_ACCOUNT) if told else None


ONE_ACCOUNT = 100
"""A chance is taken to be true to a tenth."""
THRESHOLDS: dict[Signal, Threshold] = {
    Signal.FOLLOWERS: Threshold(60, 1_500, 4_500, 100, _followers),
    Signal.GROWTH: Threshold(60, 200, 1_200, 8, _growth),
    Signal.ENGAGEMENT: Threshold(35, 11_000, 40_000, 30, _engagement),
    Signal.LIKES: Threshold(60, 1_300, 2_300, 80, _likes),
    Signal.SAMENESS: Threshold(45, 1_500, 5_000, 50, _sameness),
    Signal.CIRCLE: Threshold(60, 2_500, 6_000, 50, _circle),
    Signal.GEOGRAPHY: Threshold(30, 4_000, 8_500, 100, _geography),
    Signal.ACCOUNT: Threshold(25, 5_000, 9_000, 1, _account),
}


def weigh(evidence: Evidence) -> Score:
    """The score; 100 with a wide range where nothing is known."""
    found = tuple(_weighed(evidence))
    known = {one.signal for one in found}
    unknown = [(one.weight, UNMEASURED) for signal, one in THRESHOLDS.items() if signal not in known]
    return Score(
        _left((one.weight, one.suspicion) for one in found),
        _left([*((one.weight, one.suspicion_high) for one in found), *unknown]),
        _left((one.weight, one.suspicion_low) for one in found),
        found,
    )


def _weighed(evidence: Evidence) -> Iterable[Weighed]:
    for signal, threshold in THRESHOLDS.items():
        found = threshold.measure(evidence)
        if found is not None and found.size >= threshold.least:
            yield _weighed_by(signal, threshold, found)


def _weighed_by(signal: Signal, threshold: Threshold, found: Measure) -> Weighed:
    return Weighed(
        signal=signal,
        value_bps=found.value,
        low_bps=found.low,
        high_bps=found.high,
        size=found.size,
        clear_bps=threshold.clear,
        full_bps=threshold.full,
        weight=threshold.weight,
        suspicion=threshold.suspicion(found.value),
        suspicion_low=threshold.suspicion(found.low),
        suspicion_high=threshold.suspicion(found.high),
    )


def _left(doubts: Iterable[tuple[int, int]]) -> int:
    """What of 100 is left after each doubt (weight and suspicion in 0..100)."""
    left = 10**6
    for weight, suspicion in doubts:
        left = left * (BASIS_POINTS - weight * suspicion) // BASIS_POINTS
    return left // 10**4
