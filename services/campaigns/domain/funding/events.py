"""Events of funding: each is a step, and most are a request to another stream, which the relay sends."""

from dataclasses import dataclass

from kernel.core.canonical import Hashed
from services.campaigns.domain.shared.contract import Contract, Parties
from services.campaigns.domain.shared.requests import RequestRefused


@dataclass(frozen=True, slots=True)
class ContractRequested:
    """campaigns.ContractCollaboration."""

    contract: Hashed[Contract]
    contract_sha256: str


@dataclass(frozen=True, slots=True)
class EscrowRequested:
    """ledger.HoldEscrow, one per deliverable with a price; `jurisdiction` is whose law it falls under, `fee_policy` what
    the contract's fees are sealed under, `expires_s` how long the work may take (0: the ledger's default). `attempt` counts
    from 1, and is the revision of the escrow."""

    collaboration_id: str
    parties: Parties
    deliverable_id: str
    fee_minor: int
    brand_fee_minor: int
    currency: str
    jurisdiction: str
    fee_policy: str = ""
    expires_s: int = 0
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class EscrowConfirmed:
    """The ledger holds the money of a deliverable."""

    deliverable_id: str


@dataclass(frozen=True, slots=True)
class EscrowUncovered:
    """The ledger does not hold the money of a deliverable, for now."""

    deliverable_id: str
    code: str


@dataclass(frozen=True, slots=True)
class FundingWaitNoted:
    """campaigns.NoteFundingWait: every escrow of an attempt is answered, and `uncovered_minor` of them is not held."""

    collaboration_id: str
    reason: str
    uncovered_minor: int
    currency: str
    attempt: int


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
class EndRequested:
    """campaigns.EndDeliverable: the ledger has ended an escrow that campaigns did not ask it to end."""

    collaboration_id: str
    deliverable_id: str
    reason: str
    returned_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """campaigns.ReleaseApplication: the contract was refused."""

    application_id: str
    reason: str


FundingEvent = (
    ContractRequested
    | EscrowRequested
    | EscrowConfirmed
    | EscrowUncovered
    | FundingWaitNoted
    | FundingRequested
    | FundingCompleted
    | FundingFailed
    | FundingStopped
    | ReturnRequested
    | EndRequested
    | ReleaseRequested
    | RequestRefused
)
