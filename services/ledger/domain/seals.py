"""Sealing the journal: every window in which something was posted ends with the hash of all that stands before it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.ids import derived_id, stream_id

SEAL = "seal"
WINDOW_S = 600


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """Stored as a deadline: the window that ends at `ends_at` (UTC) is to be sealed."""

    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SealJournal:
    """The hash of the journal up to a position."""

    ends_at: datetime
    up_to_position: int
    root: str
    formula: int


@dataclass(frozen=True, slots=True)
class WindowClosed:
    """An intent: hash the journal up to this event's own position."""

    ends_at: datetime


@dataclass(frozen=True, slots=True)
class JournalSealed:
    """`root` (64 hex digits) covers positions 1..`up_to_position` by `formula`; anchors outside repeat it."""

    ends_at: datetime
    up_to_position: int
    root: str
    formula: int


@dataclass(frozen=True, slots=True)
class Seal:
    """The one row of the inline table `seals`: the last seal."""

    journal: str
    up_to_position: int
    root: str
    formula: int


def window_end(at: datetime) -> datetime:
    """The end of the window that holds the moment."""
    seconds = int(at.timestamp()) // WINDOW_S * WINDOW_S + WINDOW_S
    return datetime.fromtimestamp(seconds, UTC)


def seal_stream(ends_at: datetime) -> str:
    return stream_id(SEAL, derived_id(SEAL, str(int(ends_at.timestamp()))))


def _decide(command: CloseWindow | SealJournal, state: str, context: Context) -> Sequence[WindowClosed | JournalSealed]:
    context.actor.require("system")
    match command:
        case CloseWindow():
            return [] if state else [WindowClosed(command.ends_at)]
        case SealJournal():
            if state != "closed":
                return []
            return [JournalSealed(command.ends_at, command.up_to_position, command.root, command.formula)]
        case _:
            assert_never(command)


def _evolve(state: str, event: WindowClosed | JournalSealed) -> str:
    return "closed" if isinstance(event, WindowClosed) else "sealed"


def _fold(fact: DecidedEvent[JournalSealed], rows: Rows) -> Iterable[tuple[Key, Seal]]:
    yield LAST, Seal(LAST[0], fact.event.up_to_position, fact.event.root, fact.event.formula)


LAST: Key = ("ledger",)
SEALS: InlineTable[Seal] = InlineTable("seals", Seal, ("journal",), (JournalSealed,), _fold)
SEALING: Decider[CloseWindow | SealJournal, str, WindowClosed | JournalSealed] = Decider(
    SEAL, "", _decide, _evolve, published=False
)
