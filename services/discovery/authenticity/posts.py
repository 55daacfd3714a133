"""Bought likes in a series of posts: likes come without the comments that go with them.

Chance puts as many posts far over the usual ratio as far under it; what is over beyond that was pushed.
Likes that were bought for every post alike change no ratio between posts and are not seen here; nor is a third more.
"""

from collections.abc import Sequence

import numpy as np

from services.discovery.authenticity.columns import Floats
from services.discovery.authenticity.growth import NORMAL
from services.discovery.domain.authenticity.evidence import Likes

POSTS, POSTS_LIMIT = 20, 500
SPREADS, LEAST_SPREAD = 2.2, 0.25
"""A post is far off when it is so many spreads from the middle; a spread is at least a quarter in logarithms."""


def likes_of(posts: Sequence[tuple[int, int]]) -> Likes | None:
    """What likes and comments of posts (the newest POSTS_LIMIT) say; None for fewer than POSTS."""
    if len(posts) < POSTS:
        return None
    newest = np.array(posts[-POSTS_LIMIT:], dtype=float)
    ratio = np.log1p(newest[:, 0]) - np.log1p(newest[:, 1])
    middle, spread = _lower_half(ratio)
    bound = SPREADS * max(spread, LEAST_SPREAD)
    over, under = float((ratio > middle + bound).mean()), float((ratio < middle - bound).mean())
    return Likes(len(newest), round(10_000 * max(0.0, over - under)))


def _lower_half(ratio: Floats) -> tuple[float, float]:
    """Middle and spread of what is honest, when up to a half was pushed up: by the posts below the lower median."""
    middle = float(np.quantile(ratio, 0.4))
    below = middle - ratio[ratio <= middle]
    return middle, NORMAL * float(np.median(below))
