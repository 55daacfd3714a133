"""The clocks of campaigns as rows: each event sets, moves or clears the deadlines of its stream."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.processors.processes import Deadline, deadlines
from services.campaigns.codec import CODEC
from services.campaigns.domain.application.commands import ExpireInvitation
from services.campaigns.domain.campaign.campaign import ExpireCampaign
from services.campaigns.domain.collaboration.commands import (
    ExpireCollaboration,
    ExpireDeliverable,
    ExpireDispute,
    RetryFunding,
)
from services.campaigns.domain.shared.content_events import (
    BreachCured,
    BreachNoticed,
    ContentApproved,
    ContentPublished,
    ContentReviewed,
    ContentScheduled,
    ContentSubmitted,
    ContentTakenDown,
    ContentVerified,
    ReviewReminded,
    RevisionRequested,
    RulingRequested,
)
from services.campaigns.domain.shared.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationExpired,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    BriefAmended,
    BriefPublished,
    CampaignCancelled,
    CampaignClosed,
    CreatorInvited,
    OfferCountered,
)
from services.campaigns.domain.shared.funding_events import FundingRetried, FundingWaits
from services.campaigns.domain.shared.work_events import (
    ClawBackOrdered,
    ClawBackRefused,
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationFunded,
    DeliverableClawedBack,
    DeliverableEscalated,
    DeliverableLapsed,
    DeliverableSettled,
    DisputeEscalated,
    DisputeOpened,
    DisputeRuled,
    Due,
    PaymentAuthorised,
    PaymentWaits,
    ProductReceived,
    ProductSent,
    WorkStarted,
)

WINDOW, OFFER, WHOLE, DISPUTE, RETRY = "window", "offer", "collaboration", "dispute", "funding"
Timer = tuple[str, object | None]
"""The name of a clock, and the command it gives when due (None: the clock is stopped)."""


def _whole(due_at: datetime | None) -> Timer:
    return WHOLE, ExpireCollaboration(due_at) if due_at else None


def _one(due: Due) -> Timer:
    return due.deliverable_id, ExpireDeliverable(due.deliverable_id, due.due_at)


def _window(event: BriefPublished | BriefAmended) -> Iterable[Timer]:
    return [(WINDOW, ExpireCampaign(event.closes_at))] if event.closes_at else []


def _offer(event: CreatorInvited | ApplicationSubmitted | OfferCountered) -> Iterable[Timer]:
    return [(OFFER, ExpireInvitation(event.expires_at))]


def _dispute(event: DisputeOpened | DisputeEscalated) -> Iterable[Timer]:
    return [(DISPUTE, ExpireDispute(event.rule_by if isinstance(event, DisputeOpened) else event.due_at))]


def _ruled(event: DisputeRuled) -> Iterable[Timer]:
    return [(DISPUTE, None), _whole(event.product_due_at), *map(_one, event.clocks)]


def _cancelled(event: CollaborationCancelled) -> Iterable[Timer]:
    return [_whole(None), (RETRY, None), *((each.deliverable_id, None) for each in event.deliverables)]


def _deliverable(event: Any) -> Iterable[Timer]:
    return [_one(Due(event.deliverable_id, event.due_at))]


TIMERS: dict[type, Callable[[Any], Iterable[Timer]]] = {
    BriefPublished: _window,
    BriefAmended: _window,
    CampaignClosed: lambda _: [(WINDOW, None)],
    CampaignCancelled: lambda _: [(WINDOW, None)],
    CreatorInvited: _offer,
    ApplicationSubmitted: _offer,
    OfferCountered: _offer,
    ApplicationAccepted: lambda _: [(OFFER, None)],
    ApplicationDeclined: lambda _: [(OFFER, None)],
    ApplicationWithdrawn: lambda _: [(OFFER, None)],
    ApplicationExpired: lambda _: [(OFFER, None)],
    CollaborationContracted: lambda event: [_whole(event.funding_due_at)],
    CollaborationFunded: lambda event: [_whole(event.product_due_at), (RETRY, None)],
    FundingWaits: lambda event: [(RETRY, RetryFunding(event.retry_at))],
    FundingRetried: lambda _: [(RETRY, None)],
    ProductSent: lambda event: [_whole(event.due_at)],
    ProductReceived: lambda _: [_whole(None)],
    WorkStarted: lambda event: map(_one, event.clocks),
    DisputeOpened: _dispute,
    DisputeEscalated: _dispute,
    DisputeRuled: _ruled,
    DeliverableLapsed: lambda event: [(event.ended.deliverable_id, None)],
    DeliverableSettled: lambda event: [(event.deliverable_id, None)],
    CollaborationCancelled: _cancelled,
    ContentSubmitted: _deliverable,
    ContentReviewed: _deliverable,
    RevisionRequested: _deliverable,
    RulingRequested: _deliverable,
    ReviewReminded: _deliverable,
    ContentApproved: _deliverable,
    ContentScheduled: _deliverable,
    ContentPublished: _deliverable,
    ContentTakenDown: _deliverable,
    ContentVerified: _deliverable,
    PaymentAuthorised: _deliverable,
    DeliverableEscalated: _deliverable,
    BreachNoticed: _deliverable,
    BreachCured: lambda event: [(event.deliverable_id, None)],
    ClawBackOrdered: _deliverable,
    DeliverableClawedBack: lambda event: [(event.deliverable_id, None)],
    ClawBackRefused: lambda event: [(event.deliverable_id, None)],
    PaymentWaits: _deliverable,
}
"""The clocks that an event sets or stops. A deliverable has one clock, named by its id."""


def fold(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, Deadline | None]]:
    """Rows of the `deadlines` table; the command is stored under its codec name."""
    for name, command in TIMERS[type(fact.event)](fact.event):
        yield (fact.stream, name), _row(fact.stream, name, command)


def _row(stream: str, name: str, command: Any) -> Deadline | None:
    if command is None:
        return None
    stored, data = CODEC.encode(command)
    return Deadline(stream, name, command.due_at, stored, data.decode())


DEADLINES: InlineTable[Deadline] = deadlines(tuple(TIMERS), fold)
