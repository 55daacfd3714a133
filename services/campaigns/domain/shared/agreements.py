"""What came of each acceptance, exact at the head: whether its collaboration is still to come, at work, or over."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kernel.core.decider import Actor, Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.ids import split_stream
from services.campaigns.domain.shared.contract import Parties
from services.campaigns.domain.shared.events import ApplicationAccepted, ApplicationReleased
from services.campaigns.domain.shared.work_events import (
    CollaborationCancelled,
    CollaborationContracted,
    CollaborationSettled,
)

AGREED, AT_WORK, OVER = "agreed", "at_work", "over"


@dataclass(frozen=True, slots=True)
class Agreement:
    """One row of the inline table `agreements` per acceptance; `step` is agreed, at_work or over."""

    collaboration_id: str
    brand_id: str
    creator_id: str
    step: str

    def is_for(self, actor: Actor) -> bool:
        return actor.tenant in (self.brand_id, self.creator_id) or not actor.roles.isdisjoint(STAFF)


STAFF = frozenset({"system", "operator", "reviewer"})
STEPS: dict[type, str] = {
    ApplicationAccepted: AGREED,
    CollaborationContracted: AT_WORK,
    ApplicationReleased: OVER,
    CollaborationCancelled: OVER,
    CollaborationSettled: OVER,
}


def agreement_keys(collaboration_id: str) -> list[tuple[InlineTable[Any], Key]]:
    return [(AGREEMENTS, (collaboration_id,))]


def is_over(collaboration_id: str, context: Context) -> bool:
    """Whether what came of an acceptance has ended; False while it is still to come."""
    row = context.rows.get(AGREEMENTS, (collaboration_id,))
    return row is not None and row.step == OVER


def _fold(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, Agreement]]:
    id_, parties = _named(fact)
    yield (id_,), Agreement(id_, parties.brand_id, parties.creator_id, STEPS[type(fact.event)])


def _named(fact: DecidedEvent[Any]) -> tuple[str, Parties]:
    event = fact.event
    if isinstance(event, ApplicationAccepted | CollaborationContracted):
        return event.contract.value.collaboration_id, event.contract.value.parties
    if isinstance(event, ApplicationReleased) and event.collaboration_id:
        return event.collaboration_id, event.parties
    return split_stream(fact.stream)[1], event.parties


AGREEMENTS: InlineTable[Agreement] = InlineTable("agreements", Agreement, ("collaboration_id",), tuple(STEPS), _fold)
