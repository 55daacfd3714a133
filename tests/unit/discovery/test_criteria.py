"""Criteria: what a search may ask, and why a hit was found."""

from dataclasses import replace

import pytest
from sqlalchemy.dialects import sqlite

from kernel.core.faults import Invalid
from services.discovery.domain.criteria import CHEAPEST, DEAREST, MOST_FOLLOWERS, Criteria, checked_criteria, order_of
from services.discovery.domain.events import FollowersReported, PerformanceReported, RateCardChanged
from services.discovery.domain.profile import Platform
from services.discovery.domain.rate_card import Format
from services.discovery.domain.state import State
from services.discovery.domain.tiers import Tier
from services.discovery.projections.creators import labels
from services.discovery.search.query import matching
from services.discovery.search.reasons import reasons
from tests.unit.discovery.given import CARD, FIGURES, FOLLOWERS, NOON, OPERATOR, OTHER, REGISTERED, fold

PRICED = Criteria(format=Format.VIDEO, currency="CNY")


@pytest.mark.parametrize(
    "criteria",
    [
        Criteria(),
        Criteria(
            text="口红", categories=("美妆/口红",), tiers=(Tier.KOC,), locations=("CN", "CN/上海", "CN/浙江/杭州")
        ),
        Criteria(followers_min=5, followers_max=5, exclude_campaign_id=OTHER, languages=("zh", "en-GB")),
        replace(PRICED, price_min_minor=1, order=DEAREST),
        Criteria(format=Format.STORY),
    ],
)
def test_good_criteria_stay_as_they_are(criteria: Criteria) -> None:
    assert checked_criteria(criteria) == criteria


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        (Criteria(text="a\x00b"), "text.malformed"),
        (Criteria(text="x" * 201), "text.too_long"),
        (Criteria(categories=("makeup",)), "category.unknown"),
        (Criteria(languages=("Chinese",)), "creator.language_malformed"),
        (Criteria(locations=("CN/",)), "search.location_malformed"),
        (Criteria(locations=("CN/a/b/c",)), "search.location_malformed"),
        (Criteria(tags=("x" * 31,)), "text.too_long"),
        (Criteria(platforms=(Platform.WEIBO,) * 51), "search.too_many_values"),
        (Criteria(followers_min=-1), "search.bound_out_of_range"),
        (Criteria(followers_min=2, followers_max=1), "search.range_empty"),
        (Criteria(engagement_rate_min_bps=100_001), "search.bound_out_of_range"),
        (Criteria(currency="RMB"), "money.unknown_currency"),
        (Criteria(price_min_minor=1, format=Format.VIDEO), "search.price_incomplete"),
        (Criteria(price_max_minor=1, currency="CNY"), "search.price_incomplete"),
        (Criteria(order=CHEAPEST), "search.price_incomplete"),
        (replace(PRICED, price_min_minor=2, price_max_minor=1), "search.range_empty"),
        (Criteria(exclude_campaign_id="mine"), "id.malformed"),
    ],
)
def test_bad_criteria_name_their_rule(criteria: Criteria, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked_criteria(criteria)
    assert caught.value.code == code


def test_orders() -> None:
    assert order_of("") == MOST_FOLLOWERS
    assert order_of("price desc") == DEAREST
    with pytest.raises(Invalid, match=r"search\.order_unknown"):
        order_of("price asc")


KNOWN = fold([REGISTERED, FollowersReported(FOLLOWERS), PerformanceReported(FIGURES), RateCardChanged(CARD)])


def test_a_hit_says_why_for_every_filter_given() -> None:
    criteria = Criteria(
        text="口红", categories=("美妆",), tiers=(Tier.KOC,), followers_min=1, format=Format.VIDEO, currency="CNY",
        languages=("zh", "en"), locations=("CN",), platforms=(Platform.XIAOHONGSHU,), engagement_rate_min_bps=100,
    )  # fmt: skip
    assert reasons(criteria, KNOWN, ["bio", "tags"]) == [
        "text: 口红 in bio, tags", "category: 美妆", "language: zh", "platform: xiaohongshu", "location: CN/上海", "tier: koc",
        "followers: 48000", "engagement rate: 750 bps", "price: video 300000 CNY",
    ]  # fmt: skip


def test_tags_and_places_are_folded_in_the_question_and_in_what_is_known() -> None:
    profile = replace(REGISTERED.profile, tags=("護膚", "Café"), country="CN", province="臺灣", city="")
    known = fold([replace(REGISTERED, profile=profile)])
    wanted = Criteria(tags=("护肤", "CAFÉ"), locations=("cn/台湾",))
    asked = matching(wanted, NOON, None, OPERATOR).compile(dialect=sqlite.dialect()).params
    lists = [value for value in asked.values() if isinstance(value, list)]
    assert lists[1:] == [["cn/台湾"], ["cafe", "护肤"]]
    found = {(row["kind"], row["value"]) for row in labels(OTHER, known)}
    assert found >= {("location", "cn/台湾"), ("tag", "cafe"), ("tag", "护肤")}
    assert reasons(wanted, known, []) == ["tag: 護膚, Café", "location: CN/臺灣"]


def test_no_filter_no_reason() -> None:
    assert reasons(Criteria(), KNOWN, []) == []
    assert reasons(replace(PRICED, format=Format.STORY), KNOWN, []) == []
    assert reasons(PRICED, fold([REGISTERED]), []) == []
    assert reasons(Criteria(text="x"), State(), ["bio"]) == []


def test_the_engagement_rate_is_of_the_most_read_month() -> None:
    quarter = replace(FIGURES, window_days=90, reads=19_000)
    image = replace(FIGURES, format=Format.IMAGE_NOTE, reads=13_000, engagements=26)
    nothing = replace(FIGURES, reads=0)
    assert KNOWN.engagement_rate_bps() == 750
    assert fold([PerformanceReported(one) for one in (FIGURES, quarter, image)]).engagement_rate_bps() == 20
    assert fold([PerformanceReported(nothing)]).engagement_rate_bps() is None
    assert State().largest_followers() == 0
