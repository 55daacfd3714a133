"""When to look: what campaigns publishes schedules looks, and the clock makes them due."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kernel.core.canonical import canonical
from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.core.events import Delivered
from kernel.processors.processes import Deadline, Process, deadlines
from services.compliance.codec import CODEC
from services.compliance.domain.live import (
    LOOK,
    ContentPublished,
    ContentTakenDown,
    LookRequested,
    LooksEnded,
    LooksScheduled,
    RequestLook,
)
from services.compliance.subscribe import CAMPAIGNS

NAME = "look"


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per deliverable."""
    match incoming.event:
        case ContentPublished(about=about):
            return f"{LOOK.category}-{about.deliverable_id}"
        case ContentTakenDown(deliverable_id=deliverable_id):
            return f"{LOOK.category}-{deliverable_id}"
        case _:
            return None


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
