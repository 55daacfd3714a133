"""The order aggregate, stream `order-<order id>`. An order is attributed when it is recorded and never again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kernel.core.bounds import limits
from kernel.core.decider import Context, Decider, InlineTable, Key
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import split_stream
from kernel.core.money import checked_currency
from services.metrics.domain.attribution import checked_window, owns
from services.metrics.domain.order.changes import applied, changed, kept
from services.metrics.domain.order.commands import Change, Command, RecordOrder
from services.metrics.domain.order.events import Event, OrderRecorded
from services.metrics.domain.order.evidence import attributed, evidence_keys
from services.metrics.domain.order.state import ORDER_NUMBERS, State, evolve
from services.metrics.domain.order.worth import check_amount

MAX_AHEAD = timedelta(minutes=5)


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    """Raises Forbidden for another brand, Invalid on bad values, Refused when it would count twice or below zero."""
    brand_id = command.brand_id if isinstance(command, RecordOrder) else context.tenant
    if not owns(context, brand_id):
        raise Forbidden("order.not_a_party")
    if isinstance(command, RecordOrder):
        return _record(command, state, context)
    return _change(command, state, context)


def _record(command: RecordOrder, state: State, context: Context) -> Sequence[Event]:
    _check(command, context.at)
    made = _recorded(command, context)
    if state.order is not None:
        return _repeated(made, state.order)
    holder = context.rows.get(ORDER_NUMBERS, (command.brand_id, command.order_number))
    if holder is not None and holder.order_id != command.given_back:
        raise Refused("order.number_taken", order_id=holder.order_id)
    return [made, *applied(evolve(state, made), made)]


def _change(command: Change, state: State, context: Context) -> Sequence[Event]:
    if state.order is not None:
        return changed(command, state.order, state)
    if context.actor.tenant != context.tenant or "system" in context.actor.roles:
        raise Refused("order.not_recorded")  # who is no party to a brand's store cannot say whose the order will be
    return kept(command, state, split_stream(context.stream)[1], context.tenant)


def _check(command: RecordOrder, now: datetime) -> None:
    checked_currency(command.currency)
    checked_window(command.window_s)
    check_amount(command.amount_minor, command.currency, command.limit_major)
    least, most = limits(command, "items")
    if not least <= command.items <= most:
        raise Invalid("order.items_out_of_range", items=command.items, limit=most)
    shortest, longest = limits(command, "order_number")
    if not shortest <= len(command.order_number) <= longest or not command.order_number.isprintable():
        raise Invalid("order.number_malformed", limit=longest)
    if command.ordered_at > now + MAX_AHEAD:
        raise Invalid("order.in_the_future")
    if command.placement is not None:
        command.placement.checked()


def _recorded(command: RecordOrder, context: Context) -> OrderRecorded:
    found = attributed(command, context.rows)
    return OrderRecorded(
        split_stream(context.stream)[1],
        command.brand_id,
        command.order_number,
        command.amount_minor,
        command.currency,
        command.items,
        command.ordered_at,
        command.new_customer,
        found.attribution,
        found.unusable,
        found.usable,
        found.passed_over,
        found.contacts,
    )


def _repeated(made: OrderRecorded, stands: OrderRecorded) -> Sequence[Event]:
    """The same order again is silence; its first attribution stands, whatever became known since."""
    if _bare(made) != _bare(stands):
        raise Refused("order.already_recorded", order_id=stands.order_id)
    return []


def _bare(order: OrderRecorded) -> OrderRecorded:
    """The order without what its evidence led to."""
    return replace(order, attribution=None, unusable=(), usable=(), passed_over=0, contacts=())


def _reads(command: Command, state: State) -> list[tuple[InlineTable[Any], Key]]:
    """Also the number that a refund may set free."""
    if isinstance(command, RecordOrder):
        return [(ORDER_NUMBERS, (command.brand_id, command.order_number)), *evidence_keys(command)]
    return [(ORDER_NUMBERS, (state.order.brand_id, state.order.order_number))] if state.order else []


def _owner(command: Command) -> str | None:
    return command.brand_id if isinstance(command, RecordOrder) else None


ORDER: Decider[Command, State, Event] = Decider("order", State(), decide, evolve, owner=_owner, reads=_reads)
