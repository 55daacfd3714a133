"""Models of attribution, and the return on what was spent."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.faults import Invalid
from services.metrics.domain.attribution import MAX_WINDOW_S, Touch, checked_window, eligible, last_click
from services.metrics.domain.roi import FORMULAS, Outcome, Ratio, figures
from tests.unit.metrics.given import HOUR, NOON, PLACE


def touch(name: str, hours_before: float) -> Touch:
    return Touch(name, "link", PLACE, NOON - hours_before * HOUR)


touches = st.lists(
    st.builds(touch, st.text("abcdef", min_size=1, max_size=2), st.floats(-2, 40, allow_nan=False)), max_size=8
).map(lambda found: list({each.id: each for each in found}.values()))


@given(touches)
def test_the_last_click_is_the_newest_inside(found: list[Touch]) -> None:
    inside = eligible(found, NOON, 24 * 3600)
    assert all(NOON - timedelta(days=1) <= one.at <= NOON for one in inside)
    newest = max(inside, key=lambda one: (one.at, one.id), default=None)
    assert last_click(found, NOON, 24 * 3600) == last_click(reversed(found), NOON, 24 * 3600) == newest


@pytest.mark.parametrize("window_s", [0, -1, MAX_WINDOW_S + 1])
def test_a_window_has_bounds(window_s: int) -> None:
    with pytest.raises(Invalid, match=r"attribution\.window_out_of_range"):
        checked_window(window_s)


OUTCOME = Outcome(
    cost_minor=1_000_000,
    revenue_minor=2_500_000,
    orders=50,
    new_customers=20,
    exposures=400_000,
    reads=80_000,
    clicks=4_000,
    likes=5_000,
    saves=2_000,
    comments=500,
    shares=300,
    follows=200,
)


def test_formulas_by_hand() -> None:
    found = {name: Fraction(ratio.numerator, ratio.denominator) for name, ratio in figures(OUTCOME).items() if ratio}
    assert found == {
        "roas@1": Fraction(5, 2),
        "roi@1": Fraction(3, 2),
        "cpm@1": 2500,
        "cpr@1": Fraction(25, 2),
        "cpe.likes_saves_comments_shares_follows@1": 125,
        "cpc@1": 250,
        "cac@1": 50_000,
    }


def test_nothing_to_divide_by_is_no_figure() -> None:
    assert figures(Outcome()) == dict.fromkeys(FORMULAS)


def test_revenue_below_cost_is_a_negative_return() -> None:
    ratio = FORMULAS["roi@1"].of(Outcome(cost_minor=300, revenue_minor=100))
    assert ratio == Ratio(-200, 300)
    assert ratio.micros() == -666_667


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**15))
def test_millionths_are_rounded_half_to_even(numerator: int, denominator: int) -> None:
    assert Ratio(numerator, denominator).micros() == round(Fraction(numerator * 1_000_000, denominator))
