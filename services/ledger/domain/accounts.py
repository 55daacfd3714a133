"""The chart of accounts and what a posting does to one account.

One account = (currency, code, owner); amounts are integer minor units. Which side is normal, whether the balance may
cross zero and whether the money belongs to clients are data (`CHART`); the SQL CHECK is generated from the same data.
"""

from dataclasses import dataclass
from enum import StrEnum

PLATFORM = "platform"
PROVIDER = "psp"


class Code(StrEnum):
    """What an account is for."""

    BANK = "bank"
    BANK_OWN = "bank_own"
    EQUITY = "equity"
    PSP_CLEARING = "psp_clearing"
    PSP_COST = "psp_cost"
    BAD_DEBT = "bad_debt"
    CREATOR_RECEIVABLE = "creator_receivable"
    AGENCY_RECEIVABLE = "agency_receivable"
    BRAND_RECEIVABLE = "brand_receivable"
    TAX_RECOVERABLE = "tax_recoverable"
    BRAND_AVAILABLE = "brand_available"
    ESCROW = "escrow"
    DISPUTE = "dispute"
    CREATOR_AVAILABLE = "creator_available"
    AGENCY_AVAILABLE = "agency_available"
    PAYOUT_IN_TRANSIT = "payout_in_transit"
    REFUND_IN_TRANSIT = "refund_in_transit"
    TAX_WITHHELD = "tax_withheld"
    VAT_OUTPUT = "vat_output"
    SUSPENSE = "suspense"
    FEE_REVENUE = "fee_revenue"
    FX_REVENUE = "fx_revenue"
    FX_POSITION = "fx_position"


class Side(StrEnum):
    """The side on which an account grows."""

    DEBIT = "debit"
    CREDIT = "credit"


class Stake(StrEnum):
    """Whose money an account counts: assets held for clients, claims clients have on them, or the platform's own."""

    ASSET = "asset"
    CLAIM = "claim"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Kind:
    """`bounded`: the spendable balance never falls below zero, counting pending."""

    side: Side
    bounded: bool
    stake: Stake


_D, _C = Side.DEBIT, Side.CREDIT
_ASSET, _CLAIM, _OWN = Stake.ASSET, Stake.CLAIM, Stake.OWN
CHART: dict[Code, Kind] = {
    Code.BANK: Kind(_D, True, _ASSET),
    Code.BANK_OWN: Kind(_D, True, _OWN),
    Code.EQUITY: Kind(_C, True, _OWN),
    Code.PSP_CLEARING: Kind(_D, False, _ASSET),
    Code.PSP_COST: Kind(_D, False, _OWN),
    Code.BAD_DEBT: Kind(_D, False, _OWN),
    Code.CREATOR_RECEIVABLE: Kind(_D, True, _OWN),
    Code.AGENCY_RECEIVABLE: Kind(_D, True, _OWN),
    Code.BRAND_RECEIVABLE: Kind(_D, True, _OWN),
    Code.TAX_RECOVERABLE: Kind(_D, True, _OWN),
    Code.BRAND_AVAILABLE: Kind(_C, True, _CLAIM),
    Code.ESCROW: Kind(_C, True, _CLAIM),
    Code.DISPUTE: Kind(_C, True, _CLAIM),
    Code.CREATOR_AVAILABLE: Kind(_C, True, _CLAIM),
    Code.AGENCY_AVAILABLE: Kind(_C, True, _CLAIM),
    Code.PAYOUT_IN_TRANSIT: Kind(_C, True, _CLAIM),
    Code.REFUND_IN_TRANSIT: Kind(_C, True, _CLAIM),
    Code.TAX_WITHHELD: Kind(_C, True, _CLAIM),
    Code.VAT_OUTPUT: Kind(_C, False, _OWN),
    Code.SUSPENSE: Kind(_C, True, _CLAIM),
    Code.FEE_REVENUE: Kind(_C, False, _OWN),
    Code.FX_REVENUE: Kind(_C, False, _OWN),
    Code.FX_POSITION: Kind(_D, False, _ASSET),
}


@dataclass(frozen=True, slots=True)
class Account:
    """One row of the inline table `accounts`; amounts in minor units of `currency`. `closed` takes no posting more."""

    currency: str
    code: str
    owner: str
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0
    closed: bool = False

    @property
    def kind(self) -> Kind:
        return CHART[Code(self.code)]

    @property
    def balance_minor(self) -> int:
        """Posted balance, positive on the normal side."""
        net = self.debits_posted - self.credits_posted
        return net if self.kind.side is Side.DEBIT else -net

    @property
    def spendable_minor(self) -> int:
        """What may still leave: pending exits count, pending arrivals never do."""
        if self.kind.side is Side.DEBIT:
            return self.debits_posted - self.credits_posted - self.credits_pending
        return self.credits_posted - self.debits_posted - self.debits_pending


def bound_check_sql() -> str:
    """The second lock: the text of the CHECK constraint on `accounts`, made from the same chart."""
    bounded = [(code, kind.side) for code, kind in CHART.items() if kind.bounded]
    debit = ", ".join(f"'{code}'" for code, side in bounded if side is Side.DEBIT)
    credit = ", ".join(f"'{code}'" for code, side in bounded if side is Side.CREDIT)
    return (
        f"(code NOT IN ({debit}) OR debits_posted - credits_posted - credits_pending >= 0)"
        f" AND (code NOT IN ({credit}) OR credits_posted - debits_posted - debits_pending >= 0)"
    )
