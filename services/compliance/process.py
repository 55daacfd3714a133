"""Process and clock of live checks (domain/live.py): events of campaigns schedule looks, and deadlines make them due."""

from collections.abc import Iterable
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


def fold(fact: DecidedEvent[Any], _rows: Rows) -> Iterable[tuple[Key, Deadline | None]]:
    """The one deadline of a `look-` stream: its next look."""
    match fact.event:
        case LooksScheduled(first_at=due_at, ordinal=ordinal):
            return [_row(fact.stream, ordinal, due_at)]
        case LookRequested(next_at=datetime() as due_at, ordinal=ordinal):
            return [_row(fact.stream, ordinal + 1, due_at)]
        case _:
            return [((fact.stream, NAME), None)]


def _row(stream: str, ordinal: int, due_at: datetime) -> tuple[Key, Deadline]:
    command = RequestLook(ordinal)
    data = canonical(command).decode()
    return (stream, NAME), Deadline(stream, NAME, due_at, CODEC.name_of(RequestLook), data)


DEADLINES: InlineTable[Deadline] = deadlines((LooksScheduled, LookRequested, LooksEnded), fold)
PROCESSES = (Process("looks", LOOK, route, own=False, topics=(CAMPAIGNS,)),)
