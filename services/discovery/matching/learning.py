"""Weights of a match learned from pairs: of two creators for one brief, who was taken and did well, and who was not.

Pairwise logistic regression over the parts, drawn towards the weights before, none below 0: no part counts against a creator.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log2

import numpy as np

from services.discovery.matching.parts import NEUTRAL

STEPS, STEP = 400, 0.5
PRIOR_PAIRS = 30.0
"""The weights before count as much as so many pairs."""
SHARPNESS = 12.0
"""How sure a difference of 1 in the score makes the choice."""
Values = Mapping[str, float | None]


def learned(pairs: Sequence[tuple[Values, Values]], before: Mapping[str, float]) -> dict[str, float]:
    """Weights that sum to 1, from pairs of (better, worse); with no pair the weights before."""
    names, total = list(before), sum(before.values())
    start = np.array([before[name] / total for name in names])
    if not pairs:
        return dict(zip(names, map(float, start), strict=True))
    apart = np.array([_row(better, names) - _row(worse, names) for better, worse in pairs])
    weights, drawn = start.copy(), PRIOR_PAIRS / (PRIOR_PAIRS + len(pairs))
    for _ in range(STEPS):
        doubt = 1 / (1 + np.exp(np.clip(SHARPNESS * (apart @ weights), -50, 50)))
        towards = SHARPNESS * (apart * doubt[:, None]).mean(axis=0) / SHARPNESS
        weights = np.clip(weights + STEP * ((1 - drawn) * towards - drawn * (weights - start)), 0, None)
        weights = weights / (weights.sum() or 1.0)
    return dict(zip(names, map(float, weights), strict=True))


def _row(values: Values, names: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([NEUTRAL if (value := values.get(name)) is None else value for name in names])


def ndcg(relevance: Sequence[float], best: Iterable[float], at: int) -> float:
    """Of a list's relevances in its order, against the best order of all: 1 where no list is better in its first `at`."""
    ideal = _gain(sorted(best, reverse=True), at)
    return _gain(relevance, at) / ideal if ideal else 1.0


def _gain(relevance: Sequence[float], at: int) -> float:
    return sum(value / log2(place + 2) for place, value in enumerate(relevance[:at]))
