"""What the processes decided: each event is a step, and most are a request to another stream, made by the relay."""

from dataclasses import dataclass

from kernel.core.canonical import Hashed
from services.campaigns.domain.shared.content_events import ContentSubmitted, LabelPlacement, Verdict
from services.campaigns.domain.shared.contract import Contract, Parties


@dataclass(frozen=True, slots=True)
class ContractRequested:
    """campaigns.ContractCollaboration."""

    contract: Hashed[Contract]
    contract_sha256: str


@dataclass(frozen=True, slots=True)
class EscrowRequested:
    """ledger.HoldEscrow, one per deliverable with a price; `jurisdiction` is whose tax the creator's part falls under."""

    collaboration_id: str
    parties: Parties
    deliverable_id: str
    fee_minor: int
    brand_fee_minor: int
    currency: str
    jurisdiction: str


@dataclass(frozen=True, slots=True)
class EscrowConfirmed:
    """The ledger holds the money of a deliverable."""

    deliverable_id: str


@dataclass(frozen=True, slots=True)
class FundingRequested:
    """campaigns.FundCollaboration."""

    collaboration_id: str


@dataclass(frozen=True, slots=True)
class FundingCompleted:
    """The collaboration is funded; from now on only its end concerns the escrow."""


@dataclass(frozen=True, slots=True)
class FundingFailed:
    """campaigns.CancelCollaboration: the money cannot be held, or the collaboration ended meanwhile."""

    collaboration_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class FundingStopped:
    """The collaboration was cancelled; money that is still being held will be returned when it arrives."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReturnRequested:
    """ledger.CancelEscrow: the kill fee to the creator, the rest back to the brand."""

    collaboration_id: str
    parties: Parties
    deliverable_id: str
    kill_fee_minor: int
    creator_fee_bps: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """campaigns.ReleaseApplication: the contract was refused."""

    application_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReviewRequested:
    """compliance.ReviewContent, with all it needs to judge."""

    collaboration_id: str
    submission: ContentSubmitted


@dataclass(frozen=True, slots=True)
class VerdictNoted:
    """Compliance has cleared the content; its label is still to come."""

    verdict: Verdict
    findings: int


@dataclass(frozen=True, slots=True)
class LabelNoted:
    """Compliance has attached the label; its verdict is still to come."""

    label: str
    placement: LabelPlacement | None


@dataclass(frozen=True, slots=True)
class ReviewPassedOn:
    """campaigns.RecordReview."""

    collaboration_id: str
    deliverable_id: str
    submission_id: str
    verdict: Verdict
    findings: int
    label: str
    placement: LabelPlacement | None


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
class RequestRefused:
    """A request came back refused. Where nothing has to be undone, the clocks of the collaboration go on."""

    command_id: str
    command: str
    code: str


FundingEvent = (
    ContractRequested
    | EscrowRequested
    | EscrowConfirmed
    | FundingRequested
    | FundingCompleted
    | FundingFailed
    | FundingStopped
    | ReturnRequested
    | ReleaseRequested
    | RequestRefused
)
ReviewEvent = ReviewRequested | VerdictNoted | LabelNoted | ReviewPassedOn | RequestRefused
SettlementEvent = VerificationRequested | TakeDownRequested | PaymentRequested | SettlementRequested | RequestRefused
