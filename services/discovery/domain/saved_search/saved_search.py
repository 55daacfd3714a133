"""The saved search aggregate, stream `search-<id>`, owned by who saved it: save, delete, report matches, mark them as seen.

Each creator is told once for the same criteria: one that stops to match and matches again is no news.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from kernel.core.decider import Context, Decider
from kernel.core.faults import Forbidden, Invalid, Refused
from kernel.core.ids import checked_id
from services.discovery.domain.checks import checked_line, checked_lines
from services.discovery.domain.saved_search.commands import (
    Command,
    DeleteSavedSearch,
    MarkMatchesSeen,
    ReportMatches,
    SaveSearch,
)
from services.discovery.domain.saved_search.events import (
    Event,
    MatchesSeen,
    SavedSearchDeleted,
    SavedSearchLooked,
    SavedSearchMatched,
    SearchSaved,
)

CATEGORY = "search"
OWNERS = ("brand", "agency", "operator")
WATCHED_LIMIT = 2_000
"""A search that more creators match than these when it is saved is not watched: its news would be noise."""
TOLD_LIMIT = 10_000
"""So many creators are told of one search's criteria in all, those of the first look included."""
REPORT_LIMIT = 500
"""New matches of one report."""


@dataclass(frozen=True, slots=True)
class State:
    """`told` are the creators that are no news any more; `matches` of them came to match since the search was saved."""

    saved: SearchSaved | None = None
    looked: bool = False
    total: int = 0
    told: frozenset[str] = frozenset()
    matches: int = 0
    seen: int = 0
    deleted: bool = False

    @property
    def is_watching(self) -> bool:
        return self.saved is not None and self.saved.watched and not self.deleted


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    """Raises Forbidden for a stranger, Invalid for a bad value, Refused for a search that is not there."""
    if isinstance(command, ReportMatches):
        context.actor.require("system")
        return _matched(command, state)
    context.actor.require(*OWNERS)
    match command:
        case SaveSearch():
            return _save(command, state, context)
        case DeleteSavedSearch():
            owner = _own(state, context).owner
            return [] if state.deleted else [SavedSearchDeleted(owner)]
        case MarkMatchesSeen():
            _there(state, context)
            number = min(command.number, state.matches)
            return [MatchesSeen(number)] if number > state.seen else []
        case _:
            assert_never(command)


def _own(state: State, context: Context) -> SearchSaved:
    """To a stranger it is not there."""
    if state.saved is None or state.saved.owner != context.actor.tenant:
        raise Refused("saved_search.unknown")
    return state.saved


def _there(state: State, context: Context) -> SearchSaved:
    if state.deleted:
        raise Refused("saved_search.unknown")
    return _own(state, context)


def _save(command: SaveSearch, state: State, context: Context) -> Sequence[Event]:
    if state.saved is not None and state.saved.owner != context.actor.tenant:
        raise Forbidden("saved_search.not_yours")
    if state.deleted:
        raise Refused("saved_search.unknown")
    name, last = checked_line(command, "name"), state.saved
    if not name:
        raise Invalid("text.empty", field="name")
    criteria, view = checked_lines(command, "criteria"), checked_line(command, "view")
    revision = (
        1 if last is None else last.revision + (criteria != last.criteria or (command.watched and not last.watched))
    )
    made = SearchSaved(context.actor.tenant, name, criteria, view, command.watched, revision)
    return [] if made == last else [made]


def _matched(command: ReportMatches, state: State) -> Sequence[Event]:
    """Nothing for criteria that were changed meanwhile, nor for a search that nobody watches any more."""
    saved = state.saved
    if saved is None or not state.is_watching or command.revision != saved.revision:
        return []
    ids = tuple(dict.fromkeys(map(checked_id, command.creator_ids)))
    if not state.looked:
        known = ids if command.total <= WATCHED_LIMIT else ()
        return [SavedSearchLooked(saved.revision, known, command.total)]
    room = 0 if state.total > WATCHED_LIMIT else min(REPORT_LIMIT, TOLD_LIMIT - len(state.told))
    fresh = tuple(one for one in ids if one not in state.told)[:room]
    return [SavedSearchMatched(saved.owner, saved.name, state.matches + 1, fresh)] if fresh else []


def evolve(state: State, event: Event) -> State:
    match event:
        case SearchSaved():
            is_same = state.saved is not None and state.saved.revision == event.revision
            return replace(state, saved=event) if is_same else State(event)
        case SavedSearchLooked():
            return replace(state, looked=True, total=event.total, told=frozenset(event.creator_ids))
        case SavedSearchMatched():
            told = state.told.union(event.creator_ids)
            return replace(state, told=told, matches=state.matches + len(event.creator_ids))
        case MatchesSeen():
            return replace(state, seen=event.number)
        case SavedSearchDeleted():
            return replace(state, deleted=True, told=frozenset())
        case _:
            assert_never(event)


SAVED_SEARCH: Decider[Command, State, Event] = Decider(CATEGORY, State(), decide, evolve)
