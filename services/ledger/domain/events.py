"""What the ledger's log says. Every posting is one `ChainPosted` that carries all its numbers: a replay computes none anew."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.ledger.domain.tax import Withholding
from services.ledger.domain.transfers import Leg, Ref


class ChainKind(StrEnum):
    """The business step, by the row numbers of the ledger's step table (README.md)."""

    OWN_MONEY_PAID_IN = "own_money_paid_in"  # 0
    DEPOSIT_CHARGED = "deposit_charged"  # 1
    DEPOSIT_CONFIRMED = "deposit_confirmed"  # 2
    DEPOSIT_FAILED = "deposit_failed"  # 2
    LINE_SETTLED = "line_settled"  # 3
    MONEY_IDENTIFIED = "money_identified"  # 4
    ESCROW_HELD = "escrow_held"  # 5, 6
    PAYMENT_RELEASED = "payment_released"  # 7 to 10
    PAYOUT_REQUESTED = "payout_requested"  # 11
    PAYOUT_CONFIRMED = "payout_confirmed"  # 12
    PAYOUT_FAILED = "payout_failed"  # 13
    PAYOUT_RETURNED = "payout_returned"  # 14
    ESCROW_CANCELLED = "escrow_cancelled"  # 15
    ESCROW_REDUCED = "escrow_reduced"  # 15, the brand's part while the kill fee waits
    REFUND_REQUESTED = "refund_requested"  # 16
    REFUND_CONFIRMED = "refund_confirmed"  # 16
    REFUND_FAILED = "refund_failed"  # 16
    REFUND_RETURNED = "refund_returned"  # 14
    CLAWED_BACK = "clawed_back"  # 19, the creator's part
    DEPOSIT_REVERSED = "deposit_reversed"  # 20
    DEPOSIT_RESTORED = "deposit_restored"  # 21


class TransferKind(StrEnum):
    """Money that crosses the provider: in, out to an earner, back to the payer."""

    DEPOSIT = "deposit"
    PAYOUT = "payout"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Deal:
    """What an escrow is for, as snapshotted at the hold. `fee_minor` is the creator's fee, `brand_fee_minor` is on top."""

    deliverable_id: str
    revision: int
    collaboration_id: str
    campaign_id: str
    brand_id: str
    creator_id: str
    agency_id: str
    agency_bps: int
    jurisdiction: str
    currency: str
    fee_minor: int
    brand_fee_minor: int
    policy_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Payee:
    """One creator's part of a release: `share_minor` = tax + `recovered_minor` (old debts) + `net_minor`."""

    creator_id: str
    share_minor: int
    tax: Withholding
    recovered_minor: int
    net_minor: int


class ReleaseKind(StrEnum):
    """Why money left an escrow towards the creator."""

    SETTLEMENT = "settlement"
    KILL_FEE = "kill_fee"


@dataclass(frozen=True, slots=True)
class Released:
    """How a release was shared out, in minor units. Gross (`fee_minor` + `brand_fee_minor`) = brand revenue + creator
    revenue (both fees net of VAT) + VAT + agency + the payees' shares, exactly."""

    release_id: str
    kind: ReleaseKind
    final: bool
    fee_minor: int
    brand_fee_minor: int
    brand_revenue_minor: int
    creator_revenue_minor: int
    vat_minor: int
    agency_minor: int
    payees: tuple[Payee, ...]

    @property
    def gross_minor(self) -> int:
        return self.fee_minor + self.brand_fee_minor


@dataclass(frozen=True, slots=True)
class Transferred:
    """The transfer a chain belongs to. `owner` is a brand, creator or agency; `source_id` the deposit a refund returns;
    a deposit not confirmed at `expires_at` is void; `said_at` is the time of the provider's word that the transfer arrived.
    Of a settled line `amount_minor` is the line's gross, of a reversal the amount that was taken back."""

    transfer_id: str
    kind: TransferKind
    owner: str
    currency: str
    amount_minor: int
    instrument: str = ""
    source_id: str = ""
    provider_ref: str = ""
    provider_fee_minor: int = 0
    batch: str = ""
    line: str = ""
    expires_at: datetime | None = None
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChainPosted:
    """A chain of legs, posted whole. `chain_id` is made of the business fact (`release:{release}`); `input_hash` tells a
    repeat from another command under the same id; `line_key` names a settled line by what it says; `short_minor` is client
    money that own money could not cover (staff is alarmed, payouts stop)."""

    kind: ChainKind
    chain_id: str
    input_hash: str
    currency: str
    legs: tuple[Leg, ...]
    closes: tuple[Ref, ...] = ()
    short_minor: int = 0
    deal: Deal | None = None
    released: Released | None = None
    returned_minor: int = 0
    killed_minor: int = 0
    transfer: Transferred | None = None
    reason: str = ""
    taken_minor: int = 0
    owed_minor: int = 0
    line_key: str = ""


@dataclass(frozen=True, slots=True)
class EscrowRefused:
    """The brand's free deposit does not cover a hold: an answer, not a fault, so the funding process is never left
    waiting."""

    chain_id: str
    input_hash: str
    deal: Deal
    code: str
    needed_minor: int
    available_minor: int


@dataclass(frozen=True, slots=True)
class TaxWithheld:
    """Beside a release: what was withheld for one creator, for the tax office's own readers."""

    release_id: str
    deliverable_id: str
    creator_id: str
    currency: str
    tax: Withholding


ChainEvent = ChainPosted | EscrowRefused | TaxWithheld
