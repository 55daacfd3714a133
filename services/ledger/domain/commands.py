"""What may be asked of the ledger. Every command names its chain: the same business fact always lands on one stream."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, assert_never

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.ids import derived_id, is_id, stream_id
from services.ledger.domain.accounts import Code
from services.ledger.domain.events import TransferKind
from services.ledger.domain.lines import SettleLine as SettleLine
from services.ledger.domain.repeats import EVIDENCE
from services.ledger.domain.reversals import RestoreDeposit, ReturnTransfer, ReverseDeposit

CHAIN, ESCROW, DEPOSIT, PAYOUT, REFUND = CATEGORIES = ("chain", "escrow", "deposit", "payout", "refund")
"""Stream categories: what belongs to one deliverable or transfer shares a stream, so subscribers see it in order."""
BY_POLICY = -1
"""In place of `creator_fee_bps`: the share of the policy that the deal was sealed under."""
MAX_TEXT = 200
Text = Annotated[str, Asked(Len(1, MAX_TEXT))]
"""A text that is asked for: a provider's token, a reference, a reason."""


@dataclass(frozen=True, slots=True)
class PayInOwnMoney:
    reference: Text
    currency: str
    amount_minor: int

    @property
    def chain_id(self) -> str:
        return f"own:{self.reference}"


@dataclass(frozen=True, slots=True)
class RequestDeposit:
    """`instrument` is the provider's token of the payer's means, never a card number."""

    deposit_id: str
    brand_id: str
    currency: str
    amount_minor: int
    instrument: Text

    @property
    def chain_id(self) -> str:
        return f"dep:{self.deposit_id}"


@dataclass(frozen=True, slots=True)
class ConfirmDeposit:
    """`said_at` is when the provider says that it happened, in its own time."""

    deposit_id: str
    currency: str
    amount_minor: int
    provider_ref: str = field(default="", metadata=EVIDENCE)
    said_at: datetime | None = field(default=None, metadata=EVIDENCE)

    @property
    def chain_id(self) -> str:
        return f"dep:{self.deposit_id}:ok"


@dataclass(frozen=True, slots=True)
class FailDeposit:
    deposit_id: str
    reason: str = field(default="", metadata=EVIDENCE)
    provider_ref: str = field(default="", metadata=EVIDENCE, compare=False)
    said_at: datetime | None = field(default=None, metadata=EVIDENCE, compare=False)

    @property
    def chain_id(self) -> str:
        return f"dep:{self.deposit_id}:fail"


@dataclass(frozen=True, slots=True)
class IdentifyMoney:
    """Money in suspense turns out to be a brand's."""

    reference: Text
    brand_id: str
    currency: str
    amount_minor: int
    reason: Text = ""

    @property
    def chain_id(self) -> str:
        return f"identified:{self.reference}"


@dataclass(frozen=True, slots=True)
class HoldEscrow:
    """Holds `fee_minor + brand_fee_minor` for a deliverable; a later revision states the new totals. `fee_policy` names the
    policy that the contract was sealed under; empty: the one in force."""

    deliverable_id: str
    revision: int
    collaboration_id: str
    campaign_id: str
    brand_id: str
    creator_id: str
    currency: str
    fee_minor: int
    brand_fee_minor: int
    jurisdiction: str = ""
    agency_id: str = ""
    agency_bps: int = 0
    expires_s: int = 0
    fee_policy: str = ""

    @property
    def chain_id(self) -> str:
        return f"hold:{self.deliverable_id}:{self.revision}"


@dataclass(frozen=True, slots=True)
class Weight:
    """A creator's weight in a shared deliverable."""

    creator_id: str
    weight: int


@dataclass(frozen=True, slots=True)
class ReleasePayment:
    """Releases `fee_minor` of the creator's fee and `brand_fee_minor` of the brand's, at most what is left of each; the
    escrow ends when nothing is left. Without `split` the deal's creator takes all. `creator_fee_bps` is the sealed contract's."""

    release_id: str
    deliverable_id: str
    creator_id: str
    currency: str
    fee_minor: int
    brand_fee_minor: int
    creator_fee_bps: int = 0
    split: tuple[Weight, ...] = ()

    @property
    def chain_id(self) -> str:
        return f"release:{self.release_id}"


@dataclass(frozen=True, slots=True)
class CancelEscrow:
    """Ends an escrow: `kill_fee_minor` of the creator's fee is shared out like a release, the rest returns to the brand.
    `creator_fee_bps` as in ReleasePayment. `left_minor` is of finance, whose people agree on a sum: all that is in the escrow;
    where something else is left the cancellation is refused."""

    refund_id: str
    deliverable_id: str
    brand_id: str
    creator_id: str
    currency: str
    kill_fee_minor: int = 0
    creator_fee_bps: int = 0
    reason: str = field(default="", metadata=EVIDENCE)
    left_minor: int = field(default=0, metadata=EVIDENCE)

    @property
    def chain_id(self) -> str:
        return f"cancel:{self.refund_id}"


@dataclass(frozen=True, slots=True)
class ClawBackPayment:
    """Takes `amount_minor` of what the creator was paid for a deliverable back to the brand."""

    claw_back_id: str
    deliverable_id: str
    brand_id: str
    creator_id: str
    currency: str
    amount_minor: int
    reason: str = field(default="", metadata=EVIDENCE)

    @property
    def chain_id(self) -> str:
        return f"claw_back:{self.claw_back_id}"


@dataclass(frozen=True, slots=True)
class RequestPayout:
    """`account` is creator_available or agency_available; `instrument` the provider's token of the payee's account."""

    payout_id: str
    owner: str
    account: Code
    currency: str
    amount_minor: int
    instrument: Text

    @property
    def chain_id(self) -> str:
        return f"payout:{self.payout_id}"


@dataclass(frozen=True, slots=True)
class RequestRefund:
    """Returns free deposit to the instrument of the deposit it came with."""

    refund_id: str
    deposit_id: str
    amount_minor: int

    @property
    def chain_id(self) -> str:
        return f"refund:{self.refund_id}"


@dataclass(frozen=True, slots=True)
class ConfirmTransfer:
    """A payout or refund arrived; `fee_minor` is what the provider keeps from the next settlement."""

    kind: TransferKind
    transfer_id: str
    provider_ref: str = field(default="", metadata=EVIDENCE)
    fee_minor: int = field(default=0, metadata=EVIDENCE)
    said_at: datetime | None = field(default=None, metadata=EVIDENCE)

    @property
    def chain_id(self) -> str:
        return f"{self.kind}:{self.transfer_id}:ok"


@dataclass(frozen=True, slots=True)
class FailTransfer:
    kind: TransferKind
    transfer_id: str
    reason: str = field(default="", metadata=EVIDENCE)
    provider_ref: str = field(default="", metadata=EVIDENCE, compare=False)
    said_at: datetime | None = field(default=None, metadata=EVIDENCE, compare=False)

    @property
    def chain_id(self) -> str:
        return f"{self.kind}:{self.transfer_id}:fail"


Command = (
    PayInOwnMoney | RequestDeposit | ConfirmDeposit | FailDeposit | SettleLine | IdentifyMoney | HoldEscrow
    | ReleasePayment | CancelEscrow | ClawBackPayment | RequestPayout | RequestRefund | ConfirmTransfer | FailTransfer
    | ReturnTransfer | ReverseDeposit | RestoreDeposit
)  # fmt: skip


def stream_of(command: Command) -> str:
    """The stream of a command's deliverable or transfer; what has neither stands alone under its derived id."""
    match command:
        case HoldEscrow() | ReleasePayment() | CancelEscrow() | ClawBackPayment():
            return stream_id(ESCROW, command.deliverable_id)
        case RequestDeposit() | ConfirmDeposit() | FailDeposit() | ReverseDeposit() | RestoreDeposit():
            return stream_id(DEPOSIT, command.deposit_id)
        case RequestPayout():
            return stream_id(PAYOUT, command.payout_id)
        case RequestRefund():
            return stream_id(REFUND, command.refund_id)
        case ConfirmTransfer() | FailTransfer() | ReturnTransfer():
            return stream_id(command.kind.value, command.transfer_id)
        case SettleLine():
            return _stream_of_line(command)
        case PayInOwnMoney() | IdentifyMoney():
            return stream_id(CHAIN, derived_id(CHAIN, command.chain_id))
        case _:
            assert_never(command)


def _stream_of_line(command: SettleLine) -> str:
    """The deposit's stream; what is no deposit of ours stands under the provider's own reference, so that the same payment
    in another batch meets the line that booked it."""
    if command.kind is TransferKind.DEPOSIT and is_id(command.reference):
        return stream_id(DEPOSIT, command.reference)
    named = ("settle", command.reference, command.provider_ref) if command.provider_ref else (command.chain_id,)
    return stream_id(CHAIN, derived_id(CHAIN, *named))
