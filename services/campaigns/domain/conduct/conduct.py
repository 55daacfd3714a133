"""Conduct of a creator over all its collaborations: after repeated breaches that were not cured, discovery suspends it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from kernel.core.decider import Context, Decider
from kernel.core.events import CommandRefused, Delivered
from kernel.core.ids import split_stream
from services.campaigns.domain.conduct.events import ConductEvent, SanctionRequested, StrikeCounted
from services.campaigns.domain.shared.requests import RequestRefused
from services.campaigns.domain.shared.work_events import ClawBackOrdered

CATEGORY = "conduct"
STRIKES = 3
WITHIN = timedelta(days=365)
SUSPENDED_FOR = timedelta(days=90)
REASON = "sanction.breach_not_cured"


@dataclass(frozen=True, slots=True)
class Conduct:
    """`strikes` of the last year since the last sanction, `counted` their deliverables; `refused` is the command refused last."""

    strikes: tuple[datetime, ...] = ()
    counted: tuple[str, ...] = ()
    refused: str = ""


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per creator."""
    match incoming.event:
        case ClawBackOrdered() as event:
            return f"{CATEGORY}-{event.parties.creator_id}"
        case CommandRefused(requester=requester):
            return requester if split_stream(requester)[0] == CATEGORY else None
        case _:
            return None


def decide(incoming: Delivered[Any], state: Conduct, context: Context) -> Sequence[ConductEvent]:
    """A deliverable counts once, however often the ledger is asked; the third strike within a year is the sanction."""
    match incoming.event:
        case ClawBackOrdered() as event if event.attempt == 1 and event.deliverable_id not in state.counted:
            return _struck(event, incoming.at, state)
        case CommandRefused(command_id=command_id, command=command, code=code):
            return [] if command_id == state.refused else [RequestRefused(command_id, command, code)]
        case _:
            return []


def _struck(event: ClawBackOrdered, at: datetime, state: Conduct) -> Sequence[ConductEvent]:
    strike = StrikeCounted(event.deliverable_id, event.reason, at)
    strikes = len(evolve(state, strike).strikes)
    if strikes < STRIKES:
        return [strike]
    return [strike, SanctionRequested(event.parties.creator_id, REASON, at + SUSPENDED_FOR, strikes)]


def evolve(state: Conduct, event: ConductEvent) -> Conduct:
    """The fold; total."""
    match event:
        case StrikeCounted(deliverable_id, _, at):
            recent = tuple(each for each in state.strikes if each > at - WITHIN)
            return replace(state, strikes=(*recent, at), counted=(*state.counted, deliverable_id))
        case SanctionRequested():
            return replace(state, strikes=())
        case RequestRefused(command_id=command_id):
            return replace(state, refused=command_id)
        case _:
            assert_never(event)


CONDUCT = Decider(CATEGORY, Conduct(), decide, evolve, published=False)
