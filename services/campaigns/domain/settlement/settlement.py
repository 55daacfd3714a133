"""Settlement: looks at a post verify it or take it down, before it is paid and after; an authorised payment is asked of the
ledger and settled, and so is a claw-back.

The settlement delay and the freeze of a dispute are the collaboration's own: it authorises the payment at the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

from kernel.core.decider import Context, Decider
from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import derived_id, split_stream
from services.campaigns.domain.settlement.causes import (
    ContentLookedAt,
    PaymentClawedBack,
    PaymentDeferred,
    PaymentReleased,
)
from services.campaigns.domain.settlement.events import (
    ClawBackConfirmed,
    ClawBackFailed,
    ClawBackRequested,
    PartPaid,
    PaymentRequested,
    PaymentWaitNoted,
    SettlementEvent,
    SettlementRequested,
    TakeDownRequested,
    VerificationRequested,
)
from services.campaigns.domain.shared.posts import AUTHOR_DIFFERS
from services.campaigns.domain.shared.requests import RequestRefused
from services.campaigns.domain.shared.work_events import ClawBackOrdered, PaymentAuthorised

CATEGORY = "settlement"
CLAW_BACK = "ClawBackPayment"
"""The ledger's command, as a refusal of it is called."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """`seen` is whether the newest look was good, `attempt` the newest payment asked for, `clawing` the newest claw-back, asked
    for under `claw_back` (collaboration, deliverable, id); `parts` are the partial payments, which brought the creator
    `parts_net_minor`."""

    look_id: str = ""
    seen: bool = False
    attempt: int = 0
    settled: bool = False
    refused: str = ""
    clawing: int = 0
    clawed_back: bool = False
    claw_back: tuple[str, str, str] = ("", "", "")
    waits_for: str = ""
    parts: tuple[str, ...] = ()
    parts_net_minor: int = 0


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per deliverable."""
    match incoming.event:
        case (
            ContentLookedAt() | PaymentAuthorised() | PaymentDeferred() | PaymentReleased() | ClawBackOrdered()
            | PaymentClawedBack()
        ) as event:  # fmt: skip
            return f"{CATEGORY}-{event.deliverable_id}"
        case CommandRefused(requester=requester):
            return requester if split_stream(requester)[0] == CATEGORY else None
        case _:
            return None


def decide(incoming: Delivered[Any], state: Settlement, context: Context) -> Sequence[SettlementEvent]:
    """The next step; a late or repeated event decides nothing."""
    match incoming.event:
        case ContentLookedAt() as event:
            return _looked(event, state)
        case PaymentAuthorised() as event:
            return _authorised(event, split_stream(incoming.stream)[1], state)
        case PaymentReleased() as event:
            return _released(event, state)
        case ClawBackOrdered() as event:
            return _claw_back(event, split_stream(incoming.stream)[1], state)
        case PaymentClawedBack() as event:
            return [] if state.clawed_back else [_confirmed(event)]
        case PaymentDeferred() as event:
            return _deferred(event, state)
        case CommandRefused() as event:
            return [] if event.command_id == state.refused else _refused(event, state)
        case _:
            return []


def _looked(event: ContentLookedAt, state: Settlement) -> Sequence[SettlementEvent]:
    """An unreadable look decides nothing: the platform is waited for, and staff are told of the wait."""
    if state.look_id == event.look_id or (event.ok and state.seen) or event.unreadable:
        return []
    if event.ok:
        return [VerificationRequested(event.collaboration_id, event.deliverable_id, event.look_id)]
    where = (event.collaboration_id, event.deliverable_id, event.look_id)
    return [TakeDownRequested(*where, _fault(event), event.looked_at)]


def _fault(event: ContentLookedAt) -> str:
    if not event.found:
        return "content.gone"
    if event.author_differs:
        return AUTHOR_DIFFERS
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


def _claw_back(event: ClawBackOrdered, collaboration_id: str, state: Settlement) -> Sequence[SettlementEvent]:
    """Where nothing was paid nothing is asked for."""
    if not event.amount_minor or event.attempt <= state.clawing:
        return []
    where = (collaboration_id, event.parties, event.deliverable_id, event.claw_back_id, event.attempt)
    return [ClawBackRequested(*where, event.amount_minor, event.currency, event.reason)]


def _deferred(event: PaymentDeferred, state: Settlement) -> Sequence[SettlementEvent]:
    """Of a release that was asked for; a kill fee is the ledger's own matter, as the work has ended."""
    if state.settled or not state.attempt or event.reason == state.waits_for:
        return []
    return [PaymentWaitNoted(event.collaboration_id, event.deliverable_id, event.reason)]


def _refused(event: CommandRefused, state: Settlement) -> Sequence[SettlementEvent]:
    """A claw-back that is refused is at its end, and the collaboration hears of it."""
    noted = RequestRefused(event.command_id, event.command, event.code)
    if event.command != CLAW_BACK or state.clawed_back or not state.clawing:
        return [noted]
    return [noted, ClawBackFailed(*state.claw_back, event.code)]


def _confirmed(event: PaymentClawedBack) -> ClawBackConfirmed:
    where = (event.collaboration_id, event.deliverable_id, event.claw_back_id)
    return ClawBackConfirmed(*where, event.taken_minor, event.owed_minor, event.currency)


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
        case ClawBackRequested(attempt=attempt):
            asked = (event.collaboration_id, event.deliverable_id, event.claw_back_id)
            return replace(state, clawing=attempt, claw_back=asked)
        case PaymentWaitNoted(reason=reason):
            return replace(state, waits_for=reason)
        case ClawBackConfirmed():
            return replace(state, clawed_back=True)
        case ClawBackFailed():
            return state
        case RequestRefused(command_id=command_id):
            return replace(state, seen=False, refused=command_id)
        case _:
            assert_never(event)


SETTLEMENT = Decider(CATEGORY, Settlement(), decide, evolve, published=False)
