"""Creators as campaigns hears of them: who is there, who takes new jobs and how many, who is suspended, who is forgotten.

One stream per creator. Discovery's events come in their order; an erasure comes from compliance and is never taken back.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kernel.core.decider import Context, Decider
from kernel.core.events import Delivered
from services.campaigns.domain.creators.causes import (
    AvailabilityChanged,
    CreatorRegistered,
    CreatorReinstated,
    CreatorSuspended,
    SubjectErased,
)
from services.campaigns.domain.creators.events import CreatorHeard

CATEGORY = "creator"


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per creator."""
    match incoming.event:
        case CreatorRegistered() | AvailabilityChanged() | CreatorSuspended() | CreatorReinstated() as event:
            return f"{CATEGORY}-{event.creator_id}"
        case SubjectErased(subject_id):
            return f"{CATEGORY}-{subject_id}"
        case _:
            return None


def decide(incoming: Delivered[Any], state: CreatorHeard | None, context: Context) -> Sequence[CreatorHeard]:
    """The creator's standing, where it is new. An erasure may come before the registration: the topics have no common
    order."""
    after = _after(incoming.event, state)
    return [] if after is None or after == state else [after]


def _after(event: Any, state: CreatorHeard | None) -> CreatorHeard | None:
    match event:
        case CreatorRegistered(creator_id):
            return state or CreatorHeard(creator_id)
        case AvailabilityChanged(creator_id, open_, max_parallel_jobs):
            return replace(state or CreatorHeard(creator_id), open=open_, max_parallel_jobs=max_parallel_jobs)
        case CreatorSuspended(creator_id, until):
            return replace(state or CreatorHeard(creator_id), suspended=True, suspended_until=until)
        case CreatorReinstated(creator_id):
            return replace(state or CreatorHeard(creator_id), suspended=False, suspended_until=None)
        case SubjectErased(subject_id):
            return replace(state or CreatorHeard(subject_id), forgotten=True)
        case _:
            return None


CREATORS: Decider[Delivered[Any], CreatorHeard | None, CreatorHeard] = Decider(
    CATEGORY, None, decide, lambda _, event: event, published=False
)
