"""What may be asked of a collaboration: by the two sides, staff, the processes, and the clock."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.canonical import Hashed
from services.campaigns.domain.shared.content_events import (
    Content,
    Disclosure,
    LabelPlacement,
    SubmissionStage,
    Verdict,
    WholeText,
)
from services.campaigns.domain.shared.contract import Contract


@dataclass(frozen=True, slots=True)
class ContractCollaboration:
    """The funding process': the contract that both sides accepted, with the seal it had then."""

    contract: Hashed[Contract]
    contract_sha256: str


@dataclass(frozen=True, slots=True)
class FundCollaboration:
    """The funding process': the money of every deliverable is in escrow."""


@dataclass(frozen=True, slots=True)
class NoteFundingWait:
    """The funding process': of the contract `uncovered_minor` is not held at this attempt, for `reason`."""

    reason: str
    uncovered_minor: int
    attempt: int


@dataclass(frozen=True, slots=True)
class RetryFunding:
    """By the brand, once its deposit covers what is missing; with `due_at` the clock's."""

    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancelCollaboration:
    """By either side, or the system: what it costs depends on who cancels and on the ladder."""

    reason: str


@dataclass(frozen=True, slots=True)
class ConsentToAmendment:
    """The creator agrees to the brief in force, whose version it has read."""

    brief_version: int


@dataclass(frozen=True, slots=True)
class SendProduct:
    carrier: Annotated[str, Asked(Len(1, 60))]
    tracking: Annotated[str, Asked(Len(1, 60))]


@dataclass(frozen=True, slots=True)
class ReceiveProduct:
    pass


@dataclass(frozen=True, slots=True)
class OpenDispute:
    reason: str


class Outcome(StrEnum):
    """How a dispute ends."""

    RESUME = "resume"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class RuleDispute:
    """Staff decide: the work goes on, or all that is not paid ends and the creator gets `share_bps` of its fees."""

    outcome: Outcome
    share_bps: int = 0


@dataclass(frozen=True, slots=True)
class WithdrawDispute:
    """The side that opened the dispute gives it up: the clocks go on."""


@dataclass(frozen=True, slots=True)
class ExpireDispute:
    """The clock's: staff's ruling was due at `due_at`."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class ExpireCollaboration:
    """The clock's: funding, or the product, was due at `due_at`."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class SubmitContent:
    deliverable_id: str
    submission_id: str
    stage: SubmissionStage
    content: Content


@dataclass(frozen=True, slots=True)
class RecordReview:
    """The review process': compliance's verdict and the label the post must carry."""

    deliverable_id: str
    submission_id: str
    verdict: Verdict
    findings: int
    label: str
    placement: LabelPlacement | None


@dataclass(frozen=True, slots=True)
class RequestRevision:
    deliverable_id: str
    submission_id: str
    notes: Annotated[tuple[str, ...], Asked(Len(0, 20), each=Len(1, 1_000))]


@dataclass(frozen=True, slots=True)
class ApproveContent:
    deliverable_id: str
    submission_id: str


@dataclass(frozen=True, slots=True)
class RuleContent:
    """Staff decide after the last revision: approved as it is, or the deliverable ends."""

    deliverable_id: str
    submission_id: str
    approved: bool


@dataclass(frozen=True, slots=True)
class ScheduleContent:
    deliverable_id: str
    publish_at: datetime


@dataclass(frozen=True, slots=True)
class PublishContent:
    """The creator reports its post; `text` is the post's whole text as it stands on the platform.

    `disclosure` says where the label is to be looked for when the text has none.
    """

    deliverable_id: str
    post_id: Annotated[str, Asked(Len(1, 200))]
    post_url: Annotated[str, Asked(Len(1, 2_000))]
    text: WholeText
    disclosure: Disclosure = Disclosure.TEXT


@dataclass(frozen=True, slots=True)
class VerifyContent:
    """The settlement process': a look at the post found it as approved."""

    deliverable_id: str
    look_id: str


@dataclass(frozen=True, slots=True)
class TakeDownContent:
    """The settlement process': a look found the post gone, changed, or without its label."""

    deliverable_id: str
    reason: str
    look_id: str = ""
    looked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SettleDeliverable:
    """The settlement process': the ledger has paid; `creator_net_minor` is after fees and tax."""

    deliverable_id: str
    release_id: str
    creator_net_minor: int


@dataclass(frozen=True, slots=True)
class RecordClawBack:
    """The settlement process': the ledger has booked a claw-back."""

    deliverable_id: str
    claw_back_id: str
    taken_minor: int
    owed_minor: int


@dataclass(frozen=True, slots=True)
class RefuseClawBack:
    """The settlement process': the ledger has refused a claw-back."""

    deliverable_id: str
    claw_back_id: str
    code: str


@dataclass(frozen=True, slots=True)
class NotePaymentWait:
    """The settlement process': the ledger owes the payment and waits for `reason`."""

    deliverable_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EndDeliverable:
    """The funding process': the ledger has ended the escrow otherwise; `returned_minor` of it went back to the brand."""

    deliverable_id: str
    reason: str
    returned_minor: int


@dataclass(frozen=True, slots=True)
class ExpireDeliverable:
    """The clock's: what the deliverable waited for was due at `due_at`."""

    deliverable_id: str
    due_at: datetime


ContentCommand = (
    SubmitContent
    | RecordReview
    | RequestRevision
    | ApproveContent
    | RuleContent
    | ScheduleContent
    | PublishContent
    | VerifyContent
    | TakeDownContent
    | SettleDeliverable
    | RecordClawBack
    | RefuseClawBack
    | NotePaymentWait
    | EndDeliverable
    | ExpireDeliverable
)
LaterCommand = (
    ContentCommand
    | FundCollaboration
    | NoteFundingWait
    | RetryFunding
    | CancelCollaboration
    | ConsentToAmendment
    | SendProduct
    | ReceiveProduct
    | OpenDispute
    | RuleDispute
    | WithdrawDispute
    | ExpireDispute
    | ExpireCollaboration
)
Command = ContractCollaboration | LaterCommand
"""A collaboration begins with its contract; everything else comes later."""
