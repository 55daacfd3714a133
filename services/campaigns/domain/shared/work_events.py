"""What happens to a collaboration as a whole and to its money. Stored for ever; its content is in content_events.py."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from kernel.core.canonical import Hashed
from kernel.core.personal import PersonalData
from services.campaigns.domain.shared.content_events import ContentEvent, Ruler
from services.campaigns.domain.shared.contract import Contract, Parties
from services.campaigns.domain.shared.funding_events import FundingStepEvent
from services.campaigns.domain.shared.terms import Clocks, LadderStage


@dataclass(frozen=True, slots=True)
class Due:
    """When the clock of one deliverable runs out."""

    deliverable_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class CollaborationContracted:
    contract: Hashed[Contract]
    contract_sha256: str
    funding_due_at: datetime


@dataclass(frozen=True, slots=True)
class CollaborationFunded:
    """The money of every deliverable is in escrow. A product has to be sent by `product_due_at`, if there is one."""

    parties: Parties
    total_minor: int
    currency: str
    product_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProductSent:
    parties: Parties
    carrier: Annotated[str, PersonalData()]
    tracking: Annotated[str, PersonalData()]
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ProductReceived:
    """Proof that the endorser had the product."""

    parties: Parties


@dataclass(frozen=True, slots=True)
class WorkStarted:
    """From now on the clock of every deliverable runs."""

    clocks: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class AmendmentConsented:
    """The creator agreed to a later version of the brief; prices and deliverables stay as they were."""

    contract: Hashed[Contract]
    contract_sha256: str


@dataclass(frozen=True, slots=True)
class PaymentAuthorised:
    """The check window is over and nothing disputed: the ledger is asked to pay. `attempt` counts from 1."""

    parties: Parties
    deliverable_id: str
    attempt: int
    fee_minor: int
    brand_fee_minor: int
    creator_fee_bps: int
    currency: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DeliverableSettled:
    """`creator_net_minor` is what reached the creator after fees and tax, as the ledger said."""

    parties: Parties
    deliverable_id: str
    release_id: str
    creator_net_minor: int
    currency: str
    freed_minor: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A deliverable that will not be settled: of its fee `kill_fee_minor` goes to the creator, the rest back.

    `stage` is its rung of the ladder, `share_bps` what that is worth; `freed_minor` is what the budget gets back. `post_id` is
    the post that was reported for it and that no look has confirmed, "" for none.
    """

    deliverable_id: str
    stage: LadderStage
    share_bps: int
    fee_minor: int
    brand_fee_minor: int
    kill_fee_minor: int
    freed_minor: int
    platform: str = ""
    post_id: str = ""


@dataclass(frozen=True, slots=True)
class DeliverableLapsed:
    """A clock or a ruling ended one deliverable; the others go on."""

    parties: Parties
    reason: str
    ended: Ended
    creator_fee_bps: int
    currency: str

    @property
    def freed_minor(self) -> int:
        return self.ended.freed_minor


@dataclass(frozen=True, slots=True)
class CollaborationSettled:
    """Every deliverable has come to its end, and at least one was paid for."""

    parties: Parties
    settled: int
    lapsed: int
    creator_net_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class CollaborationCancelled:
    parties: Parties
    by: Ruler
    reason: str
    funded: bool
    creator_fee_bps: int
    currency: str
    deliverables: tuple[Ended, ...]

    @property
    def freed_minor(self) -> int:
        return sum(each.freed_minor for each in self.deliverables)


@dataclass(frozen=True, slots=True)
class DisputeOpened:
    """Settlement is frozen and every clock stopped; staff rule by `due_at`. One of before it was told has the usual time."""

    parties: Parties
    by: Ruler
    reason: str
    opened_at: datetime
    due_at: datetime | None = None

    @property
    def rule_by(self) -> datetime:
        """Every dispute has a clock."""
        return self.due_at or self.opened_at + timedelta(seconds=Clocks().dispute_s)


class Awaited(StrEnum):
    """Whom of the platform's own a deliverable waits for: its silence costs neither party."""

    COMPLIANCE = "compliance"
    PLATFORM = "platform"
    STAFF = "staff"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True)
class DeliverableEscalated:
    """`awaits` has not answered in time: staff are told, the clocks of the parties stand. `escalations` counts from 1."""

    parties: Parties
    deliverable_id: str
    awaits: Awaited
    escalations: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class ClawBackOrdered:
    """A breach was not cured: `share_bps` of what the creator was paid goes back to the brand. `attempt` counts from 1."""

    parties: Parties
    deliverable_id: str
    claw_back_id: str
    attempt: int
    share_bps: int
    amount_minor: int
    currency: str
    reason: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DeliverableClawedBack:
    """The ledger has booked it: `taken_minor` of the creator's balance, `owed_minor` as a debt that later payments recover."""

    parties: Parties
    deliverable_id: str
    claw_back_id: str
    taken_minor: int
    owed_minor: int
    currency: str

    @property
    def freed_minor(self) -> int:
        """Back with the brand at once, also what the creator still owes: the budget has it again."""
        return self.taken_minor + self.owed_minor


@dataclass(frozen=True, slots=True)
class ClawBackRefused:
    """The ledger has refused it for good, and `code` says why: nothing is taken, and staff look at the rest."""

    parties: Parties
    deliverable_id: str
    claw_back_id: str
    code: str


@dataclass(frozen=True, slots=True)
class PaymentWaits:
    """The payment is owed and waits for `reason`; where that is the payee's to give, it is reminded at `due_at`."""

    parties: Parties
    deliverable_id: str
    reason: str
    reminders: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DisputeEscalated:
    """Staff have not ruled in time. `escalations` counts from 1; the next one follows at `due_at`."""

    parties: Parties
    escalations: int
    due_at: datetime


WITHDRAWN = "withdrawn"
"""The outcome of a dispute that the side which opened it has given up."""


@dataclass(frozen=True, slots=True)
class DisputeRuled:
    """The clocks go on with the time they had left; a ruling to cancel is followed by CollaborationCancelled.

    `outcome`: `resume` or `cancel` by staff, `withdrawn` by the side that opened it, `moot` when nothing was left to dispute.
    """

    parties: Parties
    outcome: str
    share_bps: int
    clocks: tuple[Due, ...]
    product_due_at: datetime | None


WorkEvent = (
    ContentEvent
    | CollaborationContracted
    | CollaborationFunded
    | FundingStepEvent
    | ProductSent
    | ProductReceived
    | WorkStarted
    | AmendmentConsented
    | PaymentAuthorised
    | DeliverableSettled
    | DeliverableLapsed
    | CollaborationSettled
    | CollaborationCancelled
    | DeliverableEscalated
    | ClawBackOrdered
    | DeliverableClawedBack
    | ClawBackRefused
    | PaymentWaits
    | DisputeOpened
    | DisputeEscalated
    | DisputeRuled
)
