"""What a collaboration's decisions know of it, folded from its events."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.core.canonical import Hashed
from services.campaigns.domain.collaboration.deliverable import Deliverable, Stage, evolve_deliverable
from services.campaigns.domain.shared.content_events import Ruler
from services.campaigns.domain.shared.contract import Contract
from services.campaigns.domain.shared.funding_events import FundingRetried, FundingWaits
from services.campaigns.domain.shared.work_events import (
    WITHDRAWN,
    AmendmentConsented,
    Awaited,
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationFunded,
    CollaborationSettled,
    DeliverableLapsed,
    DisputeEscalated,
    DisputeOpened,
    DisputeRuled,
    Due,
    ProductReceived,
    ProductSent,
    WorkEvent,
    WorkStarted,
)


class Status(StrEnum):
    """A cancelled collaboration may still settle what was verified before."""

    NEW = "new"
    CONTRACTED = "contracted"
    FUNDED = "funded"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class Product(StrEnum):
    """Whether a product has to be sent, and how far it is."""

    NONE = "none"
    AWAITED = "awaited"
    SENT = "sent"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class State:
    """`due_at` is the clock of the whole: funding, then the product. `disputed_at` is set while a dispute is open, which
    `disputed_by` has opened (known also once it is withdrawn) and staff are to rule on by `dispute_due_at`; `escalations` counts
    how often they did not. Clocks that a dispute stops are counted from its opening."""

    status: Status = Status.NEW
    contract: Hashed[Contract] | None = None
    product: Product = Product.NONE
    due_at: datetime | None = None
    deliverables: tuple[Deliverable, ...] = ()
    disputed_at: datetime | None = None
    ruling: tuple[str, int] | None = None
    disputed_by: Ruler | None = None
    dispute_due_at: datetime | None = None
    escalations: int = 0
    cancelled_by: Ruler | None = None
    funding_waits_for: str = ""
    """Why the ledger does not hold `uncovered_minor` of the contract at `funding_attempt`; empty while the ledger is asked."""
    uncovered_minor: int = 0
    funding_attempt: int = 1
    funding_retry_at: datetime | None = None
    shipment: tuple[str, str] = ("", "")
    """Carrier and tracking number of the product that was sent."""

    def paused(self, at: datetime) -> timedelta:
        """How long an open dispute has stopped the clocks."""
        return at - self.disputed_at if self.disputed_at is not None else timedelta(0)

    @property
    def awaits(self) -> str:
        """Whom of the platform's own it waits for past the time; empty: nobody."""
        if self.escalations:
            return Awaited.STAFF.value
        return next((one.awaits for one in self.deliverables if one.awaits), "")


def evolve(state: State, event: WorkEvent) -> State:
    """The fold; total."""
    match event:
        case CollaborationContracted(contract, _, due_at):
            return _contracted(contract, due_at)
        case CollaborationFunded():
            return replace(_asked(state), status=Status.FUNDED, due_at=event.product_due_at)
        case FundingWaits():
            waits = replace(state, funding_waits_for=event.reason, uncovered_minor=event.uncovered_minor)
            return replace(waits, funding_attempt=event.attempt, funding_retry_at=event.retry_at)
        case FundingRetried():
            return replace(_asked(state), funding_attempt=event.attempt)
        case ProductSent():
            sent = (event.carrier, event.tracking)
            return replace(state, product=Product.SENT, due_at=event.due_at, shipment=sent)
        case ProductReceived():
            return replace(state, product=Product.RECEIVED, due_at=None)
        case WorkStarted(clocks):
            return _due(state, clocks, Stage.OPEN)
        case AmendmentConsented(contract, _):
            return replace(state, contract=contract)
        case DeliverableLapsed():
            return _end(state, event.ended.deliverable_id)
        case CollaborationSettled():
            return replace(state, status=Status.SETTLED)
        case CollaborationCancelled():
            ended = [each.deliverable_id for each in event.deliverables]
            return _end(replace(_asked(state), status=Status.CANCELLED, due_at=None, cancelled_by=event.by), *ended)
        case DisputeOpened():
            opened = replace(state, disputed_at=event.opened_at, disputed_by=event.by, ruling=None)
            return replace(opened, dispute_due_at=event.rule_by, escalations=0)
        case DisputeEscalated():
            return replace(state, dispute_due_at=event.due_at, escalations=event.escalations)
        case DisputeRuled():
            return _ruled(state, event)
        case _:
            return _each(state, (event.deliverable_id,), lambda one: evolve_deliverable(one, event))


def _asked(state: State) -> State:
    """Nothing is waited for: the ledger is being asked, or the wait is over."""
    return replace(state, funding_waits_for="", uncovered_minor=0, funding_retry_at=None)


def _ruled(state: State, event: DisputeRuled) -> State:
    going_on = replace(_due(state, event.clocks), due_at=event.product_due_at, ruling=(event.outcome, event.share_bps))
    by = state.disputed_by if event.outcome == WITHDRAWN else None
    return replace(going_on, disputed_at=None, disputed_by=by, dispute_due_at=None, escalations=0)


def _contracted(document: Hashed[Contract], due_at: datetime) -> State:
    contract = document.value
    product = Product.AWAITED if contract.ships else Product.NONE
    return State(Status.CONTRACTED, document, product, due_at, tuple(map(Deliverable, contract.deliverables)))


def _due(state: State, clocks: tuple[Due, ...], stage: Stage | None = None) -> State:
    """New times; the end of a notice moves with the clock, so that a report of restoring loses none of what a dispute gave."""
    due = {each.deliverable_id: each.due_at for each in clocks}

    def moved(one: Deliverable) -> Deliverable:
        due_at = due[one.terms.deliverable_id]
        cure_by = one.cure_by + (due_at - one.due_at) if one.cure_by and one.due_at else one.cure_by
        return replace(one, due_at=due_at, cure_by=cure_by, stage=stage or one.stage)

    return _each(state, tuple(due), moved)


def _end(state: State, *ids: str) -> State:
    return _each(state, ids, lambda one: replace(one, stage=Stage.ENDED, due_at=None, awaits="", escalations=0))


def _each(state: State, ids: tuple[str, ...], change: Callable[[Deliverable], Deliverable]) -> State:
    changed = [change(one) if one.terms.deliverable_id in ids else one for one in state.deliverables]
    return replace(state, deliverables=tuple(changed))
