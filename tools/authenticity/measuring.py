"""What the model can do, measured on accounts that it was not fitted on: folds, other groups, other shares, other columns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.discovery.authenticity.base_rate import estimated_share, probabilities
from services.discovery.authenticity.columns import Floats, Profiles
from services.discovery.authenticity.rule import points
from services.discovery.authenticity.scorecard import Model, score
from tools.authenticity.accounts import part, without
from tools.authenticity.figures import auc, ece
from tools.authenticity.fit import fit

SEEDS, FOLDS = (1, 2, 3), 5


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the card; `rule_auc` is the five-point rule's on the same accounts."""

    told: str
    accounts: int
    fakes: int
    auc: float
    ece: float
    rule_auc: float


def held_out(profiles: Profiles, fake: Floats, seed: int) -> tuple[Floats, Floats]:
    """Log odds and chances of each account by a model that was fitted without its fold."""
    folds, odds, chances = _folds(fake, seed), np.zeros(len(fake)), np.zeros(len(fake))
    for fold in range(FOLDS):
        out = folds == fold
        made = fit(part(profiles, ~out), fake[~out])
        found = score(part(profiles, out), made.trained, made)
        odds[out], chances[out] = found.log_odds, found.chances
    return odds, chances


def _folds(fake: Floats, seed: int) -> Floats:
    """Each fold with its part of the fakes."""
    order = np.random.default_rng(seed)
    folds = np.zeros(len(fake))
    for kind in (0, 1):
        rows = order.permutation(np.flatnonzero(fake == kind))
        folds[rows] = np.arange(len(rows)) % FOLDS
    return folds


def in_domain(profiles: Profiles, fake: Floats) -> Figure:
    """Means over five folds by three seeds."""
    runs = [held_out(profiles, fake, seed) for seed in SEEDS]
    areas, errors = [auc(fake, odds) for odds, _ in runs], [ece(fake, chances) for _, chances in runs]
    told = f"held out, {FOLDS} folds, mean of seeds {', '.join(map(str, SEEDS))}"
    return _figure(told, profiles, fake, float(np.mean(areas)), float(np.mean(errors)))


def _figure(told: str, profiles: Profiles, fake: Floats, area: float, error: float) -> Figure:
    return Figure(told, len(fake), int(fake.sum()), area, error, auc(fake, points(profiles)))


def _on(told: str, made: Model, profiles: Profiles, fake: Floats) -> Figure:
    """Accounts of another place: their share of fakes is estimated from themselves."""
    found = score(profiles, None, made)
    return _figure(told, profiles, fake, auc(fake, found.log_odds), ece(fake, found.chances))


GROUPS: tuple[tuple[str, Callable[[Profiles], NDArray[np.bool_]]], ...] = (
    ("accounts with more than 373 followers", lambda one: one.column("followers") > 373),
    ("accounts that follow more than 669", lambda one: one.column("following") > 669),
    ("accounts with more than 59 posts", lambda one: one.column("posts") > 59),
)
"""Halves of the training accounts, at medians: each is a place of another size to a model that saw only the other half."""


def across_groups(profiles: Profiles, fake: Floats) -> Iterator[Figure]:
    for told, belongs in GROUPS:
        inside = belongs(profiles)
        for name, seen in ((f"fitted without: {told}", ~inside), (f"fitted on nothing but: {told}", inside)):
            yield _on(name, fit(part(profiles, seen), fake[seen]), part(profiles, ~seen), fake[~seen])


def at_shares(profiles: Profiles, fake: Floats) -> Iterator[Figure]:
    """Held-out scores where honest or fake accounts were left out until this share of the rest is fake."""
    odds, _ = held_out(profiles, fake, SEEDS[0])
    draw = np.random.default_rng(SEEDS[0])
    for share in (0.03, 0.2, 0.5):
        kept = _kept(fake, share, draw)
        made = fit(profiles, fake)
        chances = _rescaled(odds[kept], made.trained)
        told = f"held out, {share:.0%} of the accounts are fake"
        yield _figure(told, part(profiles, kept), fake[kept], auc(fake[kept], odds[kept]), ece(fake[kept], chances))


def _kept(fake: Floats, share: float, draw: np.random.Generator) -> Floats:
    bad, good = np.flatnonzero(fake == 1), np.flatnonzero(fake == 0)
    count = min(len(bad), int(len(good) * share / (1 - share)))
    others = min(len(good), int(count * (1 - share) / share))
    return np.concatenate([draw.permutation(bad)[:count], draw.permutation(good)[:others]])


def _rescaled(odds: Floats, trained: float) -> Floats:
    return probabilities(odds, trained, estimated_share(odds, trained))


def with_less(profiles: Profiles, fake: Floats) -> Iterator[Figure]:
    """Held out, where a file lacks columns."""
    lacking = (("has_picture",), ("username_digits",), ("posts",), ("following",), ("followers",))
    for gone in (*lacking, ("has_picture", "username_digits")):
        fewer = without(profiles, *gone)
        odds, chances = held_out(fewer, fake, SEEDS[0])
        yield _figure(f"held out, without {' and '.join(gone)}", fewer, fake, auc(fake, odds), ece(fake, chances))


COUNTS = ("followers", "following", "posts")


def at_scales(profiles: Profiles, fake: Floats) -> Iterator[Figure]:
    """Held out, where every count is three times as large or as small: another platform's habits."""
    for told, factor in (("three times as large", 3.0), ("a third", 1 / 3)):
        scaled = {name: profiles.column(name) * factor for name in COUNTS}
        other = Profiles({**profiles.values, **scaled}, profiles.rows)
        folds, odds = _folds(fake, SEEDS[0]), np.zeros(len(fake))
        for fold in range(FOLDS):
            out = folds == fold
            made = fit(part(profiles, ~out), fake[~out])
            odds[out] = score(part(other, out), made.trained, made).log_odds
        chances = _rescaled(odds, float(fake.mean()))
        yield _figure(f"held out, all counts {told}", other, fake, auc(fake, odds), ece(fake, chances))
