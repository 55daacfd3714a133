"""Words of the provider on a transfer that had arrived: it came back, the payer disputes it, the dispute was won."""

from dataclasses import dataclass, field

from services.ledger.domain.events import TransferKind
from services.ledger.domain.repeats import EVIDENCE

RETURNED = "returned"
"""The case of a deposit that came back without a dispute."""


def reversal_of(deposit_id: str, case: str) -> str:
    """The chain of a reversal."""
    return f"cb:{deposit_id}:{case}"


@dataclass(frozen=True, slots=True)
class ReverseDeposit:
    """The provider takes a confirmed deposit back, whole or in part: it was returned, or the payer disputes it. `case`
    names the reversal at the provider; `fee_minor` is what the provider charges for it."""

    deposit_id: str
    case: str
    currency: str
    amount_minor: int
    fee_minor: int = field(default=0, metadata=EVIDENCE)
    reason: str = field(default="", metadata=EVIDENCE)

    @property
    def chain_id(self) -> str:
        return reversal_of(self.deposit_id, self.case)


@dataclass(frozen=True, slots=True)
class RestoreDeposit:
    """A reversal was decided for the brand: the provider gives the money again."""

    deposit_id: str
    case: str
    currency: str
    amount_minor: int

    @property
    def opened_by(self) -> str:
        """The chain of the reversal that is decided."""
        return reversal_of(self.deposit_id, self.case)

    @property
    def chain_id(self) -> str:
        return f"{self.opened_by}:won"


@dataclass(frozen=True, slots=True)
class ReturnTransfer:
    """A payout or refund that had arrived came back to the provider."""

    kind: TransferKind
    transfer_id: str
    reason: str = field(default="", metadata=EVIDENCE)

    @property
    def chain_id(self) -> str:
        return f"{self.kind}:{self.transfer_id}:ret"
