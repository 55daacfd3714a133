"""Refunds and amendments: an order never gives back more than it brought, and what comes before it is kept for it."""

import pytest

from kernel.core.decider import Actor, DecidedEvent
from kernel.core.ids import derived_id
from services.metrics.domain.order.commands import AmendOrder, Command, RefundOrder
from services.metrics.domain.order.events import ChangeKind, OrderAmended, OrderChangeKept, OrderRecorded, OrderRefunded
from services.metrics.domain.order.order import ORDER
from services.metrics.domain.order.state import ORDER_NUMBERS
from tests.kit.rows import NoRows
from tests.unit.metrics.given import BRAND, NOON, RED, RIVAL, SYSTEM, check
from tests.unit.metrics.orders import (
    FIRST,
    FREE,
    ORDER_ID,
    RECORD,
    RECORDED,
    SECOND,
    THIRD,
    free_refund,
    kept,
    refunded,
)


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
        pytest.param([], RefundOrder(FIRST, 1), BRAND, [kept(FIRST, 1)], id="is_kept_for_its_order"),
        pytest.param([], RefundOrder(FIRST, None), BRAND, [kept(FIRST, None)], id="of_all_is_kept_for_its_order"),
        pytest.param([kept(FIRST, 1)], RefundOrder(FIRST, 2), BRAND, "refund.differs", id="refuses_another_kept_body"),
        pytest.param(
            [kept(FIRST, None)], RefundOrder(SECOND, 1), BRAND, "refund.exceeds_order", id="refuses_more_than_all"
        ),
        pytest.param([], RefundOrder(FIRST, 1), SYSTEM, "order.not_recorded", id="refuses_to_guess_the_brand"),
        pytest.param([FREE], RefundOrder(FIRST, None), BRAND, [free_refund()], id="a_free_order_is_called_off"),
        pytest.param([FREE, free_refund()], RefundOrder(SECOND, None), BRAND, "refund.exceeds_order", id="but_once"),
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


AMEND = AmendOrder(FIRST, 25_000, 3)
KEPT_AMENDMENT = OrderChangeKept(ORDER_ID, RED, FIRST, ChangeKind.AMENDMENT, 25_000, 3)


def amended(amount_minor: int, change_minor: int, items: int = 3) -> OrderAmended:
    return OrderAmended(ORDER_ID, FIRST, RED, amount_minor, change_minor, "CNY", items, None)


@pytest.mark.parametrize(
    ("given", "when", "actor", "then"),
    [
        pytest.param([RECORDED], AMEND, BRAND, [amended(25_000, 5_100)], id="up"),
        pytest.param([RECORDED], AmendOrder(FIRST, 100), BRAND, [amended(100, -19_800, 2)], id="down"),
        pytest.param([RECORDED], AmendOrder(FIRST, 0), BRAND, [amended(0, -19_900, 2)], id="to_nothing"),
        pytest.param([FREE], AmendOrder(FIRST, 7), BRAND, [amended(7, 7, 2)], id="a_free_order"),
        pytest.param(
            [RECORDED, amended(25_000, 5_100)],
            RefundOrder(FIRST, None),
            BRAND,
            [refunded(FIRST, 25_000, 0)],
            id="a_refund_gives_back_what_it_is_worth_now",
        ),
        pytest.param(
            [RECORDED, refunded(FIRST, 900, 19_000)],
            AmendOrder(FIRST, 899),
            BRAND,
            "amendment.below_refunds",
            id="not_below_what_was_given_back",
        ),
        pytest.param([RECORDED, refunded(FIRST, 19_900, 0)], AMEND, BRAND, "order.cancelled", id="not_after_the_end"),
        pytest.param(
            [RECORDED, amended(25_000, 5_100)], AmendOrder(FIRST, 1), BRAND, "amendment.differs", id="differs"
        ),
        pytest.param([RECORDED], AMEND, RIVAL, "order.not_a_party", id="not_by_another_brand"),
        pytest.param([RECORDED], AmendOrder(FIRST, -1), BRAND, "order.amount_out_of_range", id="not_below_zero"),
        pytest.param([RECORDED], AmendOrder(FIRST, 1, 0), BRAND, "order.items_out_of_range", id="not_without_items"),
        pytest.param([RECORDED], AmendOrder("1", 1), BRAND, "id.malformed", id="not_under_a_bad_id"),
        pytest.param(
            [RECORDED, *(amended(n, 0) for n in range(100))],
            AmendOrder(SECOND, 1),
            BRAND,
            "amendment.too_many",
            id="not_the_hundred_and_first",
        ),
        pytest.param(
            [],
            AMEND,
            BRAND,
            [KEPT_AMENDMENT],
            id="is_kept_for_its_order",
        ),
        pytest.param([kept(SECOND, None)], AMEND, BRAND, [KEPT_AMENDMENT], id="also_beside_a_refund_of_all"),
    ],
)
def test_amend(given: list[object], when: Command, actor: Actor, then: list[object] | str) -> None:
    check(ORDER, given, when, then, id=ORDER_ID, actor=actor)


@pytest.mark.parametrize(
    ("given", "then"),
    [
        pytest.param([kept(FIRST, 900)], [refunded(FIRST, 900, 19_000)], id="a_part"),
        pytest.param([kept(FIRST, None)], [refunded(FIRST, 19_900, 0)], id="all"),
        pytest.param([kept(FIRST, 20_000)], [refunded(FIRST, 19_900, 0)], id="never_below_zero"),
        pytest.param(
            [kept(FIRST, 900), kept(SECOND, 19_000), kept(THIRD, 1)],
            [refunded(FIRST, 900, 19_000), refunded(SECOND, 19_000, 0)],
            id="in_the_order_they_came_until_nothing_is_left",
        ),
        pytest.param(
            [KEPT_AMENDMENT, kept(SECOND, 5_000)],
            [amended(25_000, 5_100), refunded(SECOND, 5_000, 20_000)],
            id="an_amendment_too",
        ),
        pytest.param(
            [kept(SECOND, 24_000), KEPT_AMENDMENT],
            [amended(25_000, 5_100), refunded(SECOND, 24_000, 1_000)],
            id="which_is_what_a_refund_is_of_also_when_it_came_later",
        ),
        pytest.param(
            [kept(SECOND, None), KEPT_AMENDMENT],
            [amended(25_000, 5_100), refunded(SECOND, 25_000, 0)],
            id="and_a_refund_of_all_gives_back_all_of_it",
        ),
    ],
)
def test_what_came_before_the_order_is_applied_with_it(given: list[object], then: list[object]) -> None:
    check(ORDER, given, RECORD, [RECORDED, *then], id=ORDER_ID)


def test_a_kept_refund_told_again_is_silence_also_after_it_was_applied() -> None:
    given = [kept(FIRST, 20_000), RECORDED, refunded(FIRST, 19_900, 0)]
    check(ORDER, given, RefundOrder(FIRST, 20_000), [], id=ORDER_ID)


def numbers(*events: OrderRecorded | OrderRefunded) -> dict[tuple[str, ...], object]:
    """The order numbers that events leave taken."""
    rows: dict[tuple[str, ...], object] = {}
    for event in events:
        rows |= dict(ORDER_NUMBERS.fold(DecidedEvent(f"order-{ORDER_ID}", RED, 1, NOON, event), NoRows()))
    return {key: row for key, row in rows.items() if row is not None}


def test_a_number_is_free_again_after_a_complete_refund_only() -> None:
    assert list(numbers(RECORDED)) == [(RED, "S-1001")]
    assert list(numbers(RECORDED, refunded(FIRST, 900, 19_000))) == [(RED, "S-1001")]
    assert numbers(RECORDED, refunded(FIRST, 19_900, 0)) == {}
