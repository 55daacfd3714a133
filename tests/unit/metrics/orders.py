"""An order, and what can happen to it, as the tests of orders know it."""

from dataclasses import replace

from kernel.core.ids import derived_id
from services.metrics.domain.attribution import Basis, Model
from services.metrics.domain.coupon import CouponIssued
from services.metrics.domain.link.clicks import LinkClicked
from services.metrics.domain.order.commands import RecordOrder
from services.metrics.domain.order.events import Attribution, ChangeKind, OrderChangeKept, OrderRecorded, OrderRefunded
from tests.unit.metrics.given import HOUR, NOON, OTHER_PLACE, PLACE, RED

ORDER_ID, CLICK_ID, LINK_ID, COUPON_ID, FIRST, SECOND, THIRD = (
    derived_id("test", name) for name in ("order", "click", "link", "coupon", "refund 1", "refund 2", "refund 3")
)
DAY_S = 24 * 3600
RECORD = RecordOrder(RED, "S-1001", 19_900, "CNY", 2, NOON - HOUR, True)
RECORDED = OrderRecorded(ORDER_ID, RED, "S-1001", 19_900, "CNY", 2, NOON - HOUR, True, None)
BY_LINK = Attribution(Basis.LINK, LINK_ID, CLICK_ID, PLACE, Model.LAST_CLICK, 30 * DAY_S)
BY_COUPON = Attribution(Basis.COUPON, COUPON_ID, "", OTHER_PLACE, Model.LAST_CLICK, 30 * DAY_S)
REPORTED = Attribution(Basis.REPORTED, "", "", PLACE, Model.LAST_CLICK, 30 * DAY_S)
CLICKED = LinkClicked(CLICK_ID, LINK_ID, RED, PLACE)
COUPON = CouponIssued(COUPON_ID, RED, OTHER_PLACE, "SPRING10", 1000, NOON)


FREE = replace(RECORDED, amount_minor=0)


def free_refund() -> OrderRefunded:
    return refunded(FIRST, 0, 0)


def kept(refund_id: str, amount_minor: int | None) -> OrderChangeKept:
    return OrderChangeKept(ORDER_ID, RED, refund_id, ChangeKind.REFUND, amount_minor)


def refunded(refund_id: str, amount_minor: int, remaining_minor: int) -> OrderRefunded:
    return OrderRefunded(ORDER_ID, refund_id, RED, amount_minor, "CNY", remaining_minor, True, None, "S-1001")
