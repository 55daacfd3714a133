"""Payouts that are held: another service says that nothing is to be paid to an owner until it says otherwise.

What was asked before goes on: the provider has it. Money that is released meanwhile is the owner's and waits with the rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Refused
from kernel.core.ids import checked_id, stream_id

HOLD = "hold"


@dataclass(frozen=True, slots=True)
class HoldPayouts:
    """`reason` is a code, e.g. `authenticity.fraud`."""

    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResumePayouts:
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayoutsHeld:
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayoutsResumed:
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayoutHold:
    """One row of the inline table `payout_holds`."""

    owner: str
    reason: str


HoldCommand = HoldPayouts | ResumePayouts
HoldEvent = PayoutsHeld | PayoutsResumed


def hold_stream(owner: str) -> str:
    return stream_id(HOLD, checked_id(owner))


def check_not_held(owner: str, rows: Rows) -> None:
    """Raises Refused `payout.held` with the reason."""
    hold = rows.get(HOLDS, (owner,))
    if hold is not None:
        do = "appeal the judgement that it follows from; a ruling ends the hold"
        raise Refused("payout.held", reason=hold.reason, do=do)


def _decide(command: HoldCommand, state: PayoutsHeld | None, context: Context) -> Sequence[HoldEvent]:
    context.actor.require("system")
    if isinstance(command, HoldPayouts):
        event = PayoutsHeld(command.owner, command.reason)
        return [] if event == state else [event]
    return [] if state is None else [PayoutsResumed(command.owner, command.reason)]


def _evolve(state: PayoutsHeld | None, event: HoldEvent) -> PayoutsHeld | None:
    return event if isinstance(event, PayoutsHeld) else None


def _fold(fact: DecidedEvent[HoldEvent], rows: Rows) -> Iterable[tuple[Key, PayoutHold | None]]:
    event = fact.event
    yield (event.owner,), PayoutHold(event.owner, event.reason) if isinstance(event, PayoutsHeld) else None


def _owner(command: HoldCommand) -> str:
    return command.owner


HOLDS: InlineTable[PayoutHold] = InlineTable(
    "payout_holds", PayoutHold, ("owner",), (PayoutsHeld, PayoutsResumed), _fold
)
HOLDING: Decider[Any, PayoutsHeld | None, HoldEvent] = Decider(
    HOLD, None, _decide, _evolve, published=False, owner=_owner
)
