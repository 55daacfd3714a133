"""A line of the provider's settlement file, and what makes two lines the same one."""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.ids import is_id
from services.ledger.domain.events import TransferKind
from services.ledger.domain.repeats import EVIDENCE

Numbered = Annotated[str, Asked(Len(1, 200))]


@dataclass(frozen=True, slots=True)
class SettleLine:
    """One line of a provider's settlement file: `gross_minor` paid out to us (negative: kept from us), `fee_minor` kept
    besides. `kind` is that of the transfer which the line names; a line that names none of ours has a deposit's.
    `occurrence` counts the lines of the file that say the same, from 1."""

    batch: Numbered
    line: Numbered
    reference: str
    currency: str
    gross_minor: int
    fee_minor: int
    kind: TransferKind = TransferKind.DEPOSIT
    provider_ref: str = field(default="", metadata=EVIDENCE)
    occurrence: int = field(default=1, metadata=EVIDENCE)

    @property
    def chain_id(self) -> str:
        return f"settle:{self.batch}:{self.line}"

    @property
    def key(self) -> str:
        """Its name by what it says, 32 hex digits: a batch that comes again with its lines in another order has the same."""
        said = said_by(self.reference, self.currency, self.gross_minor, self.fee_minor, self.provider_ref)
        text = "\x1f".join((self.batch, *said, str(self.occurrence)))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def said_by(reference: str, currency: str, gross_minor: int, fee_minor: int, provider_ref: str) -> tuple[str, ...]:
    """What a line says; money of nobody is told apart by the provider's own name for it."""
    return reference, currency, str(gross_minor), str(fee_minor), "" if is_id(reference) else provider_ref
