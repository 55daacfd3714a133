"""The work list: what the provider says and the books do not take, kept until finance has dealt with it.

Nothing is posted here. What is said again under the same name is the same discrepancy; one that was resolved stays so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Refused
from kernel.core.ids import checked_id, derived_id, split_stream, stream_id
from services.ledger.domain.commands import Text
from services.ledger.domain.deposits import check_text

DISCREPANCY = "discrepancy"
BOOKED = "line.booked"
"""The reason of a discrepancy that ended because its line was booked after all."""


class Origin(StrEnum):
    """Where the provider said it."""

    WEBHOOK = "webhook"
    ANSWER = "answer"
    SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True)
class Claim:
    """What the provider said: `word` is a webhook's type or a line's `batch:line`, amounts in minor units, `code` says why
    the books did not take it."""

    origin: Origin
    word: str
    reference: str
    currency: str
    gross_minor: int
    fee_minor: int
    provider_ref: str
    code: str

    @property
    def id(self) -> str:
        if self.origin is Origin.SETTLEMENT:
            return derived_id(DISCREPANCY, self.origin.value, self.word)
        said = (self.reference, self.provider_ref, self.currency, str(self.gross_minor))
        return derived_id(DISCREPANCY, self.origin.value, self.word, *said)


@dataclass(frozen=True, slots=True)
class NoteDiscrepancy:
    claim: Claim


@dataclass(frozen=True, slots=True)
class ResolveDiscrepancy:
    """`reason` says what was done about it."""

    discrepancy_id: str
    reason: Text


@dataclass(frozen=True, slots=True)
class DiscrepancyNoted:
    claim: Claim
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class DiscrepancyResolved:
    reason: str


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One row of the inline table `discrepancies` per open one."""

    discrepancy_id: str
    origin: str
    word: str
    reference: str
    currency: str
    gross_minor: int
    fee_minor: int
    provider_ref: str
    code: str
    noted_at: datetime


Command = NoteDiscrepancy | ResolveDiscrepancy
Event = DiscrepancyNoted | DiscrepancyResolved


def discrepancy_stream(discrepancy_id: str) -> str:
    return stream_id(DISCREPANCY, discrepancy_id)


def _decide(command: Command, state: str, context: Context) -> Sequence[Event]:
    match command:
        case NoteDiscrepancy():
            context.actor.require("system", "finance")
            return [] if state else [DiscrepancyNoted(command.claim, context.at)]
        case ResolveDiscrepancy():
            context.actor.require("system", "finance")
            checked_id(command.discrepancy_id)
            check_text(command, "reason")
            if not state:
                raise Refused("discrepancy.unknown", discrepancy_id=command.discrepancy_id)
            return [DiscrepancyResolved(command.reason)] if state == "open" else []
        case _:
            assert_never(command)


def _evolve(state: str, event: Event) -> str:
    return "open" if isinstance(event, DiscrepancyNoted) else "resolved"


def _fold(fact: DecidedEvent[Event], rows: Rows) -> Iterable[tuple[Key, Discrepancy | None]]:
    id_, event = split_stream(fact.stream)[1], fact.event
    if isinstance(event, DiscrepancyResolved):
        yield (id_,), None
        return
    said = event.claim
    yield (id_,), Discrepancy(
        id_, said.origin.value, said.word, said.reference, said.currency, said.gross_minor, said.fee_minor,
        said.provider_ref, said.code, event.noted_at,
    )  # fmt: skip


DISCREPANCIES: InlineTable[Discrepancy] = InlineTable(
    "discrepancies", Discrepancy, ("discrepancy_id",), (DiscrepancyNoted, DiscrepancyResolved), _fold
)
WORK_LIST: Decider[Command, str, Event] = Decider(DISCREPANCY, "", _decide, _evolve, published=False)
