"""Processes and clocks: of live checks (domain/live.py), which events of campaigns schedule, and of compliance's own erasures."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from kernel.core.canonical import canonical
from kernel.core.decider import DecidedEvent, InlineTable, Key, Rows
from kernel.core.personal import ERASURE, EraseNow, ErasureAsked, ErasurePostponed, erasure_of, erasures
from kernel.processors.processes import Deadline, Process, deadlines
from services.compliance.codec import CODEC
from services.compliance.domain.erasure import ARCHIVED, SubjectErased
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


LOOKS: dict[type, Callable[[Any], tuple[int, datetime | None]]] = {
    LooksScheduled: lambda event: (event.ordinal, event.first_at),
    LookRequested: lambda event: (event.ordinal + 1, event.next_at),
    LooksEnded: lambda _: (0, None),
}
"""The next look of a stream and when it is due (None: no look is due), by the event that says so."""


def fold(fact: DecidedEvent[Any], _rows: Rows) -> Iterable[tuple[Key, Deadline | None]]:
    """The one deadline of a `look-` stream is its next look, that of an `erasure-` stream the end of the archive."""
    match fact.event:
        case ErasurePostponed(subject_id, due_at):
            yield (fact.stream, ERASURE), _row(fact.stream, ERASURE, due_at, EraseNow(subject_id))
        case ErasureAsked():
            yield (fact.stream, ERASURE), None
        case event:
            ordinal, next_at = LOOKS[type(event)](event)
            yield (fact.stream, NAME), _row(fact.stream, NAME, next_at, RequestLook(ordinal)) if next_at else None


def _row(stream: str, name: str, due_at: datetime, command: object) -> Deadline:
    return Deadline(stream, name, due_at, CODEC.name_of(type(command)), canonical(command).decode())


DEADLINES: InlineTable[Deadline] = deadlines((*LOOKS, ErasurePostponed, ErasureAsked), fold)
PROCESSES = (
    Process("looks", LOOK, route, own=False, topics=(CAMPAIGNS,)),
    Process(ERASURE, erasures(ARCHIVED), partial(erasure_of, cause=SubjectErased)),
)
