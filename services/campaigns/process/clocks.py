"""The clocks of campaigns as rows: each event sets, moves or clears the deadlines of its stream."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.processors.processes import Deadline, deadlines
from services.campaigns.codec import CODEC
from services.campaigns.domain.application.commands import ExpireInvitation
from services.campaigns.domain.campaign.campaign import ExpireCampaign
from services.campaigns.domain.collaboration.commands import ExpireCollaboration, ExpireDeliverable
from services.campaigns.domain.shared.content_events import (
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
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationFunded,
    DeliverableLapsed,
    DeliverableSettled,
    DisputeRuled,
    Due,
    PaymentAuthorised,
    ProductReceived,
    ProductSent,
    WorkStarted,
)

WINDOW, OFFER, WHOLE = "window", "offer", "collaboration"
Timer = tuple[str, object | None]
"""The name of a clock, and the command it gives when due (None: the clock is stopped)."""


def timers(event: Any) -> Iterable[Timer]:
    """The clocks that an event sets or stops. A deliverable has one, named by its id."""
    match event:
        case BriefPublished(closes_at=due_at) | BriefAmended(closes_at=due_at):
            return [(WINDOW, ExpireCampaign(due_at))] if due_at else []
        case CampaignClosed() | CampaignCancelled():
            return [(WINDOW, None)]
        case CreatorInvited(expires_at=due_at) | ApplicationSubmitted(expires_at=due_at):
            return [(OFFER, ExpireInvitation(due_at))]
        case OfferCountered(expires_at=due_at):
            return [(OFFER, ExpireInvitation(due_at))]
        case ApplicationAccepted() | ApplicationDeclined() | ApplicationWithdrawn() | ApplicationExpired():
            return [(OFFER, None)]
        case _:
            return _work_timers(event)


def _work_timers(event: Any) -> Iterable[Timer]:
    match event:
        case CollaborationContracted(funding_due_at=due_at) | CollaborationFunded(product_due_at=due_at):
            return [_whole(due_at)]
        case ProductSent(due_at=due_at):
            return [_whole(due_at)]
        case ProductReceived():
            return [_whole(None)]
        case WorkStarted(clocks):
            return [_one(each) for each in clocks]
        case DisputeRuled(clocks=clocks, product_due_at=due_at):
            return [_whole(due_at), *(_one(each) for each in clocks)]
        case DeliverableLapsed(ended=ended):
            return [(ended.deliverable_id, None)]
        case DeliverableSettled(deliverable_id=deliverable_id):
            return [(deliverable_id, None)]
        case CollaborationCancelled(deliverables=ended):
            return [_whole(None), *((each.deliverable_id, None) for each in ended)]
        case _:
            return [_one(Due(event.deliverable_id, event.due_at))]


def _whole(due_at: datetime | None) -> Timer:
    return WHOLE, ExpireCollaboration(due_at) if due_at else None


def _one(due: Due) -> Timer:
    return due.deliverable_id, ExpireDeliverable(due.deliverable_id, due.due_at)


def fold(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, Deadline | None]]:
    """Rows of the `deadlines` table; the command is stored under its codec name."""
    for name, command in timers(fact.event):
        yield (fact.stream, name), _row(fact.stream, name, command)


def _row(stream: str, name: str, command: Any) -> Deadline | None:
    if command is None:
        return None
    stored, data = CODEC.encode(command)
    return Deadline(stream, name, command.due_at, stored, data.decode())


DEADLINES: InlineTable[Deadline] = deadlines(
    (
        BriefPublished,
        BriefAmended,
        CampaignClosed,
        CampaignCancelled,
        CreatorInvited,
        ApplicationSubmitted,
        OfferCountered,
        ApplicationAccepted,
        ApplicationDeclined,
        ApplicationWithdrawn,
        ApplicationExpired,
        CollaborationContracted,
        CollaborationFunded,
        ProductSent,
        ProductReceived,
        WorkStarted,
        DisputeRuled,
        ContentSubmitted,
        ContentReviewed,
        RevisionRequested,
        RulingRequested,
        ReviewReminded,
        ContentApproved,
        ContentScheduled,
        ContentPublished,
        ContentTakenDown,
        ContentVerified,
        PaymentAuthorised,
        DeliverableSettled,
        DeliverableLapsed,
        CollaborationCancelled,
    ),
    fold,
)
