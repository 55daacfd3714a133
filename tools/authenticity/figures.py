"""How good scores are: area under the ROC curve, expected calibration error."""

import numpy as np

from services.discovery.authenticity.columns import Floats

BINS = 10


def auc(fake: Floats, scores: Floats) -> float:
    """The chance that a fake account scores above an honest one; ties count half."""
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    bad = int(fake.sum())
    good = len(fake) - bad
    return float((ranks[fake == 1].sum() - bad * (bad + 1) / 2) / (bad * good))


def ece(fake: Floats, chances: Floats) -> float:
    """Mean distance between told chances and shares of fakes in ten bins of equal width, weighted by accounts."""
    bins = np.minimum((chances * BINS).astype(int), BINS - 1)
    total = 0.0
    for one in range(BINS):
        held = bins == one
        if held.any():
            total += held.mean() * abs(chances[held].mean() - fake[held].mean())
    return float(total)
