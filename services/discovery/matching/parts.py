"""What two creators, or a creator and a brief, have in common: parts of 0..1, each None where it is not known. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from services.discovery.domain.audience import AudienceKind
from services.discovery.domain.categories import first_level
from services.discovery.domain.rate_card import quote
from services.discovery.domain.state import State

DIMENSIONS = ("gender", "ages", "locations", "interests")
WHOLE = 10_000
NEUTRAL = 0.5
"""What is not known counts as neither good nor bad."""
STYLE_FLOOR, STYLE_TOP = 0.1, 0.7
"""Cosines of texts that have nothing in common, and of those that say the same: the encoder's own scale."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score: `value` 0..1 counts with `weight` (all weights together are 1)."""

    name: str
    value: float | None
    weight: float

    @property
    def points(self) -> float:
        return self.weight * (NEUTRAL if self.value is None else self.value)


def parts(values: Mapping[str, float | None], weights: Mapping[str, float]) -> list[Part]:
    """In the order of the weights, which are made to sum to 1."""
    total = sum(weights.values()) or 1.0
    return [Part(name, values.get(name), weight / total) for name, weight in weights.items()]


def score(made: Iterable[Part]) -> float:
    return sum(one.points for one in made)


def style(one: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> float | None:
    """How near two texts are in what they say."""
    if one is None or other is None:
        return None
    return clipped((float(one @ other) - STYLE_FLOOR) / (STYLE_TOP - STYLE_FLOOR))


def clipped(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def shares(state: State) -> dict[str, dict[str, float]]:
    """Of its viewers, else its followers, by dimension and value."""
    audience = state.audience_of(AudienceKind.VIEWERS) or state.audience_of(AudienceKind.FOLLOWERS)
    if audience is None:
        return {}
    found = {name: {one.name: one.bps / WHOLE for one in getattr(audience, name)} for name in DIMENSIONS}
    return {name: told for name, told in found.items() if told}


def audiences_alike(one: Mapping[str, Mapping[str, float]], other: Mapping[str, Mapping[str, float]]) -> float | None:
    """The part of the two audiences that is distributed alike, a mean over the dimensions that both tell."""
    both = [name for name in one if name in other]
    if not both:
        return None
    return sum(_told_alike(one[name], other[name]) for name in both) / len(both)


def _told_alike(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Of what the fuller of the two tells."""
    whole = max(sum(one.values()), sum(other.values()))
    return clipped(sum(min(share, other.get(value, 0.0)) for value, share in one.items()) / whole) if whole else 0.0


def overlap(one: Iterable[str], other: Iterable[str]) -> float | None:
    """The common part of two sets of names; None where one of them is empty."""
    mine, theirs = set(one), set(other)
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else None


def near(one: float | None, other: float | None) -> float | None:
    """1 for equal sizes, 0.37 where one is e times the other."""
    if not one or not other or one <= 0 or other <= 0:
        return None
    return exp(-abs(log(one / other)))


def categories(state: State) -> set[str]:
    """Both levels."""
    profile = state.profile
    return {name for one in profile.categories for name in (one, first_level(one))} if profile else set()


def price_level(state: State, at: datetime) -> dict[str, int]:
    """Prices now, by format and currency."""
    if state.card is None:
        return {}
    priced = {one.format: quote(state.card, one.format, "", at) for one in state.card.prices}
    return {f"{kind} {state.card.currency}": price for kind, price in priced.items() if price}


def prices_alike(one: Mapping[str, int], other: Mapping[str, int]) -> float | None:
    """A mean over the formats that both sell for the same currency."""
    alike = [value for name in one if name in other and (value := near(one[name], other[name])) is not None]
    return sum(alike) / len(alike) if alike else None


def mean(values: Sequence[float | None]) -> float | None:
    """Of those that are known."""
    known = [one for one in values if one is not None]
    return sum(known) / len(known) if known else None


def percentiles(values: Mapping[str, float]) -> dict[str, float]:
    """The part of the others that each is better than; equal ones share the middle of their places."""
    if len(values) < 2:
        return dict.fromkeys(values, NEUTRAL)
    ranked = np.sort(np.array(list(values.values())))
    below = np.searchsorted(ranked, list(values.values()), side="left")
    up_to = np.searchsorted(ranked, list(values.values()), side="right")
    places = (below + up_to - 1) / 2 / (len(ranked) - 1)
    return {name: float(place) for name, place in zip(values, places, strict=True)}
