"""The seven models of attribution: figures from the literature, brute force on small cases, and sums that equal the orders."""

from collections.abc import Sequence
from itertools import permutations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.faults import Invalid, Refused
from services.metrics.attribution import paths as limits
from services.metrics.attribution.models import HALF_LIFE_S, MODELS, credited, removal_effects
from services.metrics.attribution.paths import Journeys, Paths
from services.metrics.domain.attribution import Model

DAY_S = 24 * 3600
A, B, C = range(3)


def one(*channels: int, value_minor: int = 100) -> Paths:
    """A single order; the touches came a day apart, the last one at the moment of the order."""
    ages = range(len(channels) - 1, -1, -1)
    journeys = Journeys()
    journeys.add([(channel, age * DAY_S) for channel, age in zip(channels, ages, strict=True)], value_minor)
    return journeys.paths(3)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Model.LAST_CLICK, (0, 0, 100)),
        (Model.FIRST_CLICK, (100, 0, 0)),
        (Model.LINEAR, (50, 25, 25)),
        (Model.POSITION, (50, 10, 40)),
        (Model.SHAPLEY, (34, 33, 33)),
        (Model.MARKOV, (34, 33, 33)),
    ],
)
def test_a_path_is_shared_as_the_model_says(model: Model, expected: tuple[int, ...]) -> None:
    """Of A, A, B, C: linear sees four touches, Shapley three channels, and without any of them the chain leads to no order."""
    assert credited(model, one(A, A, B, C)).value_minor == expected


def test_two_touches_share_a_position_alike() -> None:
    assert credited(Model.POSITION, one(A, B)).value_minor == (50, 50, 0)


def test_a_touch_a_half_life_older_gets_half_as_much() -> None:
    journeys = Journeys()
    journeys.add([(A, 3 * HALF_LIFE_S), (B, 2 * HALF_LIFE_S)], 300)
    found = credited(Model.TIME_DECAY, journeys.paths(2))
    assert found.value_minor == (100, 200)


def test_removal_effects_are_those_of_the_published_example() -> None:
    """Bryl, "Attribution model with R" 2016: C1-C2-C3-order, C1-nothing, C2-C3-nothing gives 0.5, 1, 1 and so .2, .4, .4."""
    paths = Paths(
        3,
        np.array([A, B, C, A, B, C]),
        np.zeros(6),
        np.array([0, 3, 4, 6]),
        np.array([1, 0, 0]),
        np.array([1_000, 0, 0]),
        np.array([0, 1, 1]),
    )
    assert removal_effects(paths) == pytest.approx([0.5, 1, 1])
    assert credited(Model.MARKOV, paths).value_minor == (200, 400, 400)


CHANNELS = 4
Found = list[tuple[list[tuple[int, float]], int]]
"""(channel, age in seconds) of each touch, and what the order is worth, by order."""
journeys = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, CHANNELS - 1), st.floats(0, 90 * DAY_S)), min_size=1, max_size=6),
        st.integers(0, 10**12),
    ),
    min_size=1,
    max_size=8,
)
losses = st.lists(st.integers(0, 5), min_size=CHANNELS, max_size=CHANNELS)


def made(found: Found, lost: Sequence[int] = ()) -> Paths:
    journeys = Journeys()
    for touches, value in found:
        journeys.add(sorted(touches, key=lambda touch: -touch[1]), value)
    return journeys.paths(CHANNELS, lost)


@given(journeys, losses, st.sampled_from(Model))
def test_an_order_counts_once_and_its_value_is_shared_to_the_last_unit(
    found: Found, lost: list[int], model: Model
) -> None:
    credits = credited(model, made(found, lost))
    assert sum(credits.value_minor) == sum(value for _, value in found)
    assert credits.orders.sum() == pytest.approx(len(found))
    assert min(credits.value_minor) >= 0
    assert credits.orders.min() >= 0


@given(journeys, losses, st.sampled_from(Model), st.randoms())
def test_the_order_in_which_orders_are_read_says_nothing(
    found: Found, lost: list[int], model: Model, random: Random
) -> None:
    shuffled = random.sample(found, len(found))
    one, other = credited(model, made(found, lost)), credited(model, made(shuffled, lost))
    assert other.orders == pytest.approx(one.orders)
    assert other.value_minor == pytest.approx(one.value_minor, abs=1 + sum(one.value_minor) * 1e-9)


@given(journeys)
def test_shapley_is_the_mean_over_all_orders_of_joining(found: Found) -> None:
    """Shapley 1953, by brute force: a set of channels earns every order that touches no other channel."""
    sets = [({channel for channel, _ in touches}, value) for touches, value in found]
    joined = list(permutations(range(CHANNELS)))
    expected = [0.0] * CHANNELS
    for order in joined:
        for at, channel in enumerate(order):
            before, after = set(order[:at]), set(order[: at + 1])
            gain = sum(value for touched, value in sets if touched <= after and not touched <= before)
            expected[channel] += gain / len(joined)
    paths = made(found)
    assert MODELS[Model.SHAPLEY](paths, paths.value_minor) == pytest.approx(expected)


@given(journeys, losses)
def test_a_removal_effect_is_what_a_chain_without_the_channel_loses(found: Found, lost: list[int]) -> None:
    paths = made(found, lost)
    whole = _chance(paths, None)
    expected = [1 - _chance(paths, channel) / whole for channel in range(CHANNELS)]
    assert removal_effects(paths) == pytest.approx(expected, abs=1e-9)


def _chance(paths: Paths, removed: int | None) -> float:
    """That a journey of the chain ends in an order, by walking on until nothing is left on the way; nobody leaves `removed`."""
    here, won = np.zeros(CHANNELS), np.zeros(CHANNELS)
    moves = np.zeros((CHANNELS, CHANNELS))
    leaving = np.zeros(CHANNELS)
    for at in range(len(paths)):
        channels = paths.channel[paths.starts[at] : paths.starts[at + 1]]
        times = paths.orders[at] + paths.lost[at]
        here[channels[0]] += times
        won[channels[-1]] += paths.orders[at]
        np.add.at(leaving, channels, times)
        np.add.at(moves, (channels[:-1], channels[1:]), times)
    begun, ended = here.sum(), 0.0
    leaving = np.maximum(leaving, 1)
    while here.sum() > begun * 1e-14:
        if removed is not None:
            here[removed] = 0
        ended += float(here @ (won / leaving))
        here = here @ (moves / leaving[:, None])
    return ended / float(begun)


def test_no_order_is_nobody_s() -> None:
    paths = Journeys().paths(2, [3, 1])
    assert [credited(model, paths).value_minor for model in Model] == [(0, 0)] * len(Model)


def test_more_channels_than_a_matrix_can_hold_are_refused() -> None:
    with pytest.raises(Invalid, match=r"attribution\.too_many_channels"):
        Journeys().paths(limits.CHANNELS_LIMIT + 1, [1])


@pytest.mark.parametrize("name", ["PATHS_LIMIT", "TOUCHES_LIMIT"])
def test_more_orders_than_fit_into_memory_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, name, 2)
    journeys = Journeys()
    journeys.add([(A, 0.0)], 1)
    journeys.add([(B, 0.0)], 1)
    with pytest.raises(Refused, match=r"attribution\.too_many_orders"):
        journeys.add([(C, 0.0)], 1)
