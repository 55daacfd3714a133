"""Stored names of everything campaigns writes to its log. A name, once stored, stays readable for ever (golden files)."""

from kernel.core.codec import Codec
from kernel.core.events import REFUSED_NAME, CommandRefused
from kernel.core.personal import ErasureAsked, ErasureDone
from services.campaigns.domain.application.commands import ExpireInvitation
from services.campaigns.domain.campaign.campaign import ExpireCampaign
from services.campaigns.domain.collaboration.commands import (
    ExpireCollaboration,
    ExpireDeliverable,
    ExpireDispute,
    RetryFunding,
)
from services.campaigns.domain.conduct import events as conduct
from services.campaigns.domain.creators import events as creators
from services.campaigns.domain.fees import events as fees
from services.campaigns.domain.funding import events as funding
from services.campaigns.domain.parties import events as parties
from services.campaigns.domain.review import events as review
from services.campaigns.domain.settlement import events as settlement
from services.campaigns.domain.shared import content_events as content
from services.campaigns.domain.shared import events
from services.campaigns.domain.shared import funding_events as waits
from services.campaigns.domain.shared import work_events as work
from services.campaigns.domain.shared.requests import RequestRefused

CAMPAIGN: dict[str, type] = {
    "campaign.drafted@1": events.CampaignDrafted,
    "campaign.published@1": events.BriefPublished,
    "campaign.amended@1": events.BriefAmended,
    "campaign.paused@1": events.CampaignPaused,
    "campaign.resumed@1": events.CampaignResumed,
    "campaign.closed@1": events.CampaignClosed,
    "campaign.cancelled@1": events.CampaignCancelled,
}
APPLICATION: dict[str, type] = {
    "application.invited@1": events.CreatorInvited,
    "application.submitted@1": events.ApplicationSubmitted,
    "application.countered@1": events.OfferCountered,
    "application.renewed@1": events.OfferRenewed,
    "application.accepted@1": events.ApplicationAccepted,
    "application.declined@1": events.ApplicationDeclined,
    "application.withdrawn@1": events.ApplicationWithdrawn,
    "application.expired@1": events.ApplicationExpired,
    "application.released@1": events.ApplicationReleased,
    "application.marked@1": events.DealMarked,
}
COLLABORATION: dict[str, type] = {
    "collaboration.contracted@1": work.CollaborationContracted,
    "collaboration.funded@1": work.CollaborationFunded,
    "collaboration.funding_waits@1": waits.FundingWaits,
    "collaboration.funding_retried@1": waits.FundingRetried,
    "collaboration.started@1": work.WorkStarted,
    "collaboration.amended@1": work.AmendmentConsented,
    "collaboration.settled@1": work.CollaborationSettled,
    "collaboration.cancelled@1": work.CollaborationCancelled,
    "product.sent@2": work.ProductSent,
    "product.received@1": work.ProductReceived,
    "content.submitted@2": content.ContentSubmitted,
    "content.reviewed@1": content.ContentReviewed,
    "content.revision_requested@2": content.RevisionRequested,
    "content.ruling_requested@2": content.RulingRequested,
    "content.review_reminded@1": content.ReviewReminded,
    "content.approved@1": content.ContentApproved,
    "content.scheduled@1": content.ContentScheduled,
    "content.published@1": content.ContentPublished,
    "content.taken_down@1": content.ContentTakenDown,
    "content.verified@1": content.ContentVerified,
    "content.breach_noticed@1": content.BreachNoticed,
    "content.breach_cured@1": content.BreachCured,
    "deliverable.payment_authorised@1": work.PaymentAuthorised,
    "deliverable.settled@1": work.DeliverableSettled,
    "deliverable.lapsed@1": work.DeliverableLapsed,
    "deliverable.escalated@1": work.DeliverableEscalated,
    "deliverable.claw_back_ordered@1": work.ClawBackOrdered,
    "deliverable.clawed_back@1": work.DeliverableClawedBack,
    "deliverable.claw_back_refused@1": work.ClawBackRefused,
    "deliverable.payment_waits@1": work.PaymentWaits,
    "dispute.opened@1": work.DisputeOpened,
    "dispute.escalated@1": work.DisputeEscalated,
    "dispute.ruled@1": work.DisputeRuled,
}
PROCESS: dict[str, type] = {
    "creator.heard@1": creators.CreatorHeard,
    "erasure.asked@1": ErasureAsked,
    "erasure.done@1": ErasureDone,
    "fee_policy.heard@1": fees.FeePolicyHeard,
    "party.heard@1": parties.PartyHeard,
    "request.contract@1": funding.ContractRequested,
    "request.hold_escrow@1": funding.EscrowRequested,
    "request.fund@1": funding.FundingRequested,
    "request.cancel@1": funding.FundingFailed,
    "request.return_escrow@1": funding.ReturnRequested,
    "request.end@1": funding.EndRequested,
    "request.release_application@1": funding.ReleaseRequested,
    "request.review@2": review.ReviewRequested,
    "request.record_review@1": review.ReviewPassedOn,
    "request.verify@1": settlement.VerificationRequested,
    "request.take_down@1": settlement.TakeDownRequested,
    "request.pay@1": settlement.PaymentRequested,
    "request.settle@1": settlement.SettlementRequested,
    "request.claw_back@1": settlement.ClawBackRequested,
    "request.record_claw_back@1": settlement.ClawBackConfirmed,
    "request.refuse_claw_back@1": settlement.ClawBackFailed,
    "request.note_payment_wait@1": settlement.PaymentWaitNoted,
    "request.suspend@1": conduct.SanctionRequested,
    "conduct.strike_counted@1": conduct.StrikeCounted,
    "settlement.part_paid@1": settlement.PartPaid,
    "request.refused@1": RequestRefused,
    "funding.escrow_confirmed@1": funding.EscrowConfirmed,
    "funding.escrow_uncovered@1": funding.EscrowUncovered,
    "request.note_funding_wait@1": funding.FundingWaitNoted,
    "funding.completed@1": funding.FundingCompleted,
    "funding.stopped@1": funding.FundingStopped,
    "review.verdict_noted@1": review.VerdictNoted,
    "review.label_noted@1": review.LabelNoted,
}
COMMANDS: dict[str, type] = {
    "campaign.expire@1": ExpireCampaign,
    "application.expire@1": ExpireInvitation,
    "collaboration.expire@1": ExpireCollaboration,
    "deliverable.expire@1": ExpireDeliverable,
    "dispute.expire@1": ExpireDispute,
    "funding.retry@1": RetryFunding,
}
"""What deadlines hold."""

SEALED_SINCE_2 = (
    "product.sent@2",
    "content.submitted@2",
    "content.revision_requested@2",
    "content.ruling_requested@2",
    "request.review@2",
)
"""Version 1 of these held personal fields in plaintext (docs/adr/0014); `reseal` makes version 2 of them."""
CODEC = Codec(
    CAMPAIGN | APPLICATION | COLLABORATION | PROCESS | COMMANDS | {REFUSED_NAME: CommandRefused},
    {(name.partition("@")[0], 1): lambda raw: raw for name in SEALED_SINCE_2},
)
