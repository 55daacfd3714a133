"""Likeness and match: parts add up, unknown is neither good nor bad, and vectors go with what they were made of."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from services.discovery.domain.events import (
    AudienceReported,
    AvailabilityChanged,
    FollowersReported,
    PerformanceReported,
    RateCardChanged,
)
from services.discovery.domain.matching import Brief, Wanted
from services.discovery.domain.mix import Goal
from services.discovery.domain.profile import Availability
from services.discovery.domain.rate_card import Format
from services.discovery.domain.state import State
from services.discovery.matching import encoder
from services.discovery.matching.encoder import Vectors, encode
from services.discovery.matching.parts import near, overlap, parts, percentiles, score, style
from services.discovery.matching.similar import Compared, most_alike
from services.discovery.matching.suiting import WEIGHTS, Match, Suitor, best
from services.discovery.planning.portraits import Portrait
from services.discovery.tables.track_records import RECORDS
from tests.unit.discovery.given import AUDIENCE, CARD, FIGURES, FOLLOWERS, NOON, REGISTERED, fold

WHOLE = fold(
    [
        REGISTERED,
        RateCardChanged(CARD),
        FollowersReported(FOLLOWERS),
        PerformanceReported(FIGURES),
        AudienceReported(AUDIENCE),
        AvailabilityChanged(Availability.OPEN, 4),
    ]
)
BARE = fold([REGISTERED])
BRIEF = Brief("口红", Goal.READS, Format.VIDEO, "CNY", 300_000, categories=("美妆/口红",))


def portrait(
    name: str, state: State = WHOLE, authenticity: int | None = None, counts: Mapping[str, int] = MappingProxyType({})
) -> Portrait:
    return Portrait(name, 1, state, {**dict.fromkeys(RECORDS, 0), **counts}, {}, authenticity)


def matched(*portraits: Portrait, brief: Brief = BRIEF) -> list[Match]:
    return best(brief, None, [Suitor(one, None) for one in portraits], WEIGHTS, NOON, 10)


def values(match: Match) -> dict[str, float | None]:
    return {one.name: one.value for one in match.parts}


def test_a_twin_is_the_most_alike() -> None:
    ones = np.full(4, 0.5, dtype=np.float32)
    others = [Compared("bare", BARE, None), Compared("twin", WHOLE, ones)]
    found = most_alike([Compared("seed", WHOLE, ones)], [*others, Compared("seed", WHOLE, ones)], NOON, 10)
    assert [one.creator_id for one in found] == ["twin", "bare"]
    assert found[0].score == pytest.approx(1)
    assert {one.name for one in found[1].parts if one.value is None} == {
        "style",
        "audience",
        "size",
        "price",
        "engagement",
    }


def test_of_several_seeds_the_nearest_counts() -> None:
    found = most_alike([Compared("a", BARE, None), Compared("b", WHOLE, None)], [Compared("c", WHOLE, None)], NOON, 10)
    assert {one.name: one.value for one in found[0].parts}["price"] == 1


def test_weights_sum_to_one_and_the_unknown_counts_half() -> None:
    made = parts({"a": 1.0, "b": None}, {"a": 2, "b": 6})
    assert [one.weight for one in made] == [0.25, 0.75]
    assert score(made) == 0.25 + 0.75 / 2


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("reliability", {"settled": 5}, {"settled": 5, "cancelled": 3}),
        ("safety", {"settled": 5}, {"settled": 5, "findings": 5}),
        ("safety", {"settled": 5}, {"settled": 5, "disclosures_missing": 2}),
        ("availability", {"contracted": 1}, {"contracted": 3}),
    ],
)
def test_a_better_record_comes_first(name: str, good: dict[str, int], bad: dict[str, int]) -> None:
    found = matched(portrait("b", counts=bad), portrait("g", counts=good))
    assert [one.creator_id for one in found] == ["g", "b"]
    assert (values(found[0])[name] or 0) > (values(found[1])[name] or 0)


def test_known_authenticity_is_part_of_safety() -> None:
    found = matched(portrait("low", authenticity=20), portrait("high", authenticity=90), portrait("new"))
    assert {one.creator_id: values(one)["safety"] for one in found} == {"low": 0.2, "high": 0.9, "new": None}


def test_a_price_over_the_briefs_counts_less() -> None:
    dear = replace(BRIEF, price_max_minor=150_000)
    assert (values(matched(portrait("a"), brief=dear)[0])["price"] or 0) < (
        values(matched(portrait("a"))[0])["price"] or 0
    )
    nowhere = matched(portrait("a"), brief=replace(BRIEF, currency="USD"))[0]
    assert (values(nowhere)["price"], nowhere.price_minor) == (0, None)


def test_the_audience_is_what_the_brief_wants_of_it() -> None:
    women = replace(BRIEF, wanted=Wanted(genders=("female",)))
    share = next(one.bps for one in AUDIENCE.gender if one.name == "female") / 10_000
    assert values(matched(portrait("a"), brief=women)[0])["audience"] == pytest.approx(share)
    assert values(matched(portrait("a", BARE), brief=women)[0])["audience"] is None


def test_closed_creators_are_not_available() -> None:
    closed = replace(WHOLE, availability=AvailabilityChanged(Availability.CLOSED, 0))
    assert values(matched(portrait("a", closed))[0])["availability"] == 0


def test_measures_of_nearness() -> None:
    assert (near(100, 100), near(0, 5), overlap("ab", "bc"), overlap("", "a")) == (1, None, 1 / 3, None)
    assert percentiles({"a": 1, "b": 3, "c": 3}) == {"a": 0, "b": 0.75, "c": 0.75}
    assert percentiles({"a": 1}) == {"a": 0.5}


def test_texts_of_one_meaning_are_near_in_both_languages() -> None:
    made = encode(
        ["美妆 口红 试色，日常通勤妆容分享", "lipstick swatches and daily makeup", "graphics cards and laptops tested"]
    )
    assert made is not None
    assert (style(made[0], made[1]) or 0) > 0.6 > 0.3 > (style(made[0], made[2]) or 0)


async def test_a_vector_goes_with_its_version() -> None:
    vectors = Vectors()
    await vectors.make({"a": "口红", "b": " "}, {"a": 1, "b": 1})
    assert vectors.of("a") is not None
    assert vectors.of("b") is None
    assert vectors.missing({"a": 1}) == []
    assert vectors.missing({"a": 2}) == ["a"]
    assert vectors.of("a") is None


async def test_without_an_encoder_style_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_model", lambda: None)
    vectors = Vectors()
    await vectors.make({"a": "口红"}, {"a": 1})
    assert (vectors.of("a"), await vectors.of_text("口红")) == (None, None)
