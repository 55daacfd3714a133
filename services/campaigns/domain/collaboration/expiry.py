"""What happens when a deliverable's clock runs out: every stage has a way out."""

from collections.abc import Sequence
from typing import assert_never

from services.campaigns.domain.collaboration.commands import ExpireDeliverable
from services.campaigns.domain.collaboration.content import approved
from services.campaigns.domain.collaboration.deliverable import Stage, lapsed
from services.campaigns.domain.collaboration.publication import settled
from services.campaigns.domain.collaboration.work import Work
from services.campaigns.domain.shared.content_events import ReviewReminded, Ruler
from services.campaigns.domain.shared.work_events import PaymentAuthorised, WorkEvent

MAX_PAYMENT_ATTEMPTS = 30


def expire(command: ExpireDeliverable, work: Work) -> Sequence[WorkEvent]:
    """Decides nothing unless this very clock is the one that runs; that it is over is the clock's word."""
    work.context.actor.require("system")
    return _overdue(work) if work.deliverable.due_at == command.due_at else []


def _overdue(work: Work) -> Sequence[WorkEvent]:
    """The creator's delay pays nothing; who waits for somebody else is treated as if that one had agreed."""
    stage = work.deliverable.stage
    match stage:
        case Stage.OPEN | Stage.OUTLINED | Stage.REVISION_REQUESTED:
            return [_lapsed(work, "content.draft_overdue", 0)]
        case Stage.APPROVED | Stage.SCHEDULED | Stage.TAKEN_DOWN:
            return [_lapsed(work, "content.publication_overdue", 0)]
        case Stage.PUBLISHED:
            return [_lapsed(work, "content.never_verified", 0)]
        case Stage.DRAFT_SUBMITTED:
            return [_lapsed(work, "content.review_overdue", None)]
        case Stage.OUTLINE_SUBMITTED | Stage.IN_REVIEW:
            return [_remind_or_approve(work)]
        case Stage.IN_RULING:
            return [approved(work, Ruler.CLOCK)]
        case Stage.VERIFIED | Stage.PAYING:
            return _pay(work)
        case Stage.WAITING | Stage.SETTLED | Stage.ENDED:
            return []
        case _:
            assert_never(stage)


def _lapsed(work: Work, reason: str, share_bps: int | None) -> WorkEvent:
    return lapsed(work.deliverable, work.contract, reason, work.context.at, share_bps)


def _remind_or_approve(work: Work) -> WorkEvent:
    if work.deliverable.reminded:
        return approved(work, Ruler.CLOCK)
    due_at = work.after(work.contract.terms.value.clocks.review_reminder_s)
    return ReviewReminded(work.contract.parties, work.deliverable.terms.deliverable_id, due_at)


def _pay(work: Work) -> Sequence[WorkEvent]:
    """Asks for the payment, and again a bounded number of times if no answer came; a gift is settled at once."""
    one, contract = work.deliverable, work.contract
    if one.terms.escrow_minor == 0:
        return [settled("", 0, work)]
    if one.attempts >= MAX_PAYMENT_ATTEMPTS:
        return []
    return [
        PaymentAuthorised(
            contract.parties,
            one.terms.deliverable_id,
            one.attempts + 1,
            one.terms.fee_minor,
            one.terms.brand_fee_minor,
            contract.terms.value.creator_fee_bps,
            contract.currency,
            work.after(contract.terms.value.clocks.payment_retry_s),
        )
    ]
