"""State of an order, folded from its events, and the inline table of the store's order numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import assert_never

from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from services.metrics.domain.order.events import Event, OrderAmended, OrderChangeKept, OrderRecorded, OrderRefunded


@dataclass(frozen=True, slots=True)
class State:
    """What was recorded, changed and kept stays, so that a repeat is told from another change under the same id."""

    order: OrderRecorded | None = None
    refunds: tuple[OrderRefunded, ...] = ()
    amendments: tuple[OrderAmended, ...] = ()
    kept: tuple[OrderChangeKept, ...] = ()

    @property
    def amount_minor(self) -> int:
        """What the order is worth before refunds; 0 before it is recorded."""
        if self.amendments:
            return self.amendments[-1].amount_minor
        return self.order.amount_minor if self.order else 0

    @property
    def items(self) -> int:
        if self.amendments:
            return self.amendments[-1].items
        return self.order.items if self.order else 0

    @property
    def refunded_minor(self) -> int:
        return sum(refund.amount_minor for refund in self.refunds)

    @property
    def left_minor(self) -> int:
        return self.amount_minor - self.refunded_minor

    @property
    def cancelled(self) -> bool:
        """True once a refund left nothing: the order counts no more, and its number is free."""
        return any(refund.complete for refund in self.refunds)


def evolve(state: State, event: Event) -> State:
    match event:
        case OrderRecorded():
            return replace(state, order=event)
        case OrderRefunded():
            return replace(state, refunds=(*state.refunds, event))
        case OrderAmended():
            return replace(state, amendments=(*state.amendments, event))
        case OrderChangeKept():
            return replace(state, kept=(*state.kept, event))
        case _:
            assert_never(event)


@dataclass(frozen=True, slots=True)
class OrderNumber:
    """Inline row: which order holds a store's order number."""

    brand_id: str
    order_number: str
    order_id: str


def _fold(fact: DecidedEvent[OrderRecorded | OrderRefunded], rows: Rows) -> Iterable[tuple[Key, OrderNumber | None]]:
    """An order takes its number; one that was refunded completely gives it back."""
    event = fact.event
    key = (event.brand_id, event.order_number)
    match event:
        case OrderRecorded():
            yield key, OrderNumber(event.brand_id, event.order_number, event.order_id)
        case OrderRefunded():
            if event.complete and event.order_number:
                yield key, None


ORDER_NUMBERS: InlineTable[OrderNumber] = InlineTable(
    "order_numbers", OrderNumber, ("brand_id", "order_number"), (OrderRecorded, OrderRefunded), _fold
)
