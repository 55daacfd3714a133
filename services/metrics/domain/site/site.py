"""Decider of sites: a brand claims a host, a look finds the proof or not, and a clock looks again as long as it matters.

A site that is proven is looked at every day. An answer without the proof is looked at once more an hour later before the site is
lost; a host that does not answer keeps what it had proven for a week.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Exhausted, Forbidden, Invalid, NotFound, Refused
from services.metrics.domain.attribution import owns
from services.metrics.domain.site.events import (
    SITE,
    Event,
    Outcome,
    SiteClaimed,
    SiteLooked,
    SiteLookRequested,
    SiteStatus,
    site_id_of,
    site_stream,
)
from services.metrics.domain.site.hosts import checked_host

SITES_PER_BRAND = 100
AGAIN = timedelta(days=1)
SOON = timedelta(hours=1)
MISSES = 2
"""So many answers in a row without the proof lose a proven site."""
SILENCE = timedelta(days=7)
WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), SOON, timedelta(hours=6))
"""Between the looks at a site that is not proven; then a day each."""
PATIENCE = timedelta(days=30)
"""After so long without a proof only the brand has a site looked at."""
PENDING = timedelta(minutes=10)
PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ClaimSite:
    brand_id: str
    host: str
    limit: int = SITES_PER_BRAND
    """Sites that the brand may have; the edge says it, from a setting."""


@dataclass(frozen=True, slots=True)
class AskLook:
    """By the brand, which has published the proof."""

    host: str


@dataclass(frozen=True, slots=True)
class LookAtSite:
    """Stored as a deadline."""

    ordinal: int


@dataclass(frozen=True, slots=True)
class RecordSite:
    """Said by the effect that has looked."""

    ordinal: int
    outcome: Outcome
    why: str = ""


Command = ClaimSite | AskLook | LookAtSite | RecordSite


@dataclass(frozen=True, slots=True)
class State:
    """`ordinal` is of the last look that was requested, `looked` of the last that was carried out; `since` is when the site was
    last claimed, asked for, or proven: patience and silence are counted from there."""

    claimed: SiteClaimed | None = None
    status: SiteStatus = SiteStatus.CLAIMED
    covers: str = ""
    ordinal: int = 0
    looked: int = 0
    missed: int = 0
    requested_at: datetime | None = None
    asked_at: datetime | None = None
    since: datetime | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """Inline row: what a brand has proven."""

    brand_id: str
    host: str
    site_id: str
    status: str
    covers: str


@dataclass(frozen=True, slots=True)
class SiteCount:
    """Inline row: how many sites a brand has."""

    brand_id: str
    claimed: int


def _fold(fact: DecidedEvent[SiteClaimed | SiteLooked], rows: Rows) -> Iterable[tuple[Key, Site]]:
    event = fact.event
    key = (event.brand_id, event.host)
    status, covers = (event.status, event.covers) if isinstance(event, SiteLooked) else (SiteStatus.CLAIMED, "")
    yield key, Site(*key, event.site_id, status.value, covers)


def _fold_count(fact: DecidedEvent[SiteClaimed], rows: Rows) -> Iterable[tuple[Key, SiteCount]]:
    brand_id = fact.event.brand_id
    row = rows.get(SITE_COUNTS, (brand_id,))
    yield (brand_id,), SiteCount(brand_id, (row.claimed if row else 0) + 1)


SITES: InlineTable[Site] = InlineTable("site_claims", Site, ("brand_id", "host"), (SiteClaimed, SiteLooked), _fold)
SITE_COUNTS: InlineTable[SiteCount] = InlineTable("site_counts", SiteCount, ("brand_id",), (SiteClaimed,), _fold_count)


def _decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    match command:
        case ClaimSite():
            return _claim(command, state, context)
        case AskLook(host):
            return _ask(host, state, context)
        case LookAtSite(ordinal):
            context.actor.require("system")
            return [_request(state.claimed, ordinal, context)] if state.claimed and ordinal == state.ordinal + 1 else []
        case RecordSite():
            context.actor.require("system")
            return _record(command, state, context)
        case _:
            assert_never(command)


def _claim(command: ClaimSite, state: State, context: Context) -> Sequence[Event]:
    """Raises Forbidden for another brand, Invalid for what is no name of a host, Refused past the brand's limit."""
    if not owns(context, command.brand_id):
        raise Forbidden("site.not_a_party")
    host = checked_host(command.host)
    if context.stream != site_stream(command.brand_id, host):
        raise Invalid("site.wrong_stream", expected=site_stream(command.brand_id, host))
    if state.claimed is not None:
        return []
    row = context.rows.get(SITE_COUNTS, (command.brand_id,))
    if row is not None and row.claimed >= command.limit:
        raise Refused("site.limit_reached", limit=command.limit, do="ask the platform's operator for a higher limit")
    claimed = SiteClaimed(site_id_of(command.brand_id, host), command.brand_id, host)
    return [claimed, _request(claimed, 1, context)]


def _ask(host: str, state: State, context: Context) -> Sequence[Event]:
    """A look that is under way is not asked for twice, and the next is asked for a minute later at the soonest."""
    if state.claimed is None or not owns(context, state.claimed.brand_id):
        raise NotFound("site.not_found", host=host)
    if state.requested_at and state.looked < state.ordinal and context.at < state.requested_at + PENDING:
        return []
    if state.asked_at is not None and context.at < state.asked_at + PAUSE:
        raise Exhausted("site.looked_just_now", retry_after_s=int(PAUSE.total_seconds()))
    return [_request(state.claimed, state.ordinal + 1, context, asked=True)]


def _request(claimed: SiteClaimed, ordinal: int, context: Context, asked: bool = False) -> SiteLookRequested:
    return SiteLookRequested(claimed.site_id, claimed.brand_id, claimed.host, ordinal, context.at, asked)


def _record(command: RecordSite, state: State, context: Context) -> Sequence[Event]:
    if state.claimed is None or command.ordinal <= state.looked or command.ordinal > state.ordinal:
        return []
    status, covers = _status(command.outcome, state, context.at)
    told = (status, covers, command.why, context.at, _next(command.outcome, status, state, context.at))
    claimed = state.claimed
    return [SiteLooked(claimed.site_id, claimed.brand_id, claimed.host, command.ordinal, command.outcome, *told)]


def _status(outcome: Outcome, state: State, at: datetime) -> tuple[SiteStatus, str]:
    if outcome in (Outcome.DOMAIN, Outcome.HOST):
        return SiteStatus.PROVEN, outcome.value
    if state.status is not SiteStatus.PROVEN:
        return state.status, ""
    silent = outcome is Outcome.UNANSWERED
    stays = state.since is not None and at < state.since + SILENCE if silent else state.missed + 1 < MISSES
    return (SiteStatus.PROVEN, state.covers) if stays else (SiteStatus.LOST, "")


def _next(outcome: Outcome, status: SiteStatus, state: State, at: datetime) -> datetime | None:
    if outcome in (Outcome.DOMAIN, Outcome.HOST):
        return at + AGAIN
    if status is SiteStatus.PROVEN:
        return at + SOON
    if state.since is not None and at >= state.since + PATIENCE:
        return None
    return at + (WAITS[state.tries] if state.tries < len(WAITS) else AGAIN)


def _evolve(state: State, event: Event) -> State:
    match event:
        case SiteClaimed():
            return replace(state, claimed=event)
        case SiteLookRequested(ordinal=ordinal, requested_at=at, asked=asked):
            asked_at = at if asked else state.asked_at
            return replace(state, ordinal=ordinal, requested_at=at, since=state.since or at, asked_at=asked_at)
        case SiteLooked():
            return _seen(state, event)
        case _:
            assert_never(event)


def _seen(state: State, event: SiteLooked) -> State:
    found = replace(state, status=event.status, covers=event.covers, looked=event.ordinal)
    if event.outcome in (Outcome.DOMAIN, Outcome.HOST):
        return replace(found, missed=0, tries=0, since=event.looked_at)
    missed = state.missed + 1 if event.outcome is Outcome.ABSENT else state.missed
    fresh = event.status is SiteStatus.LOST and state.status is not SiteStatus.LOST
    if fresh or event.next_look_at is None:
        return replace(found, missed=missed, tries=0, since=event.looked_at)
    return replace(found, missed=missed, tries=state.tries + 1)


def _reads(command: Command, state: State) -> Iterable[tuple[InlineTable[Any], Key]]:
    if isinstance(command, ClaimSite):
        yield SITE_COUNTS, (command.brand_id,)


SITE_DECIDER: Decider[Command, State, Event] = Decider(
    SITE,
    State(),
    _decide,
    _evolve,
    owner=lambda command: command.brand_id if isinstance(command, ClaimSite) else None,
    reads=_reads,
)
