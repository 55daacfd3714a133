"""Events of settlement: each is a step, and most are a request to another stream, which the relay sends."""

from dataclasses import dataclass
from datetime import datetime

from services.campaigns.domain.shared.contract import Parties
from services.campaigns.domain.shared.requests import RequestRefused


@dataclass(frozen=True, slots=True)
class VerificationRequested:
    """campaigns.VerifyContent."""

    collaboration_id: str
    deliverable_id: str
    look_id: str


@dataclass(frozen=True, slots=True)
class TakeDownRequested:
    """campaigns.TakeDownContent."""

    collaboration_id: str
    deliverable_id: str
    look_id: str
    reason: str
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    """ledger.ReleasePayment."""

    collaboration_id: str
    parties: Parties
    deliverable_id: str
    release_id: str
    attempt: int
    fee_minor: int
    brand_fee_minor: int
    creator_fee_bps: int
    currency: str


@dataclass(frozen=True, slots=True)
class SettlementRequested:
    """campaigns.SettleDeliverable."""

    collaboration_id: str
    deliverable_id: str
    release_id: str
    creator_net_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class PartPaid:
    """Finance has paid a part by hand; the deliverable is settled with the sum when the rest is."""

    release_id: str
    creator_net_minor: int


@dataclass(frozen=True, slots=True)
class ClawBackRequested:
    """ledger.ClawBackPayment."""

    collaboration_id: str
    parties: Parties
    deliverable_id: str
    claw_back_id: str
    attempt: int
    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClawBackConfirmed:
    """campaigns.RecordClawBack."""

    collaboration_id: str
    deliverable_id: str
    claw_back_id: str
    taken_minor: int
    owed_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ClawBackFailed:
    """campaigns.RefuseClawBack."""

    collaboration_id: str
    deliverable_id: str
    claw_back_id: str
    code: str


@dataclass(frozen=True, slots=True)
class PaymentWaitNoted:
    """campaigns.NotePaymentWait."""

    collaboration_id: str
    deliverable_id: str
    reason: str


SettlementEvent = (
    VerificationRequested
    | TakeDownRequested
    | PaymentRequested
    | PartPaid
    | SettlementRequested
    | ClawBackRequested
    | ClawBackConfirmed
    | ClawBackFailed
    | PaymentWaitNoted
    | RequestRefused
)
