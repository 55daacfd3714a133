"""The share of fakes among accounts: scores of a place with few fakes are too low where there are many, and the other way.

Expectation maximisation over the prior (Saerens, Latinne and Decaestecker 2002): the odds between the classes stay, the share
moves until it is the mean of the scores. A place's own labels are better where there are any.
"""

from dataclasses import dataclass

import numpy as np

from services.discovery.authenticity.columns import Floats

ENOUGH = 100
"""Fewer accounts keep the share of the training accounts."""
LOWEST, HIGHEST = 0.005, 0.9
ROUNDS = 200
Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Share:
    """A share 0..1 of fakes with its interval of 95 %."""

    share: float
    low: float
    high: float


def probabilities(log_odds: Floats, trained: float, share: float) -> Floats:
    """Chances to be fake in a place where `share` of the accounts are, of log odds from a place where `trained` were."""
    moved = log_odds + np.log(share / (1 - share)) - np.log(trained / (1 - trained))
    return np.asarray(1 / (1 + np.exp(-np.clip(moved, -30, 30))))


def estimated_share(log_odds: Floats, trained: float) -> float:
    """The share that explains the scores best; `trained` for fewer than ENOUGH accounts.

    Scores that do not tell fakes from others here would let the share run away: then it stays near `trained`.
    """
    if len(log_odds) < ENOUGH:
        return trained
    share = trained
    for _ in range(ROUNDS):
        after = float(np.clip(probabilities(log_odds, trained, share).mean(), LOWEST, HIGHEST))
        if abs(after - share) < 1e-6:
            break
        share = after
    trust = _trust(probabilities(log_odds, trained, share), rises=share > trained)
    return _moved(trained, share, trust)


def _trust(chances: Floats, rises: bool) -> float:
    """0..1 by how far the chances lie apart: the part of the variance of being fake that they explain.

    A share that rises over its due accuses honest accounts, so it takes clearer scores than one that falls.
    """
    mean = float(chances.mean())
    explained = 1 - float((chances * (1 - chances)).mean()) / (mean * (1 - mean))
    nothing, full = (0.35, 0.5) if rises else (0.0, 0.2)
    return float(np.clip((explained - nothing) / (full - nothing), 0.0, 1.0))


def _moved(trained: float, share: float, trust: float) -> float:
    """Part of the way between two shares, in log odds."""
    here, there = (np.log(one / (1 - one)) for one in (trained, share))
    return float(1 / (1 + np.exp(-(here + trust * (there - here)))))


def interval(chances: Floats, calibration_error: float) -> Share:
    """The share of fakes among all from a sample's chances: sampling error, and the error of the chances, added."""
    count, share = len(chances), float(chances.mean())
    spread = Z95 * float(np.sqrt((chances * (1 - chances)).sum() / count**2 + chances.var() / count))
    bound = spread + calibration_error
    return Share(share, max(0.0, share - bound), min(1.0, share + bound))
