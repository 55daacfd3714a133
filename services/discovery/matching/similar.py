"""Creators like one to five others: each compared with the nearest seed in every part, and the parts told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.discovery.domain.state import State
from services.discovery.matching.encoder import Vector
from services.discovery.matching.parts import (
    Part,
    audiences_alike,
    categories,
    near,
    overlap,
    parts,
    price_level,
    prices_alike,
    score,
    shares,
    style,
)

SEEDS_LIMIT = 5
WEIGHTS: Mapping[str, float] = {
    "style": 0.3, "category": 0.2, "audience": 0.2, "size": 0.1, "price": 0.1, "engagement": 0.05, "platform": 0.05,
}  # fmt: skip
"""What makes creators alike: chosen, not learned; the answer shows them."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A creator as it is compared."""

    creator_id: str
    state: State
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class Likeness:
    """A creator with its score 0..1 and the parts that it comes from."""

    creator_id: str
    score: float
    parts: Sequence[Part]


def most_alike(seeds: Sequence[Compared], others: Sequence[Compared], at: datetime, size: int) -> list[Likeness]:
    """The most alike first; seeds are not in it."""
    known = {one.creator_id for one in seeds}
    made = [_likeness(seeds, one, at) for one in others if one.creator_id not in known]
    return sorted(made, key=lambda one: (-one.score, one.creator_id))[:size]


def _likeness(seeds: Sequence[Compared], other: Compared, at: datetime) -> Likeness:
    """With several seeds a part is that of the seed that is nearest in it."""
    values = [_compared(seed, other, at) for seed in seeds]
    nearest: dict[str, float | None] = {}
    for name in WEIGHTS:
        told = [value for one in values if (value := one[name]) is not None]
        nearest[name] = max(told) if told else None
    made = parts(nearest, WEIGHTS)
    return Likeness(other.creator_id, score(made), made)


def _compared(seed: Compared, other: Compared, at: datetime) -> dict[str, float | None]:
    mine, theirs = seed.state, other.state
    platforms = [[one.platform.value for one in state.accounts] for state in (mine, theirs)]
    return {
        "style": style(seed.vector, other.vector),
        "category": overlap(categories(mine), categories(theirs)),
        "audience": audiences_alike(shares(mine), shares(theirs)),
        "size": near(mine.largest_followers(), theirs.largest_followers()),
        "price": prices_alike(price_level(mine, at), price_level(theirs, at)),
        "engagement": near(mine.engagement_rate_bps(), theirs.engagement_rate_bps()),
        "platform": overlap(*platforms),
    }
