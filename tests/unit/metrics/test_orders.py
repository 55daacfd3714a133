"""Orders count once and are attributed once, whatever comes with them as evidence."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.core.decider import Actor, GivenRows
from kernel.core.ids import derived_id
from services.metrics.domain.attribution import Basis
from services.metrics.domain.coupon import COUPON_CODES
from services.metrics.domain.link.clicks import CLICKS
from services.metrics.domain.order.commands import Command, RecordOrder, RefundOrder
from services.metrics.domain.order.events import Attribution, Contact, Unusable, Usable, Why
from services.metrics.domain.order.order import ORDER
from services.metrics.domain.order.state import ORDER_NUMBERS
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
from tests.unit.metrics.orders import (
    BY_COUPON,
    BY_LINK,
    CLICK_ID,
    CLICKED,
    COUPON,
    COUPON_ID,
    FIRST,
    LINK_ID,
    ORDER_ID,
    RECORD,
    RECORDED,
    REPORTED,
    refunded,
)


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
        pytest.param(
            [], replace(RECORD, amount_minor=0), BRAND, [replace(RECORDED, amount_minor=0)], id="a_free_order_counts"
        ),
        pytest.param([], replace(RECORD, amount_minor=-1), BRAND, "order.amount_out_of_range", id="refuses_less"),
        pytest.param(
            [], replace(RECORD, amount_minor=10**15 + 1), BRAND, "order.amount_out_of_range", id="refuses_too_much"
        ),
        pytest.param([], replace(RECORD, currency="XXX"), BRAND, "money.unknown_currency", id="refuses_no_money"),
        pytest.param([], replace(RECORD, items=0), BRAND, "order.items_out_of_range", id="refuses_no_items"),
        pytest.param([], replace(RECORD, order_number=""), BRAND, "order.number_malformed", id="refuses_no_number"),
        pytest.param([], replace(RECORD, ordered_at=NOON + HOUR), BRAND, "order.in_the_future", id="refuses_tomorrow"),
        pytest.param([], replace(RECORD, window_s=0), BRAND, "attribution.window_out_of_range", id="refuses_no_window"),
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


CLICK_ROWS = rows_of((CLICKS, RED, CLICKED), at=NOON - 2 * HOUR)
RIVAL_ROWS = rows_of((CLICKS, BLUE, replace(CLICKED, brand_id=BLUE)), at=NOON - 2 * HOUR)
LATER_ROWS = rows_of((CLICKS, RED, CLICKED), at=NOON)
COUPON_ROWS = rows_of((COUPON_CODES, RED, COUPON), at=NOON - 2 * HOUR)
BOTH_ROWS = GivenRows({**CLICK_ROWS.rows, **COUPON_ROWS.rows})
EXPIRED = rows_of((COUPON_CODES, RED, replace(COUPON, expires_at=NOON - HOUR)), at=NOON - 2 * HOUR)
YOUNGER = rows_of((COUPON_CODES, RED, COUPON), at=NOON - HOUR + timedelta(microseconds=1))
CLICK_CONTACT = Contact(Basis.LINK, LINK_ID, CLICK_ID, PLACE, NOON - 2 * HOUR)
COUPON_CONTACT = Contact(Basis.COUPON, COUPON_ID, "", OTHER_PLACE, NOON - HOUR)
REPORT_CONTACT = Contact(Basis.REPORTED, "", "", PLACE, NOON - HOUR)
WITH_CLICK = replace(RECORD, click_ids=(CLICK_ID,))
WITH_COUPON = replace(RECORD, coupon_code="SPRING10")
WITH_BOTH = replace(WITH_CLICK, coupon_code="spring10")


def click_not(why: Why, at: int = 0) -> Unusable:
    return Unusable(Basis.LINK, at, why)


def coupon_not(why: Why) -> Unusable:
    return Unusable(Basis.COUPON, 0, why)


@pytest.mark.parametrize(
    ("rows", "command", "attribution", "unusable"),
    [
        pytest.param(CLICK_ROWS, WITH_CLICK, BY_LINK, (), id="by_link"),
        pytest.param(BOTH_ROWS, WITH_BOTH, BY_COUPON, (), id="a_coupon_comes_first"),
        pytest.param(
            CLICK_ROWS, WITH_BOTH, BY_LINK, (coupon_not(Why.UNKNOWN),), id="a_coupon_that_is_not_ours_is_passed_over"
        ),
        pytest.param(EXPIRED, WITH_COUPON, None, (coupon_not(Why.OUT_OF_TIME),), id="an_expired_coupon_is_no_evidence"),
        pytest.param(YOUNGER, WITH_COUPON, None, (coupon_not(Why.OUT_OF_TIME),), id="a_coupon_younger_than_the_order"),
        pytest.param(RIVAL_ROWS, WITH_CLICK, None, (click_not(Why.UNKNOWN),), id="another_brands_click_is_no_evidence"),
        pytest.param(
            LATER_ROWS, WITH_CLICK, None, (click_not(Why.OUT_OF_TIME),), id="a_click_after_the_order_is_no_evidence"
        ),
        pytest.param(
            CLICK_ROWS,
            replace(WITH_CLICK, window_s=3599),
            None,
            (click_not(Why.OUT_OF_TIME),),
            id="a_click_before_the_window",
        ),
        pytest.param(
            CLICK_ROWS,
            replace(WITH_CLICK, window_s=3600),
            replace(BY_LINK, window_s=3600),
            (),
            id="a_click_at_the_windows_edge",
        ),
        pytest.param(
            GivenRows({}),
            replace(WITH_CLICK, placement=PLACE),
            REPORTED,
            (click_not(Why.UNKNOWN),),
            id="as_the_store_reports",
        ),
        pytest.param(GivenRows({}), WITH_BOTH, None, (coupon_not(Why.UNKNOWN), click_not(Why.UNKNOWN)), id="nobody"),
        pytest.param(
            CLICK_ROWS,
            replace(RECORD, click_ids=("", "25%off", CLICK_ID, "x" * 100, "\x00")),
            BY_LINK,
            tuple(click_not(Why.MALFORMED, at) for at in (0, 1, 3, 4)),
            id="bad_clicks_beside_a_good_one",
        ),
        pytest.param(
            CLICK_ROWS, replace(RECORD, click_ids=(f" {CLICK_ID.upper()} ",)), BY_LINK, (), id="a_click_in_capitals"
        ),
        pytest.param(
            COUPON_ROWS, replace(RECORD, coupon_code="ＳＰＲＩＮＧ１０"), BY_COUPON, (), id="full_width_letters"
        ),
        *(
            pytest.param(
                CLICK_ROWS, replace(WITH_CLICK, coupon_code=code), BY_LINK, (coupon_not(Why.MALFORMED),), id=name
            )
            for name, code in {
                "a_percent_sign": "25%off",
                "chinese": "夏日8折",
                "an_empty_code": "",
                "blanks": "   ",
                "too_long": "A" * 100,
                "a_control_character": "SPRING\x0010",
                "an_emoji": "🎉🎉🎉",
                "a_sentence": "ask for summer sale",
            }.items()
        ),
    ],
)
def test_attribution_is_decided_with_the_order(
    rows: GivenRows, command: RecordOrder, attribution: Attribution | None, unusable: tuple[Unusable, ...]
) -> None:
    at = next((n for n, one in enumerate(command.click_ids) if one == CLICK_ID), 0)
    used = (Usable(attribution.basis, at, True),) if attribution else ()
    outdone = (Usable(Basis.LINK, 0, False),) if (rows, command) == (BOTH_ROWS, WITH_BOTH) else ()
    contacts: tuple[Contact, ...] = (CLICK_CONTACT,) if rows in (CLICK_ROWS, BOTH_ROWS) else ()
    if attribution and attribution.basis is not Basis.LINK:
        contacts += (COUPON_CONTACT if attribution.basis is Basis.COUPON else REPORT_CONTACT,)
    made = replace(RECORDED, attribution=attribution, unusable=unusable, usable=used + outdone, contacts=contacts)
    check(ORDER, [], command, [made], id=ORDER_ID, rows=rows)


@pytest.mark.parametrize("why", [Why.MALFORMED, Why.UNKNOWN])
def test_a_deliverable_that_is_not_the_brands_costs_the_order_nothing(why: Why) -> None:
    made = replace(RECORDED, unusable=(Unusable(Basis.REPORTED, 0, why),))
    check(ORDER, [], replace(RECORD, not_placed=why), [made], id=ORDER_ID)


def test_of_many_clicks_the_newest_are_looked_at_wherever_they_stand() -> None:
    """What is damaged is left out first: it is older than any id."""
    newer = [f"ffffffff-0000-7000-8000-{n:012d}" for n in range(48)]
    command = replace(RECORD, click_ids=("x", CLICK_ID, *newer, "00000000-0000-7000-8000-000000000000", "", "25%off"))
    unusable = (*(click_not(Why.UNKNOWN, n) for n in range(2, 51)),)
    made = replace(
        RECORDED, attribution=BY_LINK, unusable=unusable, usable=(Usable(Basis.LINK, 1, True),), passed_over=3,
        contacts=(CLICK_CONTACT,),
    )  # fmt: skip
    check(ORDER, [], command, [made], id=ORDER_ID, rows=CLICK_ROWS)


def test_the_later_of_two_clicks_is_used() -> None:
    later = derived_id("test", "later click")
    rows = rows_of((CLICKS, RED, CLICKED), at=NOON - 3 * HOUR)
    rows = GivenRows({**rows.rows, **rows_of((CLICKS, RED, replace(CLICKED, click_id=later)), at=NOON - HOUR).rows})
    usable = (Usable(Basis.LINK, 0, True), Usable(Basis.LINK, 1, False), Usable(Basis.REPORTED, 0, False))
    contacts = (replace(CLICK_CONTACT, at=NOON - 3 * HOUR), replace(CLICK_CONTACT, touch_id=later, at=NOON - HOUR))
    made = replace(RECORDED, attribution=replace(BY_LINK, touch_id=later), usable=usable, contacts=contacts)
    command = replace(RECORD, click_ids=(later, CLICK_ID), placement=PLACE)
    check(ORDER, [], command, [made], id=ORDER_ID, rows=rows)


def test_the_number_of_an_order_that_0_1_0_refunded_is_free_for_who_knows_it() -> None:
    earlier = derived_id("test", "other order")
    rows = rows_of((ORDER_NUMBERS, RED, replace(RECORDED, order_id=earlier)))
    other = replace(RECORD, given_back=derived_id("test", "third order"))
    check(ORDER, [], other, "order.number_taken", id=ORDER_ID, rows=rows)
    check(ORDER, [], replace(RECORD, given_back=earlier), [RECORDED], id=ORDER_ID, rows=rows)


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
    made = replace(RECORDED, ordered_at=with_window.ordered_at, unusable=(click_not(Why.OUT_OF_TIME),))
    check(ORDER, [], with_window, [made], id=ORDER_ID, rows=CLICK_ROWS)
