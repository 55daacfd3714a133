"""Orders count once, are attributed once, and never give back more than they brought."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.core.decider import Actor, GivenRows
from kernel.core.ids import derived_id
from services.metrics.domain.attribution import Basis, Model
from services.metrics.domain.coupon import COUPON_CODES, CouponIssued
from services.metrics.domain.link import CLICKS, LinkClicked
from services.metrics.domain.order import (
    ORDER,
    ORDER_NUMBERS,
    Attribution,
    Command,
    OrderRecorded,
    OrderRefunded,
    RecordOrder,
    RefundOrder,
)
from tests.unit.metrics.given import (
    BLUE,
    BRAND,
    CREATOR,
    HOUR,
    NOON,
    OTHER_PLACE,
    PLACE,
    RED,
    RIVAL,
    SYSTEM,
    check,
    rows_of,
)

ORDER_ID, CLICK_ID, LINK_ID, COUPON_ID, FIRST, SECOND = (
    derived_id("test", name) for name in ("order", "click", "link", "coupon", "refund 1", "refund 2")
)
DAY_S = 24 * 3600
RECORD = RecordOrder(RED, "S-1001", 19_900, "CNY", 2, NOON - HOUR, True)
RECORDED = OrderRecorded(ORDER_ID, RED, "S-1001", 19_900, "CNY", 2, NOON - HOUR, True, None)
BY_LINK = Attribution(Basis.LINK, LINK_ID, CLICK_ID, PLACE, Model.LAST_CLICK, 30 * DAY_S)
BY_COUPON = Attribution(Basis.COUPON, COUPON_ID, "", OTHER_PLACE, Model.LAST_CLICK, 30 * DAY_S)
REPORTED = Attribution(Basis.REPORTED, "", "", PLACE, Model.LAST_CLICK, 30 * DAY_S)
CLICKED = LinkClicked(CLICK_ID, LINK_ID, RED, PLACE)
COUPON = CouponIssued(COUPON_ID, RED, OTHER_PLACE, "SPRING10", 1000, NOON)


def refunded(refund_id: str, amount_minor: int, remaining_minor: int) -> OrderRefunded:
    return OrderRefunded(ORDER_ID, refund_id, RED, amount_minor, "CNY", remaining_minor, True, None)


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([], RECORD, BRAND, [RECORDED], id="records"),
        pytest.param([], RECORD, SYSTEM, [RECORDED], id="records_for_a_store_connector"),
        pytest.param([RECORDED], RECORD, BRAND, [], id="counts_once"),
        pytest.param([], RECORD, RIVAL, "order.not_a_party", id="refuses_another_brand"),
        pytest.param([], RECORD, CREATOR, "order.not_a_party", id="refuses_a_creator"),
        pytest.param(
            [RECORDED], replace(RECORD, amount_minor=1), BRAND, "order.already_recorded", id="refuses_another_body"
        ),
        pytest.param([], replace(RECORD, amount_minor=0), BRAND, "order.amount_out_of_range", id="refuses_nothing"),
        pytest.param(
            [], replace(RECORD, amount_minor=10**15 + 1), BRAND, "order.amount_out_of_range", id="refuses_too_much"
        ),
        pytest.param([], replace(RECORD, currency="XXX"), BRAND, "money.unknown_currency", id="refuses_no_money"),
        pytest.param([], replace(RECORD, items=0), BRAND, "order.items_out_of_range", id="refuses_no_items"),
        pytest.param([], replace(RECORD, order_number=""), BRAND, "order.number_malformed", id="refuses_no_number"),
        pytest.param([], replace(RECORD, ordered_at=NOON + HOUR), BRAND, "order.in_the_future", id="refuses_tomorrow"),
        pytest.param([], replace(RECORD, window_s=0), BRAND, "attribution.window_out_of_range", id="refuses_no_window"),
        pytest.param(
            [], replace(RECORD, click_ids=("c",) * 51), BRAND, "order.too_many_clicks", id="refuses_51_clicks"
        ),
        pytest.param(
            [],
            replace(RECORD, placement=replace(PLACE, campaign_id="x")),
            BRAND,
            "id.malformed",
            id="refuses_a_bad_placement",
        ),
    ],
)
def test_record(given: list[object], when: Command, actor: Actor, then: list[object] | str) -> None:
    check(ORDER, given, when, then, id=ORDER_ID, actor=actor)


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([RECORDED], RefundOrder(FIRST, 900), BRAND, [refunded(FIRST, 900, 19_000)], id="in_part"),
        pytest.param([RECORDED], RefundOrder(FIRST, None), BRAND, [refunded(FIRST, 19_900, 0)], id="in_full"),
        pytest.param(
            [RECORDED, refunded(FIRST, 900, 19_000)],
            RefundOrder(SECOND, None),
            BRAND,
            [refunded(SECOND, 19_000, 0)],
            id="the_rest",
        ),
        pytest.param([], RefundOrder(FIRST, 1), BRAND, "order.not_recorded", id="refuses_without_order"),
        pytest.param([RECORDED], RefundOrder(FIRST, 1), RIVAL, "order.not_a_party", id="refuses_another_brand"),
        pytest.param([RECORDED], RefundOrder("1", 1), BRAND, "id.malformed", id="refuses_a_bad_id"),
        pytest.param([RECORDED], RefundOrder(FIRST, 0), BRAND, "refund.amount_not_positive", id="refuses_nothing"),
        pytest.param([RECORDED], RefundOrder(FIRST, -5), BRAND, "refund.amount_not_positive", id="refuses_negative"),
        pytest.param([RECORDED], RefundOrder(FIRST, 19_901), BRAND, "refund.exceeds_order", id="refuses_a_cent_more"),
        pytest.param(
            [RECORDED, refunded(FIRST, 900, 19_000)],
            RefundOrder(SECOND, 19_001),
            BRAND,
            "refund.exceeds_order",
            id="refuses_more_than_is_left",
        ),
        pytest.param(
            [RECORDED, refunded(FIRST, 19_900, 0)],
            RefundOrder(SECOND, None),
            BRAND,
            "refund.exceeds_order",
            id="refuses_when_nothing_is_left",
        ),
        pytest.param(
            [RECORDED, refunded(FIRST, 900, 19_000)],
            RefundOrder(FIRST, 901),
            BRAND,
            "refund.differs",
            id="refuses_another_body",
        ),
        pytest.param(
            [RECORDED, refunded(FIRST, 900, 19_000)],
            RefundOrder(FIRST, None),
            BRAND,
            "refund.differs",
            id="refuses_all_after_a_part",
        ),
        pytest.param(
            [RECORDED, *(refunded(derived_id("r", str(n)), 1, 19_899 - n) for n in range(100))],
            RefundOrder(FIRST, 1),
            BRAND,
            "refund.too_many",
            id="refuses_the_hundred_and_first",
        ),
    ],
)
def test_refund(given: list[object], when: Command, actor: Actor, then: list[object] | str) -> None:
    check(ORDER, given, when, then, id=ORDER_ID, actor=actor)


CLICK_ROWS = rows_of((CLICKS, RED, CLICKED), at=NOON - 2 * HOUR)
RIVAL_ROWS = rows_of((CLICKS, BLUE, replace(CLICKED, brand_id=BLUE)), at=NOON - 2 * HOUR)
LATER_ROWS = rows_of((CLICKS, RED, CLICKED), at=NOON)
BOTH_ROWS = GivenRows({**CLICK_ROWS.rows, **rows_of((COUPON_CODES, RED, COUPON)).rows})
EXPIRED = rows_of((COUPON_CODES, RED, replace(COUPON, expires_at=NOON - HOUR)))
WITH_CLICK = replace(RECORD, click_ids=(CLICK_ID,))
WITH_BOTH = replace(WITH_CLICK, coupon_code="spring10")


@pytest.mark.parametrize(
    ("rows", "command", "attribution"),
    [
        pytest.param(CLICK_ROWS, WITH_CLICK, BY_LINK, id="by_link"),
        pytest.param(BOTH_ROWS, WITH_BOTH, BY_COUPON, id="a_coupon_comes_first"),
        pytest.param(CLICK_ROWS, WITH_BOTH, BY_LINK, id="a_coupon_that_is_not_ours_is_passed_over"),
        pytest.param(EXPIRED, replace(RECORD, coupon_code="SPRING10"), None, id="an_expired_coupon_is_no_evidence"),
        pytest.param(RIVAL_ROWS, WITH_CLICK, None, id="another_brands_click_is_no_evidence"),
        pytest.param(LATER_ROWS, WITH_CLICK, None, id="a_click_after_the_order_is_no_evidence"),
        pytest.param(CLICK_ROWS, replace(WITH_CLICK, window_s=3599), None, id="a_click_before_the_window"),
        pytest.param(
            CLICK_ROWS,
            replace(WITH_CLICK, window_s=3600),
            replace(BY_LINK, window_s=3600),
            id="a_click_at_the_windows_edge",
        ),
        pytest.param(GivenRows({}), replace(WITH_CLICK, placement=PLACE), REPORTED, id="as_the_store_reports"),
        pytest.param(GivenRows({}), WITH_BOTH, None, id="nobody"),
    ],
)
def test_attribution_is_decided_with_the_order(
    rows: GivenRows, command: RecordOrder, attribution: Attribution | None
) -> None:
    check(ORDER, [], command, [replace(RECORDED, attribution=attribution)], id=ORDER_ID, rows=rows)


def test_the_first_attribution_stands() -> None:
    """The same order told again, when a click has become known since, changes nothing."""
    check(ORDER, [RECORDED], WITH_CLICK, [], id=ORDER_ID, rows=CLICK_ROWS)


def test_a_stores_number_is_one_order() -> None:
    other = replace(RECORDED, order_id=derived_id("test", "other order"))
    rows = rows_of((ORDER_NUMBERS, RED, other))
    check(ORDER, [], RECORD, "order.number_taken", id=ORDER_ID, rows=rows)


def test_a_refund_keeps_the_orders_attribution() -> None:
    given = [replace(RECORDED, attribution=BY_LINK)]
    check(
        ORDER, given, RefundOrder(FIRST, None), [replace(refunded(FIRST, 19_900, 0), attribution=BY_LINK)], id=ORDER_ID
    )


def test_orders_far_apart_are_inside_no_window() -> None:
    with_window = replace(WITH_CLICK, ordered_at=NOON - HOUR + timedelta(days=-91))
    check(ORDER, [], with_window, [replace(RECORDED, ordered_at=with_window.ordered_at)], id=ORDER_ID, rows=CLICK_ROWS)
