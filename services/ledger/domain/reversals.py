"""Words of the provider on a transfer that had arrived: it came back, the payer disputes it, the dispute was won."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.ledger.domain.events import TransferKind
from services.ledger.domain.repeats import EVIDENCE

RETURNED = "returned"
"""The case of a deposit that came back without a dispute."""
UNNAMED = "unnamed"
"""What the case of a chargeback without a reference begins with."""


def reversal_of(deposit_id: str, case: str) -> str:
    """The chain of a reversal."""
    return f"cb:{deposit_id}:{case}"


def opened_case(command: "RestoreDeposit", cases: Mapping[str, int], booked: Collection[str]) -> str:
    """The case that was opened, "" for none. A word without a reference means the one open case that has none either and
    was opened before the word was said."""
    if command.opened_by in cases or not command.case.startswith(UNNAMED):
        return command.case if command.opened_by in cases else ""
    named = reversal_of(command.deposit_id, "")
    opened = [one for one in cases if one.startswith(f"{named}{UNNAMED}") and f"{one}:won" not in booked]
    before = [one for one in opened if command.case == UNNAMED or one < command.opened_by]
    return before[0].removeprefix(named) if len(before) == 1 else ""


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
