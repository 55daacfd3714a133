"""Claims on and of the provider, per currency: the bound of `psp_clearing`.

A charge that the provider has confirmed is due until its settlement line; a fee or reversal is owed until a line keeps it.
The balance of `psp_clearing` is what is due less what is owed, and neither falls below zero: no line settles more than was
charged, and none keeps more than is owed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kernel.core.faults import Refused
from services.ledger.domain.accounts import PROVIDER, Code
from services.ledger.domain.events import ChainKind
from services.ledger.domain.transfers import Leg, Phase, Ref

CLEARING = Ref(Code.PSP_CLEARING, PROVIDER)


@dataclass(frozen=True, slots=True)
class Clearing:
    """One row of the inline table `clearing` per currency, minor units."""

    currency: str
    due_minor: int = 0
    owed_minor: int = 0

    @property
    def balance_minor(self) -> int:
        """What `psp_clearing` holds."""
        return self.due_minor - self.owed_minor


def cleared(kind: ChainKind, currency: str, legs: Iterable[Leg]) -> tuple[int, int]:
    """By how much a chain changes what is due and what is owed: a line lowers both, every other step raises them."""
    posted = [leg for leg in legs if leg.phase in (Phase.POSTED, Phase.POST) and leg.currency == currency]
    into = sum(leg.amount_minor for leg in posted if leg.debit == CLEARING)
    out = sum(leg.amount_minor for leg in posted if leg.credit == CLEARING)
    return (-out, -into) if kind is ChainKind.LINE_SETTLED else (into, out)


def after(row: Clearing, kind: ChainKind, legs: Iterable[Leg]) -> Clearing:
    """The row after a chain."""
    due_minor, owed_minor = cleared(kind, row.currency, legs)
    return replace(row, due_minor=row.due_minor + due_minor, owed_minor=row.owed_minor + owed_minor)


def check_clearing(row: Clearing) -> None:
    """Raises Refused `clearing.bound_crossed` when more would be settled than was charged, or more kept than is owed."""
    if row.due_minor < 0 or row.owed_minor < 0:
        missing_minor = max(-row.due_minor, -row.owed_minor)
        raise Refused("clearing.bound_crossed", currency=row.currency, missing_minor=missing_minor)
