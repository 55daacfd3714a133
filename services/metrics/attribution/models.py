"""The models of attribution, each a pure function of the paths: how orders and their value are shared among channels.

| model | who gets credit | source |
| --- | --- | --- |
| `last_click@1` | the last touch | the rule that money goes by (evidence.py) |
| `first_click@1` | the first touch | - |
| `linear@1` | every touch alike | - |
| `time_decay@1` | a touch half as much as one that came HALF_LIFE_S later | Google Analytics' default half-life |
| `position@1` | 40 % first, 40 % last, 20 % those between alike; two alike | the "U-shaped" rule |
| `shapley@1` | the channels of a path alike, however often each was touched | Zhao, Mahboobi, Bagheri 2018, "simplified" |
| `markov@1` | by the removal effect in a chain of first order | Anderl, Becker, von Wangenheim, Schumann 2016 |

Shapley's value is exact for the game in which a set of channels earns every path that touches no other channel. The removal
effect is exact as well: by the chain's fundamental matrix, where a removed channel leads to no order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from kernel.core.money import split_by_weights
from services.metrics.attribution.paths import Floats, Ints, Paths
from services.metrics.domain.attribution import Model

HALF_LIFE_S = 7 * 24 * 3600
ENDS = 0.4
"""Share of the first touch, and of the last, under `position@1`."""
WEIGHT_STEPS = 10**12
"""Shares are whole numbers of so many parts where money is split exactly."""


@dataclass(frozen=True, slots=True)
class Credits:
    """By channel: `orders` as fractions that sum to the orders, `value_minor` as exact parts that sum to their value."""

    orders: Floats
    value_minor: tuple[int, ...]


def first_click(paths: Paths, amount: Ints) -> Floats:
    return paths.summed(paths.channel[paths.starts[:-1]], amount)


def last_click(paths: Paths, amount: Ints) -> Floats:
    return paths.summed(paths.channel[paths.starts[1:] - 1], amount)


def linear(paths: Paths, amount: Ints) -> Floats:
    return paths.shared(np.ones(len(paths.channel)), amount)


def time_decay(paths: Paths, amount: Ints) -> Floats:
    """Ages count from the path's newest touch: a weight of very old touches alone would vanish."""
    newest = np.minimum.reduceat(paths.age_s, paths.starts[:-1])
    return paths.shared(np.exp2(-(paths.age_s - np.repeat(newest, paths.lengths)) / HALF_LIFE_S), amount)


def position(paths: Paths, amount: Ints) -> Floats:
    length = np.repeat(paths.lengths, paths.lengths)
    is_end = (paths.place == 0) | (paths.place == length - 1)
    between = (1 - 2 * ENDS) / np.maximum(length - 2, 1)
    return paths.shared(np.where(is_end, ENDS, between), amount)


def shapley(paths: Paths, amount: Ints) -> Floats:
    key = np.sort(paths.path * paths.channels + paths.channel)
    path, channel = np.divmod(key[np.diff(key, prepend=-1) > 0], paths.channels)
    part = amount / np.bincount(path, minlength=len(paths))
    return paths.summed(channel, part[path])


def markov(paths: Paths, amount: Ints) -> Floats:
    """The whole amount, shared by removal effects."""
    effects = removal_effects(paths)
    whole = effects.sum()
    return effects * (amount.sum() / whole) if whole else effects


def removal_effects(paths: Paths) -> Floats:
    """By channel: how much of the chance of an order is lost when nobody gets past the channel. Shape (channels,), 0..1.

    With s the chances of the first touch, Q those from channel to channel, r those from a channel to an order, and
    N = (I - Q)^-1: the chance of an order is s N r; a path comes to channel k with chance (s N)_k / N_kk, and leads on from
    there to an order with (N r)_k.
    """
    count, first, last = paths.channels, paths.starts[:-1], paths.starts[1:] - 1
    times = paths.orders + paths.lost
    start = paths.summed(paths.channel[first], times)
    inner = np.ones(len(paths.channel), bool)
    inner[last] = False
    at = np.flatnonzero(inner)
    moves = np.bincount(
        paths.channel[at] * count + paths.channel[at + 1], times[paths.path[at]], count * count
    ).reshape(count, count)
    won = paths.summed(paths.channel[last], paths.orders)
    lost = paths.summed(paths.channel[last], paths.lost)
    leaving = np.maximum(moves.sum(1) + won + lost, 1)
    fundamental = np.linalg.inv(np.eye(count) - moves / leaving[:, None])
    onward = fundamental @ (won / leaving)
    chance = start @ onward
    if not chance:
        return np.zeros(count)
    effects: Floats = (start @ fundamental) / np.diagonal(fundamental) * onward / chance
    return effects


MODELS: Mapping[Model, Callable[[Paths, Ints], Floats]] = {
    Model.LAST_CLICK: last_click,
    Model.FIRST_CLICK: first_click,
    Model.LINEAR: linear,
    Model.TIME_DECAY: time_decay,
    Model.POSITION: position,
    Model.SHAPLEY: shapley,
    Model.MARKOV: markov,
}


def credited(model: Model, paths: Paths) -> Credits:
    """What each channel is credited with under the model; nothing where no path led to an order."""
    if not paths.orders.any():
        return Credits(np.zeros(paths.channels), (0,) * paths.channels)
    share = MODELS[model]
    return Credits(share(paths, paths.orders), _exact(share(paths, paths.value_minor), int(paths.value_minor.sum())))


def _exact(value: Floats, whole_minor: int) -> tuple[int, ...]:
    """The parts rounded so that they sum to the whole, by the largest remainder."""
    total = value.sum()
    if not whole_minor or not total:
        return (0,) * len(value)
    weights = [(f"{at:08d}", round(part / total * WEIGHT_STEPS)) for at, part in enumerate(value.tolist())]
    parts = split_by_weights(whole_minor, weights)
    return tuple(parts[key] for key, _ in weights)
