"""Process and clock of live checks (domain/live.py): events of campaigns schedule looks, and deadlines make them due."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from kernel.core.canonical import canonical
from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.processors.processes import Deadline, Process, deadlines
from services.compliance.codec import CODEC
from services.compliance.domain.live import (
    LOOK,
    LookRequested,
    LooksEnded,
    LooksScheduled,
    RequestLook,
    route,
)
from services.compliance.subscribe import CAMPAIGNS

NAME = "look"


TIMERS: dict[type, Callable[[Any], tuple[int, datetime | None]]] = {
    LooksScheduled: lambda event: (event.ordinal, event.first_at),
    LookRequested: lambda event: (event.ordinal + 1, event.next_at),
    LooksEnded: lambda _: (0, None),
}
"""The next look of a stream and when it is due (None: no look is due), by the event that says so."""


def fold(fact: DecidedEvent[Any], _rows: Rows) -> Iterable[tuple[Key, Deadline | None]]:
    """The one deadline of a `look-` stream: its next look."""
    ordinal, due_at = TIMERS[type(fact.event)](fact.event)
    return [((fact.stream, NAME), _row(fact.stream, ordinal, due_at) if due_at else None)]


def _row(stream: str, ordinal: int, due_at: datetime) -> Deadline:
    command = RequestLook(ordinal)
    return Deadline(stream, NAME, due_at, CODEC.name_of(RequestLook), canonical(command).decode())


DEADLINES: InlineTable[Deadline] = deadlines(tuple(TIMERS), fold)
PROCESSES = (Process("looks", LOOK, route, own=False, topics=(CAMPAIGNS,)),)
