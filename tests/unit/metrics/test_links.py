"""Tracking links, clicks and coupons."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.core.decider import Actor
from kernel.core.ids import derived_id
from services.metrics.domain.coupon import COUPON, COUPON_CODES, CouponIssued, IssueCoupon
from services.metrics.domain.link.clicks import (
    CLICK,
    CLICKS,
    LinkClicked,
    LinkRequested,
    NotAClick,
    RecordClick,
    RecordRequest,
)
from services.metrics.domain.link.link import LINK, LINK_CODES, EndLink, IssueLink, LinkEnded, LinkIssued
from tests.unit.metrics.given import BLUE, BRAND, CREATOR, NOON, PLACE, RED, RIVAL, SYSTEM, check, rows_of, site_rows

LINK_ID, COUPON_ID, CLICK_ID = (derived_id("test", name) for name in ("link", "coupon", "click"))
ISSUE = IssueLink(RED, PLACE, "https://shop.example/lipstick?sku=7", "spring-7")
ISSUED = LinkIssued(LINK_ID, RED, PLACE, "https://shop.example/lipstick?sku=7", "spring-7")
END, ENDED = EndLink("host_taken"), LinkEnded(LINK_ID, RED, PLACE, "spring-7", "host_taken")
OPERATOR = Actor("olga", "platform", frozenset({"operator"}))
COUPON_COMMAND = IssueCoupon(RED, PLACE, " spring10 ", 1000, NOON + timedelta(days=30))
COUPON_EVENT = CouponIssued(COUPON_ID, RED, PLACE, "SPRING10", 1000, NOON + timedelta(days=30))


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([], ISSUE, BRAND, [ISSUED], id="issues"),
        pytest.param([], ISSUE, SYSTEM, [ISSUED], id="issues_for_a_process"),
        pytest.param([], ISSUE, RIVAL, "link.not_a_party", id="refuses_another_brand"),
        pytest.param([ISSUED], END, BRAND, [ENDED], id="ends"),
        pytest.param([ISSUED], END, OPERATOR, [ENDED], id="is_ended_by_an_operator"),
        pytest.param([ISSUED], END, RIVAL, "link.unknown", id="is_no_rivals_to_end"),
        pytest.param([], END, BRAND, "link.unknown", id="ends_what_is_there"),
        pytest.param([ISSUED], END, CREATOR, "actor.role_missing", id="creators_end_none"),
        pytest.param([ISSUED], EndLink("Ask Ann!"), BRAND, "reason.malformed", id="ends_for_a_word"),
        pytest.param([ISSUED, ENDED], ISSUE, BRAND, "link.ended", id="begins_not_again"),
        pytest.param([], ISSUE, CREATOR, "link.not_a_party", id="refuses_a_creator"),
        pytest.param([ISSUED], replace(ISSUE, code="other"), BRAND, "link.already_issued", id="refuses_a_second_body"),
        pytest.param([], replace(ISSUE, code="no"), BRAND, "link.code_malformed", id="refuses_a_short_code"),
        pytest.param([], replace(ISSUE, code="a/b/c"), BRAND, "link.code_malformed", id="refuses_a_path_as_code"),
        pytest.param(
            [], replace(ISSUE, placement=replace(PLACE, creator_id="7")), BRAND, "id.malformed", id="refuses_a_bad_id"
        ),
    ],
)
def test_link(given: list[object], when: IssueLink | EndLink, actor: Actor, then: list[object] | str) -> None:
    check(LINK, given, when, then, id=LINK_ID, actor=actor, rows=site_rows())


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "javascript:alert(1)",
        "https://",
        "//shop.example/",
        "https://user:word@shop.example/",
        "https://shop.example/a b",
        "https://shop.example/\r\nSet-Cookie: a=b",
        "https://shop.example\\@evil.example/",
        "https://[::1/",
        "https://shop.example:99999/",
        "https://店.example/",
        "https://shop.example/" + "a" * 2048,
    ],
)
def test_a_link_leads_to_plain_https_only(url: str) -> None:
    check(LINK, [], replace(ISSUE, target_url=url), "link.url_not_allowed", id=LINK_ID)


def test_a_code_leads_to_one_link() -> None:
    rows = rows_of((LINK_CODES, BLUE, replace(ISSUED, link_id=derived_id("test", "older"), brand_id=BLUE)))
    check(LINK, [], ISSUE, "link.code_taken", id=LINK_ID, rows=rows)


def test_a_click_belongs_to_the_link_behind_its_code() -> None:
    rows = rows_of((LINK_CODES, RED, ISSUED))
    clicked = LinkClicked(CLICK_ID, LINK_ID, RED, PLACE)
    check(CLICK, [], RecordClick("spring-7"), [clicked], id=CLICK_ID, actor=SYSTEM, rows=rows)


def test_a_request_that_is_no_click_is_evidence_of_nothing() -> None:
    rows = rows_of((LINK_CODES, RED, ISSUED))
    requested = LinkRequested(CLICK_ID, LINK_ID, RED, PLACE, NotAClick.ROBOT)
    command = RecordRequest("spring-7", NotAClick.ROBOT)
    check(CLICK, [], command, [requested], id=CLICK_ID, actor=SYSTEM, rows=rows)
    assert LinkRequested not in CLICKS.events
    check(CLICK, [], command, "actor.role_missing", id=CLICK_ID, actor=BRAND, rows=rows)


@pytest.mark.parametrize(
    ("code", "actor", "then"),
    [
        pytest.param("unknown", SYSTEM, "link.unknown_code", id="unknown_code"),
        pytest.param("spring-7", BRAND, "actor.role_missing", id="clicks_are_not_claimed"),
    ],
)
def test_no_click(code: str, actor: Actor, then: str) -> None:
    rows = rows_of((LINK_CODES, RED, ISSUED))
    check(CLICK, [], RecordClick(code), then, id=CLICK_ID, actor=actor, rows=rows)


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([], COUPON_COMMAND, BRAND, [COUPON_EVENT], id="issues_in_capitals"),
        pytest.param([], COUPON_COMMAND, RIVAL, "coupon.not_a_party", id="refuses_another_brand"),
        pytest.param([], replace(COUPON_COMMAND, code="x"), BRAND, "coupon.code_malformed", id="refuses_a_short_code"),
        pytest.param(
            [],
            replace(COUPON_COMMAND, discount_bps=10_001),
            BRAND,
            "coupon.discount_out_of_range",
            id="refuses_more_than_all",
        ),
        pytest.param(
            [], replace(COUPON_COMMAND, expires_at=NOON), BRAND, "coupon.expired_already", id="refuses_an_expired_one"
        ),
        pytest.param(
            [COUPON_EVENT],
            replace(COUPON_COMMAND, discount_bps=0),
            BRAND,
            "coupon.already_issued",
            id="refuses_a_second_body",
        ),
    ],
)
def test_coupon(given: list[object], when: IssueCoupon, actor: Actor, then: list[object] | str) -> None:
    check(COUPON, given, when, then, id=COUPON_ID, actor=actor)


def test_a_coupon_code_is_one_brands() -> None:
    taken = rows_of((COUPON_CODES, RED, replace(COUPON_EVENT, coupon_id=derived_id("test", "older"))))
    elsewhere = rows_of((COUPON_CODES, BLUE, replace(COUPON_EVENT, brand_id=BLUE)))
    check(COUPON, [], COUPON_COMMAND, "coupon.code_taken", id=COUPON_ID, rows=taken)
    check(COUPON, [], COUPON_COMMAND, [COUPON_EVENT], id=COUPON_ID, rows=elsewhere)
