"""Watching transfers: what the provider has not answered is asked again, ever more rarely, until it is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kernel.core.decider import Context, Decider, InlineTable, Key
from kernel.core.ids import stream_id
from services.ledger.domain.events import TransferKind
from services.ledger.domain.rows import TRANSFERS, TransferStatus

WATCH = "watch"
FIRST_LOOK = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=6)
LIFE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class LookAtTransfer:
    """Stored as a deadline. `asked_at` is when the transfer was asked for, UTC."""

    kind: TransferKind
    transfer_id: str
    attempt: int
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class TransferLookDue:
    """An intent: ask the provider. `overdue` when a deposit's time to be confirmed is over."""

    kind: TransferKind
    transfer_id: str
    attempt: int
    asked_at: datetime
    overdue: bool


def watch_stream(transfer_id: str) -> str:
    return stream_id(WATCH, transfer_id)


def look_at(asked_at: datetime, attempt: int) -> datetime:
    """When to look for the n-th time: after 2, 4, 8, ... minutes, then every 6 hours; counted from the look before."""
    pause: timedelta = FIRST_LOOK * (1 << min(attempt - 1, 16))
    return asked_at + min(pause, LONGEST_PAUSE)


def _decide(command: LookAtTransfer, state: int, context: Context) -> Sequence[TransferLookDue]:
    """Silent once the transfer is concluded, and for an attempt that was made."""
    row = context.rows.get(TRANSFERS, (command.transfer_id,))
    if row is None or row.status != TransferStatus.PENDING or command.attempt <= state:
        return []
    overdue = context.at >= command.asked_at + LIFE
    return [TransferLookDue(command.kind, command.transfer_id, command.attempt, command.asked_at, overdue)]


def _reads(command: LookAtTransfer, state: int) -> Iterable[tuple[InlineTable[Any], Key]]:
    yield TRANSFERS, (command.transfer_id,)


WATCHES: Decider[LookAtTransfer, int, TransferLookDue] = Decider(
    WATCH, 0, _decide, lambda _, event: event.attempt, published=False, reads=_reads
)
