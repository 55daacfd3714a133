"""Whether a creator may take a new job: what campaigns has heard of it, and how many jobs it has here, exact at the head."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kernel.core.decider import Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Refused
from services.campaigns.domain.creators.events import AccountHeard, CreatorHeard
from services.campaigns.domain.shared.events import ApplicationAccepted, ApplicationReleased
from services.campaigns.domain.shared.work_events import CollaborationCancelled, CollaborationSettled


@dataclass(frozen=True, slots=True)
class Creator:
    """One row of the inline table `creators`, as in CreatorHeard."""

    creator_id: str
    open: bool
    max_parallel_jobs: int
    suspended: bool
    suspended_until: datetime | None
    forgotten: bool
    accounts: tuple[AccountHeard, ...] = ()
    agency_id: str = ""
    offers_held: bool = False
    barred: bool = False
    virtual_human: bool = False


@dataclass(frozen=True, slots=True)
class Jobs:
    """One row of the inline table `jobs`: how many agreements of a creator have not come to their end."""

    creator_id: str
    running: int


def check_bookable(creator_id: str, context: Context, platforms: Iterable[str] = ()) -> None:
    """Raises Refused `creator.*` unless the creator may take one more job now, and has a verified account on these platforms.

    Its numbers are its own: none is told. Nobody takes work that it could not be paid for.
    """
    row = check_known(creator_id, context)
    for platform in platforms:
        author_on(platform, creator_id, context)
    if row.barred:
        raise Refused("creator.barred", do="let the creator settle what its profile asks of it, then try again")
    if row.offers_held:
        raise Refused(
            "creator.offers_held", do="wait for the ruling on the creator's figures, or choose another creator"
        )
    if not row.open:
        raise Refused("creator.closed", do="wait until the creator takes new jobs again")
    jobs = context.rows.get(JOBS, (creator_id,))
    if row.max_parallel_jobs and jobs is not None and jobs.running >= row.max_parallel_jobs:
        raise Refused("creator.fully_booked", do="wait until one of the creator's jobs has ended")


def check_known(creator_id: str, context: Context) -> Creator:
    """The creator's row; Refused `creator.unknown` or `creator.suspended`."""
    row = context.rows.get(CREATORS, (creator_id,))
    if row is None or row.forgotten:
        raise Refused(
            "creator.unknown", do="let the creator register; who has done so a moment ago is known here in seconds"
        )
    if row.suspended and (row.suspended_until is None or row.suspended_until > context.at):
        until = row.suspended_until.isoformat() if row.suspended_until else None
        raise Refused("creator.suspended", until=until, do="wait for the end of the suspension")
    return row


def author_on(platform: str, creator_id: str, context: Context) -> str:
    """The digest of the creator's verified account; Refused `creator.account_not_verified` without one."""
    row = context.rows.get(CREATORS, (creator_id,))
    accounts = row.accounts if row else ()
    found = next((each for each in accounts if each.platform == platform and each.verified), None)
    if found is None:
        raise Refused(
            "creator.account_not_verified",
            platform=platform,
            do=f"have your {platform} account verified, then try again",
        )
    return found.author_sha256


def keys_of(creator_id: str) -> list[tuple[InlineTable[Any], Key]]:
    """The rows that `check_bookable` reads."""
    return [(CREATORS, (creator_id,)), (JOBS, (creator_id,))]


def _fold_creator(fact: DecidedEvent[CreatorHeard], rows: Rows) -> Iterable[tuple[Key, Creator]]:
    event = fact.event
    yield (
        (event.creator_id,),
        Creator(
            event.creator_id,
            event.open,
            event.max_parallel_jobs,
            event.suspended,
            event.suspended_until,
            event.forgotten,
            event.accounts,
            event.agency_id,
            event.offers_held,
            event.barred,
            event.virtual_human,
        ),
    )


def _fold_jobs(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, Jobs]]:
    event, begins = fact.event, isinstance(fact.event, ApplicationAccepted)
    creator_id = event.contract.value.creator_id if begins else event.parties.creator_id
    row = rows.get(JOBS, (creator_id,)) or Jobs(creator_id, 0)
    yield (creator_id,), replace(row, running=max(0, row.running + (1 if begins else -1)))


ENDS = (ApplicationReleased, CollaborationCancelled, CollaborationSettled)
CREATORS: InlineTable[Creator] = InlineTable("creators", Creator, ("creator_id",), (CreatorHeard,), _fold_creator)
JOBS: InlineTable[Jobs] = InlineTable("jobs", Jobs, ("creator_id",), (ApplicationAccepted, *ENDS), _fold_jobs)
