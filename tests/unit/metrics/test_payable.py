"""Numbers that money may hang on: what is measured and within the content's own band counts, every other part is told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.engagement import MEASURED, OURS, REPORTED, Metric, Provenance, Traffic
from services.metrics.domain.payable import (
    BANDS,
    FEW,
    HOUR_MS,
    Band,
    Counter,
    Payable,
    SetAside,
    Step,
    cleaned,
    payable_of,
    steps_of,
)

BAND = Band(start=1_000, least=100)
QUIET = [Step(1, 50)] * FEW


def likes(**changes: Any) -> Counter:
    return replace(Counter(Metric.LIKES, Traffic.ORGANIC, Provenance.PLATFORM, 0), **changes)


@pytest.mark.parametrize(("steps", "counted", "suspect"), [
    pytest.param([], 0, 0, id="nothing"),
    pytest.param([Step(1, 900)], 900, 0, id="a_good_start"),
    pytest.param([Step(1, 1_500)], 1_000, 500, id="a_start_that_no_content_has"),
    pytest.param([Step(3, 2_900)], 2_900, 0, id="a_total_after_three_hours"),
    pytest.param([*QUIET, Step(1, 500)], 650, 0, id="ten_times_the_median"),
    pytest.param([*QUIET, Step(1, 9_000)], 650, 8_500, id="a_jump"),
    pytest.param([*QUIET, Step(10, 5_000)], 5_150, 0, id="the_same_over_ten_hours"),
    pytest.param([Step(1, 1)] * FEW + [Step(1, 100)], 103, 0, id="what_is_never_too_much"),
    pytest.param([*QUIET, Step(1, 9_000), Step(1, -8_500)], 650, 0, id="the_platform_takes_the_suspect_back"),
    pytest.param([*QUIET, Step(1, 9_000), Step(1, -8_600)], 550, 0, id="and_more"),
    pytest.param([Step(1, 50), Step(1, -80)], 0, 0, id="never_below_nothing"),
])  # fmt: skip
def test_what_is_above_the_band_is_set_aside(steps: list[Step], counted: int, suspect: int) -> None:
    found = cleaned(steps, BAND)
    assert (found.counted, found.suspect) == (counted, suspect)


def test_one_jump_moves_the_band_no_further_than_itself_allowed() -> None:
    """A second jump right behind the first meets nearly the same band: the median asks for half of the history."""
    jumps = cleaned([*QUIET, *[Step(1, 10**9)] * 3], BAND)
    assert jumps.counted == 150 + 3 * 500


RISES = st.lists(st.builds(Step, st.integers(1, 48), st.integers(1, 10**7)), max_size=40)


@given(RISES)
def test_both_parts_are_the_whole(steps: list[Step]) -> None:
    found = cleaned(steps, BAND)
    assert found.counted + found.suspect == sum(step.count for step in steps)
    assert min(found.counted, found.suspect) >= 0


@given(RISES, st.data())
def test_nobody_makes_a_creators_pay_smaller_by_adding_to_its_numbers(steps: list[Step], data: st.DataObject) -> None:
    """The excess of a step is set aside, never what the content would have had without it."""
    more = [replace(step, count=step.count + data.draw(st.integers(0, 10**6))) for step in steps]
    assert cleaned(more, BAND).counted >= cleaned(steps, BAND).counted


def test_the_history_is_the_platforms_totals_and_what_came_after_the_last_of_them() -> None:
    counter = likes(readings=((10 * HOUR_MS, 500), (10 * HOUR_MS + 1, 520), (16 * HOUR_MS, 400)), added=(7, 8))
    steps = [Step(8, 500), Step(1, 20), Step(6, -120), Step(1, 7), Step(1, 8)]
    assert steps_of(counter, 2 * HOUR_MS) == steps
    assert steps_of(counter, None)[0] == steps_of(counter, 99 * HOUR_MS)[0] == Step(1, 500)


def test_only_the_platforms_organic_count_is_payable() -> None:
    others = [likes(provenance=one, total=9 * 10**15) for one in Provenance if one not in MEASURED]
    paid = likes(traffic=Traffic.PAID, total=70)
    (found,) = payable_of([likes(total=30, added=(30,)), paid, *others], None)
    assert (found.metric, found.payable) == (Metric.LIKES, 30)
    assert {one.reason: one.count for one in found.set_aside} == {
        "traffic.paid": 70,
        **dict.fromkeys(("source.manual", "source.estimated", "source.brand", "source.creator"), 9 * 10**15),
    }


def test_a_metric_that_nobody_measured_pays_nothing() -> None:
    (found,) = payable_of([likes(provenance=Provenance.CREATOR, total=5)], None)
    assert found == Payable(Metric.LIKES, 0, (SetAside("source.creator", 5),))


def test_clicks_are_those_on_our_own_link() -> None:
    link = Counter(Metric.LINK_CLICKS, Traffic.ORGANIC, Provenance.LINK, 12, added=(5, 7))
    requests = replace(link, metric=Metric.LINK_REQUESTS, total=2_906, added=(2_906,))
    platform = Counter(Metric.CLICKS, Traffic.ORGANIC, Provenance.PLATFORM, 40, added=(40,))
    (found,) = payable_of([platform, link, requests], None)
    assert (found.metric, found.payable) == (Metric.CLICKS, 12)
    assert {one.reason: one.count for one in found.set_aside} == {
        "clicks.counted_by_link": 40, "link.no_visitor": 2_894,
    }  # fmt: skip
    (alone,) = payable_of([platform], None)
    assert alone == Payable(Metric.CLICKS, 40, ())


def test_every_metric_that_is_counted_has_a_band() -> None:
    assert BANDS.keys() == {*REPORTED, *OURS} - {Metric.LINK_REQUESTS}
    assert all(0 < band.least < band.start for band in BANDS.values())
