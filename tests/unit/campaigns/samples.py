"""One event of every kind that campaigns stores: what the golden files hold and what is published in tests."""

from dataclasses import replace
from datetime import date
from typing import Any

from kernel.core.canonical import Hashed
from kernel.core.events import CommandRefused
from kernel.core.personal import ErasureAsked, ErasureDone
from services.campaigns.domain.application.commands import ExpireInvitation
from services.campaigns.domain.campaign.campaign import ExpireCampaign
from services.campaigns.domain.collaboration.commands import (
    ExpireCollaboration,
    ExpireDeliverable,
    ExpireDispute,
    RetryFunding,
)
from services.campaigns.domain.conduct.events import SanctionRequested, StrikeCounted
from services.campaigns.domain.creators.events import CreatorHeard
from services.campaigns.domain.fees.events import FeePolicyHeard
from services.campaigns.domain.funding.events import (
    ContractRequested,
    EndRequested,
    EscrowConfirmed,
    EscrowRequested,
    EscrowUncovered,
    FundingCompleted,
    FundingFailed,
    FundingRequested,
    FundingStopped,
    FundingWaitNoted,
    ReleaseRequested,
    ReturnRequested,
)
from services.campaigns.domain.parties.events import ClearedHeard, PartyHeard
from services.campaigns.domain.review.events import LabelNoted, ReviewPassedOn, ReviewRequested, VerdictNoted
from services.campaigns.domain.settlement.events import (
    ClawBackConfirmed,
    ClawBackFailed,
    ClawBackRequested,
    PartPaid,
    PaymentRequested,
    PaymentWaitNoted,
    SettlementRequested,
    TakeDownRequested,
    VerificationRequested,
)
from services.campaigns.domain.shared.compensation import Compensation, CompensationKind, Metric
from services.campaigns.domain.shared.content_events import (
    BreachCured,
    BreachNoticed,
    Content,
    ContentApproved,
    ContentPublished,
    ContentReviewed,
    ContentScheduled,
    ContentSubmitted,
    ContentTakenDown,
    ContentVerified,
    Evidence,
    EvidenceKind,
    LabelPlacement,
    Media,
    ReviewReminded,
    RevisionRequested,
    Ruler,
    RulingRequested,
    Setting,
    SubmissionStage,
    Verdict,
)
from services.campaigns.domain.shared.contract import offer_of
from services.campaigns.domain.shared.events import (
    ApplicationAccepted,
    ApplicationDeclined,
    ApplicationExpired,
    ApplicationReleased,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    BriefAmended,
    BriefPublished,
    CampaignCancelled,
    CampaignClosed,
    CampaignDrafted,
    CampaignPaused,
    CampaignResumed,
    CreatorInvited,
    DealMarked,
    OfferCountered,
    OfferRenewed,
    Side,
)
from services.campaigns.domain.shared.funding_events import FundingRetried, FundingWaits
from services.campaigns.domain.shared.requests import RequestRefused
from services.campaigns.domain.shared.terms import LadderStage, Terms
from services.campaigns.domain.shared.work_events import (
    AmendmentConsented,
    Awaited,
    ClawBackOrdered,
    ClawBackRefused,
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationFunded,
    CollaborationSettled,
    DeliverableClawedBack,
    DeliverableEscalated,
    DeliverableLapsed,
    DeliverableSettled,
    DisputeEscalated,
    DisputeOpened,
    DisputeRuled,
    Due,
    Ended,
    PaymentAuthorised,
    PaymentWaits,
    ProductReceived,
    ProductSent,
    WorkStarted,
)
from tests.kit.campaigns import APPLICATION_ID, BRAND_ID, CREATOR_ID, NOON, PARTIES, SERUM, brief, contract

RULE = Compensation(CompensationKind.HYBRID, Metric.CPE, 50, 1_000, 90_000, 300)
BRIEF = brief(
    compensation=RULE,
    products=(SERUM,),
    key_messages=("温和",),
    must=("Show it",),
    must_not=("最佳",),
    exclusivity_days=30,
)
CONTRACT = replace(contract((80_000,), BRIEF), brief=Hashed.of(BRIEF))
"""As contracts were stored before they left the budget out."""
DOCUMENT = Hashed.of(CONTRACT)
SEAL, OFFER = DOCUMENT.sha256, offer_of(DOCUMENT, 1)
BOTH = (Hashed.of(BRIEF), Hashed.of(Terms()))
DID, SID = CONTRACT.deliverables[0].deliverable_id, "018f3a10-0000-7000-8000-0000000000a1"
PROOFS = (Evidence(EvidenceKind.APPROVAL, "serum", "No. 7", date(2027, 3, 1)),)
HASH, LABEL, PLACED = "ab" * 32, "广告", LabelPlacement.TEXT_START
CONTENT = Content(
    "Spring", "A serum", ("serum",), ("https://shop.test",), (Media(HASH, "video", 9_000, True),), "zh", PROOFS
)
SETTING = Setting(
    BRIEF.campaign_type, RULE.kind, OFFER.deliverables[0].platform, OFFER.deliverables[0].format,
    BRIEF.jurisdiction, "cosmetics", (SERUM,), True,
)  # fmt: skip
ENDED = Ended(DID, LadderStage.AFTER_DRAFT, 5_000, 80_000, 8_000, 40_000, 59_000)
SUBMITTED = ContentSubmitted(PARTIES, DID, SID, SubmissionStage.DRAFT, 1, CONTENT, HASH, SETTING, NOON, NOON)
AT = (PARTIES, DID, SID)

CAMPAIGN: list[Any] = [
    CampaignDrafted(BRAND_ID, *BOTH),
    BriefPublished(BRAND_ID, 1, *BOTH, NOON),
    BriefAmended(BRAND_ID, 2, *BOTH, NOON),
    CampaignPaused("stock"),
    CampaignResumed(),
    CampaignClosed("full"),
    CampaignCancelled("changed_mind"),
]
APPLICATION: list[Any] = [
    CreatorInvited(PARTIES, OFFER, NOON, "p1"),
    ApplicationSubmitted(PARTIES, OFFER, NOON, "p1"),
    OfferCountered(PARTIES, Side.CREATOR, OFFER, NOON, "p1"),
    OfferRenewed(PARTIES, 2),
    ApplicationAccepted(Side.BRAND, DOCUMENT, SEAL),
    ApplicationDeclined(PARTIES, Side.CREATOR, "busy"),
    ApplicationWithdrawn(PARTIES, Side.CREATOR, "busy"),
    ApplicationExpired(PARTIES, NOON),
    ApplicationReleased(PARTIES, "no_contract", 88_000, APPLICATION_ID),
    DealMarked(PARTIES, ("party.same_person",)),
]
COLLABORATION: list[Any] = [
    CollaborationContracted(DOCUMENT, SEAL, NOON),
    CollaborationFunded(PARTIES, 88_000, "CNY", NOON),
    WorkStarted((Due(DID, NOON),)),
    AmendmentConsented(DOCUMENT, SEAL),
    CollaborationSettled(PARTIES, 1, 0, 76_000, "CNY"),
    CollaborationCancelled(PARTIES, Ruler.BRAND, "budget_cut", True, 500, "CNY", (ENDED,)),
    ProductSent(PARTIES, "SF", "1", NOON),
    ProductReceived(PARTIES),
    SUBMITTED,
    ContentReviewed(*AT, Verdict.CLEAR, 1, LABEL, PLACED, NOON),
    RevisionRequested(*AT, Ruler.BRAND, ("Show the box",), 1, 2, NOON),
    RulingRequested(*AT, ("Show the box",), NOON),
    ReviewReminded(PARTIES, DID, NOON),
    ContentApproved(*AT, SubmissionStage.DRAFT, Ruler.CLOCK, HASH, LABEL, PLACED, NOON),
    ContentScheduled(*AT, NOON, NOON),
    ContentPublished(
        *AT,
        SETTING,
        "p1",
        "https://post.test/1",
        LABEL,
        PLACED,
        HASH,
        NOON,
        3_600,
        86_400,
        80_000,
        "CNY",
        NOON,
        "xiaohongshu@1",
    ),
    ContentTakenDown(PARTIES, DID, "content.gone", NOON),
    ContentVerified(*AT, "look-1", 80_000, 8_000, 500, "CNY", NOON),
    PaymentAuthorised(PARTIES, DID, 1, 80_000, 8_000, 500, "CNY", NOON),
    DeliverableSettled(PARTIES, DID, "release-1", 76_000, "CNY", 11_000),
    DeliverableLapsed(PARTIES, "content.draft_overdue", ENDED, 500, "CNY"),
    DisputeOpened(PARTIES, Ruler.CREATOR, "unpaid", NOON, NOON),
    DisputeRuled(PARTIES, "resume", 0, (Due(DID, NOON),), None),
    DeliverableEscalated(PARTIES, DID, Awaited.COMPLIANCE, 1, NOON),
    DisputeEscalated(PARTIES, 1, NOON),
    BreachNoticed(PARTIES, DID, "look-2", "content.gone", NOON),
    ClawBackOrdered(PARTIES, DID, "claw-1", 1, 5_000, 38_000, "CNY", "content.gone", NOON),
    BreachCured(PARTIES, DID, "look-3", Ruler.SYSTEM),
    DeliverableClawedBack(PARTIES, DID, "claw-1", 30_000, 8_000, "CNY"),
    ClawBackRefused(PARTIES, DID, "claw-1", "escrow.not_released"),
    PaymentWaits(PARTIES, DID, "tax.residence_unknown", 2, NOON),
    FundingWaits(PARTIES, "escrow.not_covered", 88_000, "CNY", 1, NOON),
    FundingRetried(PARTIES, 2),
]
REQUESTS: list[Any] = [
    ContractRequested(DOCUMENT, SEAL),
    EscrowRequested(APPLICATION_ID, PARTIES, DID, 80_000, 8_000, "CNY", "CN", "fees@2025-01-01", 86_400, 2),
    FundingRequested(APPLICATION_ID),
    FundingFailed(APPLICATION_ID, "escrow.not_covered"),
    ReturnRequested(APPLICATION_ID, PARTIES, DID, 40_000, 500, "CNY", "budget_cut"),
    ReleaseRequested(APPLICATION_ID, "no_contract"),
    ReviewRequested(APPLICATION_ID, SUBMITTED),
    ReviewPassedOn(APPLICATION_ID, DID, SID, Verdict.CLEAR, 1, LABEL, PLACED),
    VerificationRequested(APPLICATION_ID, DID, "look-1"),
    TakeDownRequested(APPLICATION_ID, DID, "look-1", "content.gone"),
    PaymentRequested(APPLICATION_ID, PARTIES, DID, "release-1", 1, 80_000, 8_000, 500, "CNY"),
    SettlementRequested(APPLICATION_ID, DID, "release-1", 76_000, "CNY"),
    EndRequested(APPLICATION_ID, DID, "escrow.expired", 88_000, "CNY"),
    ClawBackConfirmed(APPLICATION_ID, DID, "claw-1", 30_000, 8_000, "CNY"),
    ClawBackRequested(APPLICATION_ID, PARTIES, DID, "claw-1", 1, 38_000, "CNY", "content.gone"),
    SanctionRequested(PARTIES.creator_id, "sanction.breach_not_cured", NOON, 3),
    ClawBackFailed(APPLICATION_ID, DID, "claw-1", "escrow.not_released"),
    PaymentWaitNoted(APPLICATION_ID, DID, "tax.residence_unknown"),
    FundingWaitNoted(APPLICATION_ID, "escrow.not_covered", 88_000, "CNY", 1),
]
STEPS: list[Any] = [
    CreatorHeard(CREATOR_ID, False, 3, True, NOON, False),
    FeePolicyHeard("fees@2027-01-01", NOON, 1_200, 300),
    PartyHeard(BRAND_ID, ("a1", "a2"), (ClearedHeard(CREATOR_ID, ("a1",)),)),
    RequestRefused("id", "HoldEscrow", "escrow.not_covered"),
    EscrowConfirmed(DID),
    EscrowUncovered(DID, "escrow.not_covered"),
    FundingCompleted(),
    FundingStopped("budget_cut"),
    VerdictNoted(Verdict.CLEAR, 1),
    LabelNoted(LABEL, PLACED),
    PartPaid("release-0", 10_000),
    StrikeCounted(DID, "content.gone", NOON),
    ErasureAsked(CREATOR_ID),
    ErasureDone(CREATOR_ID),
]
COMMANDS: list[Any] = [
    ExpireCampaign(NOON),
    ExpireInvitation(NOON),
    ExpireCollaboration(NOON),
    ExpireDeliverable(DID, NOON),
    ExpireDispute(NOON),
    RetryFunding(NOON),
]
FACTS = '{"needed_minor":5,"ok":false,"why":"x"}'
REFUSED = CommandRefused("id", f"funding-{APPLICATION_ID}", "HoldEscrow", "escrow.gone", FACTS)
EVERYTHING = [*CAMPAIGN, *APPLICATION, *COLLABORATION, *REQUESTS, *STEPS, *COMMANDS, REFUSED]
