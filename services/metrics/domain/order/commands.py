"""Commands on an order's stream, `order-<order id>`; order.py decides them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import Interval, Len

from kernel.core.bounds import Asked
from services.metrics.domain.attribution import DEFAULT_WINDOW_S, Placement
from services.metrics.domain.order.events import Why
from services.metrics.domain.order.worth import ORDER_LIMIT_MAJOR


@dataclass(frozen=True, slots=True)
class RecordOrder:
    """`order_number` is the store's own, unique per brand; `click_ids` the touches the store knows of, any order.

    `click_ids` and `coupon_code` are evidence as it came: a value that names nothing costs the order nothing. `placement`
    is the deliverable that the store reports, or `not_placed` says why the reported one is none of the brand's.
    `given_back` is an earlier order of this number that was refunded completely, where the edge knows of one: events of
    0.1.0 did not set the number free. `limit_major` bounds the amount (worth.py).
    """

    brand_id: str
    order_number: Annotated[str, Asked(Len(1, 64))]
    amount_minor: int
    currency: str
    items: Annotated[int, Asked(Interval(ge=1, le=10_000))]
    ordered_at: datetime
    new_customer: bool = False
    click_ids: tuple[str, ...] = ()
    coupon_code: str | None = None
    placement: Placement | None = None
    window_s: int = DEFAULT_WINDOW_S
    not_placed: Why | None = None
    given_back: str = ""
    limit_major: int = ORDER_LIMIT_MAJOR


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Gives back `amount_minor` of the order under the store's refund id (a UUID).

    None: all that is left, and the order is off.
    """

    refund_id: str
    amount_minor: int | None


@dataclass(frozen=True, slots=True)
class AmendOrder:
    """Sets what the order is worth before refunds, up or down, under the store's amendment id (a UUID).

    `items` None: as many as before.
    """

    amendment_id: str
    amount_minor: int
    items: Annotated[int | None, Asked(Interval(ge=1, le=10_000))] = None
    limit_major: int = ORDER_LIMIT_MAJOR


Change = RefundOrder | AmendOrder
Command = RecordOrder | Change
