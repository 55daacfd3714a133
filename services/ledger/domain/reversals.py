"""Words of the provider on a transfer that had arrived: it came back, the payer disputes it, the dispute was won."""

from dataclasses import dataclass, field
from datetime import datetime

from services.ledger.domain.events import TransferKind
from services.ledger.domain.repeats import EVIDENCE

RETURNED = "returned"
"""The case of a deposit that came back without a dispute."""


def reversal_of(deposit_id: str, case: str) -> str:
    """The chain of a reversal."""
    return f"cb:{deposit_id}:{case}"


def is_of_another_try(failed: tuple[str, datetime | None], arrived: tuple[str, datetime | None]) -> bool:
    """Whether a failure is of another try than the one that arrived, by the provider's name and time of each word: told of
    before the arrival, or, where a time is not told, under another name. A failure of the same try says that it came back."""
    (failed_ref, failed_at), (arrived_ref, arrived_at) = failed, arrived
    if failed_at is not None and arrived_at is not None:
        return failed_at < arrived_at
    return "" not in (failed_ref, arrived_ref) and failed_ref != arrived_ref


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
