"""What happens when a deliverable's clock runs out: every stage has a way out."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from services.campaigns.domain.collaboration.breach import claw_back, excused
from services.campaigns.domain.collaboration.commands import ExpireDeliverable, NotePaymentWait
from services.campaigns.domain.collaboration.content import approved
from services.campaigns.domain.collaboration.deliverable import Stage, lapsed
from services.campaigns.domain.collaboration.dispute import opened
from services.campaigns.domain.collaboration.publication import settled, verified
from services.campaigns.domain.collaboration.standing import MAX_ESCALATIONS, escalation_s
from services.campaigns.domain.collaboration.work import Work
from services.campaigns.domain.shared.content_events import ReviewReminded, Ruler
from services.campaigns.domain.shared.work_events import (
    Awaited,
    DeliverableEscalated,
    PaymentAuthorised,
    PaymentWaits,
    WorkEvent,
)

MAX_PAYMENT_ATTEMPTS = 30
"""They last longer than any escrow, whose end by the ledger's own clock ends the deliverable."""
THE_PAYEES = ("tax.residence_unknown",)
"""Reasons of a wait that only the payee can end; a missing rate is the platform's to give."""
PATIENT_ATTEMPTS = 3
"""So many payments are asked for before staff are told that none came."""


def expire(command: ExpireDeliverable, work: Work) -> Sequence[WorkEvent]:
    """Decides nothing unless this very clock is the one that runs; that it is over is the clock's word."""
    work.context.actor.require("system")
    return _overdue(work) if work.deliverable.due_at == command.due_at else []


def _overdue(work: Work) -> Sequence[WorkEvent]:
    """The creator's delay pays nothing; who waits for the brand is treated as if the brand had agreed. The platform's own
    silence (no verdict, no look, no ruling, no payment) costs neither party: staff are told until the answer comes, and after
    about a year what nobody looked at counts as good."""
    stage = work.deliverable.stage
    match stage:
        case Stage.OPEN | Stage.OUTLINED | Stage.REVISION_REQUESTED:
            return [_lapsed(work, "content.draft_overdue")]
        case Stage.APPROVED | Stage.SCHEDULED | Stage.TAKEN_DOWN:
            return [_lapsed(work, "content.publication_overdue")]
        case Stage.DRAFT_SUBMITTED:
            return [_silent(work, Awaited.COMPLIANCE)]
        case Stage.PUBLISHED:
            return [_unlooked(work)]
        case Stage.CURING:
            return [_unseen(work)]
        case Stage.OUTLINE_SUBMITTED | Stage.IN_REVIEW:
            return [_remind_or_approve(work)]
        case Stage.IN_RULING:
            return [_silent(work, Awaited.STAFF)]
        case Stage.VERIFIED | Stage.PAYING:
            return _pay(work)
        case Stage.BREACHED:
            return _not_cured(work)
        case Stage.CLAWING:
            return _claw_back(work, work.deliverable.claw_share_bps)
        case Stage.WAITING | Stage.SETTLED | Stage.CLAWED_BACK | Stage.ENDED:
            return []
        case _:
            assert_never(stage)


def _lapsed(work: Work, reason: str) -> WorkEvent:
    return lapsed(work.deliverable, work.contract, reason, work.context.at, 0)


def _silent(work: Work, awaits: Awaited) -> WorkEvent:
    """What was for nothing ends at last; an escrow that is held has a clock of its own, in the ledger, which ends the rest."""
    one = work.deliverable
    if one.escalations >= MAX_ESCALATIONS and one.terms.escrow_minor == 0:
        return _lapsed(work, "platform.silent")
    return _escalated(work, awaits, work.after(escalation_s(one.escalations)))


def _unlooked(work: Work) -> WorkEvent:
    """A published post that nobody looked at within a little more than a year is owed: the delay is the platform's."""
    one = work.deliverable
    if one.escalations > MAX_ESCALATIONS:
        return verified("", work)
    return _escalated(work, Awaited.PLATFORM, work.after(escalation_s(one.escalations)))


def _unseen(work: Work) -> WorkEvent:
    """A post that was reported as restored, and that nobody looked at within about a year, is taken at its creator's word."""
    one = work.deliverable
    if one.escalations >= MAX_ESCALATIONS:
        return excused(one, work.contract, Ruler.CLOCK)
    return _escalated(work, Awaited.PLATFORM, work.after(escalation_s(one.escalations)))


def _not_cured(work: Work) -> Sequence[WorkEvent]:
    """The contract's share is clawed back; where it names none, a dispute decides."""
    share_bps = work.contract.terms.value.claw_back_bps
    if share_bps:
        return _claw_back(work, share_bps)
    return [opened(Ruler.CLOCK, "content.breach_not_cured", work.contract, work.context)]


def _claw_back(work: Work, share_bps: int) -> Sequence[WorkEvent]:
    """Asks the ledger, and again until it answers; after a few attempts staff are told."""
    one, retry_s = work.deliverable, work.contract.terms.value.clocks.payment_retry_s
    if one.claw_attempts < PATIENT_ATTEMPTS:
        return claw_back(one, work.contract, share_bps, work.unstopped(retry_s))
    due_at = work.unstopped(max(retry_s, escalation_s(one.escalations)))
    asked = claw_back(one, work.contract, share_bps, due_at) if one.claw_attempts < MAX_PAYMENT_ATTEMPTS else []
    return [*asked, _escalated(work, Awaited.LEDGER, due_at)]


def _remind_or_approve(work: Work) -> WorkEvent:
    if work.deliverable.reminded:
        return approved(work, Ruler.CLOCK)
    due_at = work.after(work.contract.terms.value.clocks.review_reminder_s)
    return ReviewReminded(work.contract.parties, work.deliverable.terms.deliverable_id, due_at)


def _pay(work: Work) -> Sequence[WorkEvent]:
    """Asks for the payment, and again until the ledger answers, by a payment or by the escrow's end; a gift is settled at
    once. After a few attempts staff are told, each time, and the attempts become rarer. What only the payee can give is no
    silence of the platform's: the payee is reminded, and the ledger pays by itself."""
    one, retry_s = work.deliverable, work.contract.terms.value.clocks.payment_retry_s
    if one.terms.escrow_minor == 0:
        return [settled("", 0, work)]
    if one.waits_for in THE_PAYEES:
        return [_waits(one.waits_for, one.reminders + 1, work)]
    if one.attempts < PATIENT_ATTEMPTS:
        return [_authorised(work, work.unstopped(retry_s))]
    due_at = work.unstopped(max(retry_s, escalation_s(one.escalations)))
    asked = [_authorised(work, due_at)] if one.attempts < MAX_PAYMENT_ATTEMPTS else []
    return [*asked, _escalated(work, Awaited.LEDGER, due_at)]


def note_wait(command: NotePaymentWait, work: Work) -> Sequence[WorkEvent]:
    """The wait is noted once for each reason that the ledger names."""
    work.context.actor.require("system")
    if work.deliverable.stage is not Stage.PAYING or work.deliverable.waits_for == command.reason:
        return []
    return [_waits(command.reason, 0, work)]


def _waits(reason: str, reminders: int, work: Work) -> PaymentWaits:
    """A wait that is told now, and again as rarely as staff would be told."""
    where = (work.contract.parties, work.deliverable.terms.deliverable_id, reason)
    return PaymentWaits(*where, reminders, work.unstopped(escalation_s(reminders)))


def _authorised(work: Work, due_at: datetime) -> PaymentAuthorised:
    one, contract = work.deliverable, work.contract
    return PaymentAuthorised(
        contract.parties,
        one.terms.deliverable_id,
        one.attempts + 1,
        one.terms.fee_minor,
        one.terms.brand_fee_minor,
        contract.terms.value.creator_fee_bps,
        contract.currency,
        due_at,
    )


def _escalated(work: Work, awaits: Awaited, due_at: datetime) -> DeliverableEscalated:
    one = work.deliverable
    where = (work.contract.parties, one.terms.deliverable_id)
    return DeliverableEscalated(*where, awaits, one.escalations + 1, due_at)
