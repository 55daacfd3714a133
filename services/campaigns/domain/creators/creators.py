"""Creators as campaigns hears of them: who is there, who takes new jobs and how many, who is suspended, who is forgotten.

One stream per creator. Discovery's events come in their order; an erasure comes from compliance and is never taken back.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, assert_never

from kernel.core.decider import Context, Decider
from kernel.core.events import Delivered
from kernel.core.personal import Erased
from services.campaigns.domain.creators.causes import (
    AccountIdentified,
    AccountLinked,
    AccountRenamed,
    AccountVerified,
    AvailabilityChanged,
    CreatorRegistered,
    CreatorReinstated,
    CreatorSuspended,
    OffersBarred,
    OffersHeld,
    ProfileTold,
)
from services.campaigns.domain.creators.events import AccountHeard, CreatorHeard

CATEGORY = "creator"
OF_CREATORS = (
    CreatorRegistered,
    ProfileTold,
    AccountLinked,
    AccountRenamed,
    AccountIdentified,
    AccountVerified,
    AvailabilityChanged,
    CreatorSuspended,
    CreatorReinstated,
    OffersBarred,
    OffersHeld,
)


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per creator."""
    match incoming.event:
        case Erased(subject_id):
            return f"{CATEGORY}-{subject_id}"
        case event if isinstance(event, OF_CREATORS):
            return f"{CATEGORY}-{event.creator_id}"
        case _:
            return None


def loser(incoming: Delivered[Any]) -> str | None:
    """The stream of the creator whose handle another account was renamed to."""
    event = incoming.event
    return f"{CATEGORY}-{event.taken_from}" if isinstance(event, AccountRenamed) and event.taken_from else None


def decide(incoming: Delivered[Any], state: CreatorHeard | None, context: Context) -> Sequence[CreatorHeard]:
    """The creator's standing, where it is new. An erasure may come before the registration: the topics have no common
    order."""
    after = _after(incoming.event, state)
    return [] if after is None or after == state else [after]


def _after(event: Any, state: CreatorHeard | None) -> CreatorHeard | None:
    match event:
        case CreatorRegistered(creator_id, accounts, agency_id, virtual_human):
            known = tuple(AccountHeard(each.platform, each.author_sha256) for each in accounts)
            return state or CreatorHeard(creator_id, accounts=known, agency_id=agency_id, virtual_human=virtual_human)
        case ProfileTold(creator_id, agency_id, virtual_human):
            return replace(state or CreatorHeard(creator_id), agency_id=agency_id, virtual_human=virtual_human)
        case AccountLinked() | AccountRenamed() | AccountIdentified() | AccountVerified() if state and state.forgotten:
            return None
        case AccountRenamed(taken_from=loser_id) if state is not None and state.creator_id == loser_id:
            return _without(event, state)
        case AccountLinked() | AccountRenamed() | AccountIdentified() | AccountVerified() as told:
            return _with_account(told, state or CreatorHeard(told.creator_id))
        case AvailabilityChanged(creator_id, open_, max_parallel_jobs):
            return replace(state or CreatorHeard(creator_id), open=open_, max_parallel_jobs=max_parallel_jobs)
        case CreatorSuspended(creator_id, until):
            return replace(state or CreatorHeard(creator_id), suspended=True, suspended_until=until)
        case CreatorReinstated(creator_id):
            return replace(state or CreatorHeard(creator_id), suspended=False, suspended_until=None)
        case OffersBarred(creator_id, barred):
            return replace(state or CreatorHeard(creator_id), barred=barred)
        case OffersHeld(creator_id, held):
            return replace(state or CreatorHeard(creator_id), offers_held=held)
        case Erased(subject_id):
            return replace(state or CreatorHeard(subject_id), forgotten=True, accounts=())
        case _:
            return None


def _without(told: AccountRenamed, state: CreatorHeard) -> CreatorHeard:
    """The creator without the handle that is another's now. An account whose id the platform has told keeps its verification:
    its posts are known by the id."""

    def is_lost(each: AccountHeard) -> bool:
        named = (each.platform, each.handle_sha256) == (told.platform, told.taken_sha256)
        return named and not each.id_sha256

    return replace(
        state, accounts=tuple(replace(one, verified=False) if is_lost(one) else one for one in state.accounts)
    )


Told = AccountLinked | AccountRenamed | AccountIdentified | AccountVerified


def _with_account(told: Told, state: CreatorHeard) -> CreatorHeard:
    """An account that takes the place of another is not verified; nor is one whose id turns out to be another."""
    others = tuple(each for each in state.accounts if each.platform != told.platform)
    known = next((each for each in state.accounts if each.platform == told.platform), None)
    linked = known or AccountHeard(told.platform, "")
    match told:
        case AccountLinked(_, platform, digest):
            linked = AccountHeard(platform, digest)
        case AccountRenamed(_, _, digest):
            linked = replace(linked, handle_sha256=digest)
        case AccountIdentified(_, _, digest):
            same = linked.id_sha256 in ("", digest)
            linked = replace(linked, id_sha256=digest, verified=linked.verified and same)
        case AccountVerified(_, _, digest):
            linked = replace(linked, handle_sha256=digest, verified=True)
        case _:
            assert_never(told)
    return replace(state, accounts=(*others, linked))


CREATORS: Decider[Delivered[Any], CreatorHeard | None, CreatorHeard] = Decider(
    CATEGORY, None, decide, lambda _, event: event, published=False
)
