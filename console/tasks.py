"""What needs a person now, worked out from what the queries answer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from dandelion.campaigns.v1.events_pb2 import PARTY_BRAND, Party
from dandelion.campaigns.v1.queries_pb2 import (
    APPLICATION_STATUS_APPLIED,
    APPLICATION_STATUS_COUNTERED,
    APPLICATION_STATUS_INVITED,
    DELIVERABLE_STATUS_APPROVED,
    DELIVERABLE_STATUS_BREACHED,
    DELIVERABLE_STATUS_OPEN,
    DELIVERABLE_STATUS_OUTLINED,
    DELIVERABLE_STATUS_REVIEWED,
    DELIVERABLE_STATUS_REVISION_REQUESTED,
    DELIVERABLE_STATUS_SCHEDULED,
    Application,
    Collaboration,
    DeliverableView,
    Dispute,
)
from dandelion.compliance.v1.queries_pb2 import Erasure, Review
from dandelion.ledger.v1.queries_pb2 import HandMove

from console.look.formats import at
from console.words import mark

WAITING = (APPLICATION_STATUS_APPLIED, APPLICATION_STATUS_INVITED, APPLICATION_STATUS_COUNTERED)


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that waits for the reader: the sentence (marked), where one acts, whom and what it is about, until when."""

    said: str
    to: str
    icon: str
    campaign_id: str = ""
    creator_id: str = ""
    until: datetime | None = None
    is_late: bool = False
    count: int = 0
    """Of things that stand in one list: how many."""


def of_applications(applications: Iterable[Application], me: "Party.ValueType") -> Iterator[Task]:
    """Offers of the other side, which wait for an answer of `me`."""
    for one in applications:
        if one.status in WAITING and one.offered_by != me:
            yield Task(
                mark("An offer waits for your answer"),
                f"/applications/{one.application_id}",
                "handshake",
                one.campaign_id,
                one.creator_id if me == PARTY_BRAND else "",
                at(one.expires_at) if one.HasField("expires_at") else None,
            )


OF_BRAND = {
    DELIVERABLE_STATUS_OUTLINED: mark("An outline waits for your decision"),
    DELIVERABLE_STATUS_REVIEWED: mark("A draft waits for your decision"),
}
OF_CREATOR = {
    DELIVERABLE_STATUS_OPEN: mark("Content is to be handed in"),
    DELIVERABLE_STATUS_REVISION_REQUESTED: mark("A revision is asked for"),
    DELIVERABLE_STATUS_APPROVED: mark("Approved: schedule or publish it"),
    DELIVERABLE_STATUS_SCHEDULED: mark("To be published"),
    DELIVERABLE_STATUS_BREACHED: mark("The post is gone or changed: restore it"),
}


def of_collaborations(collaborations: Iterable[Collaboration], me: "Party.ValueType", now: datetime) -> Iterator[Task]:
    """Deliverables whose next step is `me`'s, and money that the brand has to bring."""
    for one in collaborations:
        to = f"/collaborations/{one.collaboration_id}"
        creator = one.creator_id if me == PARTY_BRAND else ""
        if me == PARTY_BRAND and one.funding_waits_for:
            yield Task(mark("The escrow waits for your deposit"), to, "wallet", one.campaign_id, creator)
        for view in one.deliverables:
            said = (OF_BRAND if me == PARTY_BRAND else OF_CREATOR).get(view.status)
            if said:
                until = _until(view)
                yield Task(said, to, "file-text", one.campaign_id, creator, until, until is not None and until < now)


def of_reviews(reviews: Iterable[Review]) -> Iterator[Task]:
    """Content that the rules leave to a person; the longest waiting first."""
    for one in reviews:
        yield Task(
            mark("Content waits for your ruling"),
            f"/reviews/{one.review_id}",
            "shield-check",
            one.campaign_id,
            one.creator_id,
        )


def of_disputes(disputes: Iterable[Dispute], now: datetime) -> Iterator[Task]:
    for one in disputes:
        due = at(one.due_at)
        said, to = mark("A dispute waits for a ruling"), f"/disputes/{one.collaboration_id}"
        yield Task(said, to, "gavel", one.campaign_id, one.creator_id, due, due < now)


def of_moves(moves: Iterable[HandMove], me: str) -> Iterator[Task]:
    """Money that somebody else wants to move by hand: two people are needed."""
    for one in moves:
        if one.proposed_by != me:
            yield Task(
                mark("Money by hand waits for your approval"),
                "/finance/proposals",
                "banknote",
                until=at(one.expires_at),
            )


def of_books(deferred: int, discrepancies: int, failed: int) -> Iterator[Task]:
    """Finance's work list: how many of each kind are open."""
    for count, said, to, icon in (
        (deferred, mark("Payments wait for a residence or a rate"), "/finance", "clock"),
        (discrepancies, mark("The provider's books differ from ours"), "/finance", "scale"),
        (failed, mark("Payouts failed"), "/finance/transfers?status=TRANSFER_STATUS_FAILED", "triangle-alert"),
    ):
        if count:
            yield Task(said, to, icon, count=count)


def of_erasures(erasures: Iterable[Erasure]) -> Iterator[Task]:
    for _ in erasures:
        yield Task(mark("Somebody asks to be erased"), "/erasures", "user")


def _until(view: DeliverableView) -> datetime | None:
    if view.status == DELIVERABLE_STATUS_BREACHED and view.HasField("cure_by"):
        return at(view.cure_by)
    return at(view.publish_at) if view.HasField("publish_at") else None


def sorted_by_need(tasks: Iterable[Task]) -> list[Task]:
    """Late ones first, then by when they end; what has no end comes last."""
    return sorted(tasks, key=lambda one: (one.until is None, one.until.timestamp() if one.until else 0.0, one.to))
