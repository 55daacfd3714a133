"""The scorecard: log odds to be fake are the sum of weights of traits. A card per set of known columns, all in model.json.

Every score can be read: `reasons` says which trait added how much. tools/authenticity trains the weights.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from services.discovery.authenticity.base_rate import estimated_share, probabilities
from services.discovery.authenticity.columns import Floats, Profiles
from services.discovery.authenticity.traits import FITTED_ON, FIXED, TRAITS, Trait, trait_values, usable

FILE = "model.json"
REASONS = 5


@dataclass(frozen=True, slots=True)
class Card:
    """Weights by trait, and the log odds of an account that has none of them."""

    base: float
    weights: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """`cards` by known columns; `trained` is the share of fakes, and `calibration_error` the ECE, among the training accounts."""

    name: str
    trained: float
    calibration_error: float
    cards: Mapping[frozenset[str], Card]


@dataclass(frozen=True, slots=True)
class Scores:
    """`chances` 0..1 that each account is fake; `share` is what was taken as the share of fakes among them."""

    log_odds: Floats
    chances: Floats
    share: float


@cache
def model() -> Model:
    """The model that is shipped; its name ends with the first digits of its bytes' SHA-256."""
    text = resources.files(__package__).joinpath(FILE).read_bytes()
    told = json.loads(text)
    cards = {frozenset(one["columns"]): Card(one["base"], one["weights"]) for one in told["cards"]}
    name = f"{told['name']}-{hashlib.sha256(text).hexdigest()[:8]}"
    return Model(name, told["trained"], told["calibration_error"], cards)


def score(profiles: Profiles, share: float | None = None, using: Model | None = None) -> Scores:
    """All accounts at once; `share` None: the share of fakes among them is estimated from themselves."""
    chosen = using or model()
    found = log_odds(profiles, chosen)
    taken = estimated_share(found, chosen.trained) if share is None else share
    return Scores(found, probabilities(found, chosen.trained, taken), taken)


def log_odds(profiles: Profiles, chosen: Model) -> Floats:
    """At the share of fakes of the training accounts."""
    total = np.zeros(profiles.rows)
    for rows, part, known in _parts(profiles):
        card = chosen.cards[known & frozenset(FITTED_ON)]
        traits = usable(TRAITS, known)
        total[rows] = card.base + trait_values(part, traits) @ np.array([card.weights[one.name] for one in traits])
    return total + _judged(profiles)


def _judged(profiles: Profiles) -> Floats:
    """What the traits of FIXED add."""
    total = np.zeros(profiles.rows)
    for one in FIXED:
        total += one.prior * np.nan_to_num(trait_values(profiles, (one,))[:, 0])
    return total


def _parts(profiles: Profiles) -> Iterator[tuple[NDArray[np.intp], Profiles, frozenset[str]]]:
    """The accounts in groups that know the same columns."""
    needed = sorted({name for trait in TRAITS for name in trait.needs})
    known = np.column_stack([~np.isnan(profiles.column(name)) for name in needed])
    codes = known @ (1 << np.arange(len(needed)))
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        names = frozenset(name for place, name in enumerate(needed) if int(code) >> place & 1)
        if not names.issuperset(("username_digits", "username_length")):
            names -= {"username_digits", "username_length"}
        yield rows, Profiles({name: profiles.values[name][rows] for name in names}, len(rows)), names


def reasons(profiles: Profiles, row: int) -> list[tuple[Trait, float]]:
    """The traits that moved one account's log odds most, largest first, with how much."""
    one = Profiles({name: column[row : row + 1] for name, column in profiles.values.items()}, 1)
    _, part, known = next(_parts(one))
    card = model().cards[known & frozenset(FITTED_ON)]
    moved = [
        (trait, card.weights[trait.name] * float(trait_values(part, (trait,))[0, 0])) for trait in usable(TRAITS, known)
    ]
    moved += [(trait, trait.prior * float(np.nan_to_num(trait_values(one, (trait,))[0, 0]))) for trait in FIXED]
    return sorted((each for each in moved if each[1]), key=lambda each: -abs(each[1]))[:REASONS]
