"""Settlement: looks at a post verify it or take it down; an authorised payment is asked of the ledger and settled.

The settlement delay and the freeze of a dispute are the collaboration's own: it authorises the payment at the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

from kernel.core.decider import Context, Decider
from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import derived_id, split_stream
from services.campaigns.domain.settlement.causes import ContentLookedAt, PaymentReleased
from services.campaigns.domain.settlement.events import (
    PartPaid,
    PaymentRequested,
    SettlementEvent,
    SettlementRequested,
    TakeDownRequested,
    VerificationRequested,
)
from services.campaigns.domain.shared.requests import RequestRefused
from services.campaigns.domain.shared.work_events import PaymentAuthorised

CATEGORY = "settlement"


@dataclass(frozen=True, slots=True)
class Settlement:
    """`seen` is whether the newest look was good, `attempt` the newest payment asked for; `parts` are the partial payments,
    which brought the creator `parts_net_minor`."""

    look_id: str = ""
    seen: bool = False
    attempt: int = 0
    settled: bool = False
    refused: str = ""
    parts: tuple[str, ...] = ()
    parts_net_minor: int = 0


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per deliverable."""
    match incoming.event:
        case ContentLookedAt() | PaymentAuthorised() | PaymentReleased() as event:
            return f"{CATEGORY}-{event.deliverable_id}"
        case CommandRefused(requester=requester):
            return requester if split_stream(requester)[0] == CATEGORY else None
        case _:
            return None


def decide(incoming: Delivered[Any], state: Settlement, context: Context) -> Sequence[SettlementEvent]:
    """The next step; looks after the payment concern nobody here."""
    match incoming.event:
        case ContentLookedAt() as event:
            return _looked(event, state)
        case PaymentAuthorised() as event:
            return _authorised(event, split_stream(incoming.stream)[1], state)
        case PaymentReleased() as event:
            return _released(event, state)
        case CommandRefused(command_id=command_id, command=command, code=code):
            return [] if command_id == state.refused else [RequestRefused(command_id, command, code)]
        case _:
            return []


def _looked(event: ContentLookedAt, state: Settlement) -> Sequence[SettlementEvent]:
    if state.settled or state.look_id == event.look_id or (event.ok and state.seen):
        return []
    if event.ok:
        return [VerificationRequested(event.collaboration_id, event.deliverable_id, event.look_id)]
    return [TakeDownRequested(event.collaboration_id, event.deliverable_id, event.look_id, _fault(event))]


def _fault(event: ContentLookedAt) -> str:
    if not event.found:
        return "content.gone"
    return "content.text_changed" if event.label_present else "content.label_missing"


def _authorised(event: PaymentAuthorised, collaboration_id: str, state: Settlement) -> Sequence[SettlementEvent]:
    if state.settled or event.attempt <= state.attempt:
        return []
    return [
        PaymentRequested(
            collaboration_id,
            event.parties,
            event.deliverable_id,
            derived_id("release", event.deliverable_id),
            event.attempt,
            event.fee_minor,
            event.brand_fee_minor,
            event.creator_fee_bps,
            event.currency,
        )
    ]


def _released(event: PaymentReleased, state: Settlement) -> Sequence[SettlementEvent]:
    if state.settled or event.release_id in state.parts:
        return []
    if event.partial:
        return [PartPaid(event.release_id, event.creator_net_minor)]
    where = (event.collaboration_id, event.deliverable_id, event.release_id)
    return [SettlementRequested(*where, event.creator_net_minor + state.parts_net_minor, event.currency)]


def evolve(state: Settlement, event: SettlementEvent) -> Settlement:
    """The fold; total. A refused request leaves the newest look open, so that the next good one counts again."""
    match event:
        case VerificationRequested(look_id=look_id):
            return replace(state, look_id=look_id, seen=True)
        case TakeDownRequested(look_id=look_id):
            return replace(state, look_id=look_id, seen=False)
        case PaymentRequested(attempt=attempt):
            return replace(state, attempt=attempt)
        case PartPaid(release_id, net_minor):
            return replace(state, parts=(*state.parts, release_id), parts_net_minor=state.parts_net_minor + net_minor)
        case SettlementRequested():
            return replace(state, settled=True)
        case RequestRefused(command_id=command_id):
            return replace(state, seen=False, refused=command_id)
        case _:
            assert_never(event)


SETTLEMENT = Decider(CATEGORY, Settlement(), decide, evolve, published=False)
