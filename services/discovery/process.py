"""Others' events that make discovery act: a person that is to be forgotten."""

from collections.abc import Sequence
from typing import Any

from kernel.core.decider import Context, Decider
from kernel.core.events import Delivered
from kernel.core.ids import derived_id, stream_id
from kernel.processors.processes import Process
from services.discovery.domain.erasure import AskErasure, Event, RecordErasure, Step, decide, evolve
from services.discovery.subscribe import TOPICS, Erased

ERASURE_CATEGORY = "erasure"


def _decide(command: Delivered[Any] | RecordErasure, step: Step, _: Context) -> Sequence[Event]:
    """The process's causes are Erased events; the effect's answer is RecordErasure."""
    asked = AskErasure(command.event.subject_id) if isinstance(command, Delivered) else command
    return decide(asked, step)


def _route(incoming: Delivered[Any]) -> str | None:
    """A subject's stream is named by an id derived from it: subjects of other services need not be UUIDs."""
    if not isinstance(incoming.event, Erased):
        return None
    return stream_id(ERASURE_CATEGORY, derived_id(ERASURE_CATEGORY, incoming.event.subject_id))


ERASURES: Decider[Delivered[Any] | RecordErasure, Step, Event] = Decider(
    ERASURE_CATEGORY, Step.NONE, _decide, evolve, published=False
)
PROCESSES = (
    Process("erasure", ERASURES, _route, own=False, topics=tuple(one for one in TOPICS if one.service == "compliance")),
)
