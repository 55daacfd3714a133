"""The shortlist aggregate, stream `shortlist-<id>`: its owner names it, puts creators on it, takes them off and writes notes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, assert_never

from kernel.core.bounds import limits
from kernel.core.decider import Actor, Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Forbidden, Invalid, NotFound, Refused
from kernel.core.ids import checked_id
from services.discovery.domain.checks import checked_line, checked_lines
from services.discovery.domain.erasure import FORGOTTEN
from services.discovery.domain.shortlist.commands import (
    CREATORS_LIMIT,
    LISTS_LIMIT,
    AddToShortlist,
    Command,
    DeleteShortlist,
    NameShortlist,
    RemoveFromShortlist,
    WriteNote,
)
from services.discovery.domain.shortlist.events import (
    CreatorNoted,
    CreatorsShortlisted,
    CreatorsTakenOff,
    Event,
    ShortlistBegun,
    ShortlistDeleted,
    ShortlistRenamed,
)

CATEGORY = "shortlist"
OWNERS = ("brand", "agency", "operator")


@dataclass(frozen=True, slots=True)
class State:
    """`notes` by creator, in the order in which the creators came; "" for none."""

    owner: str = ""
    name: str = ""
    notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    deleted: bool = False


INITIAL = State()


@dataclass(frozen=True, slots=True)
class ShortlistCount:
    """Inline row: how many shortlists an owner has."""

    owner: str
    lists: int


def fold(fact: DecidedEvent[ShortlistBegun | ShortlistDeleted], rows: Rows) -> Iterable[tuple[Key, ShortlistCount]]:
    owner = fact.event.owner
    row = rows.get(SHORTLIST_COUNTS, (owner,))
    step = 1 if isinstance(fact.event, ShortlistBegun) else -1
    yield (owner,), ShortlistCount(owner, (row.lists if row else 0) + step)


SHORTLIST_COUNTS: InlineTable[ShortlistCount] = InlineTable(
    "shortlist_counts", ShortlistCount, ("owner",), (ShortlistBegun, ShortlistDeleted), fold
)


def decide(command: Command, state: State, context: Context) -> Sequence[Event]:
    """Raises Forbidden for a caller without the role, NotFound `shortlist.not_found` also to strangers, Invalid for a bad value,
    Refused for a list that is full, or one too many."""
    context.actor.require(*OWNERS)
    if isinstance(command, NameShortlist):
        return _name(command, state, context)
    if state == INITIAL or state.owner != context.actor.tenant:
        raise NotFound("shortlist.not_found")
    if isinstance(command, DeleteShortlist):
        return [] if state.deleted else [ShortlistDeleted(state.owner)]
    if state.deleted:
        raise NotFound("shortlist.not_found")
    return _of_a_list(command, state, context)


def _name(command: NameShortlist, state: State, context: Context) -> Sequence[Event]:
    """An id of a list that was deleted, or of somebody else's, is spent."""
    owner, name = context.actor.tenant, checked_line(command, "name")
    if command.owner != owner:
        raise Forbidden("shortlist.not_yours")
    if not name:
        raise Invalid("text.empty", field="name")
    if state.deleted or state.owner not in ("", owner):
        raise Refused("shortlist.id_taken", do="begin a list under another id")
    if state.owner:
        return [] if name == state.name else [ShortlistRenamed(name)]
    row = context.rows.get(SHORTLIST_COUNTS, (owner,))
    if row is not None and row.lists >= LISTS_LIMIT:
        raise Refused("shortlist.too_many", limit=LISTS_LIMIT, do="delete one that is not needed")
    return [ShortlistBegun(owner, name)]


def _of_a_list(
    command: AddToShortlist | RemoveFromShortlist | WriteNote, state: State, context: Context
) -> Sequence[Event]:
    match command:
        case AddToShortlist():
            new = tuple(one for one in _checked(command) if one not in state.notes)
            if len(state.notes) + len(new) > CREATORS_LIMIT:
                raise Refused("shortlist.full", limit=CREATORS_LIMIT, do="take creators off it, or begin another list")
            return [CreatorsShortlisted(new)] if new else []
        case RemoveFromShortlist():
            gone = tuple(one for one in _checked(command) if one in state.notes)
            return [CreatorsTakenOff(gone)] if gone else []
        case WriteNote():
            return _note(command, state, context)
        case _:
            assert_never(command)


def _note(command: WriteNote, state: State, context: Context) -> Sequence[Event]:
    """Of who was erased once nothing is written again, also where the person came back: it would be kept under a new key."""
    creator_id, note = command.creator_id, command.note
    if creator_id not in state.notes:
        raise NotFound("shortlist.creator_not_on_it")
    if note:
        checked_lines(command, "note")
        if context.rows.get(FORGOTTEN, (creator_id,)) is not None:
            raise Refused("creator.asked_to_be_forgotten")
    return [] if note == state.notes[creator_id] else [CreatorNoted(creator_id, note)]


def _checked(command: AddToShortlist | RemoveFromShortlist) -> Iterable[str]:
    """Each id once, in the order given."""
    lowest, highest = limits(command, "creator_ids")
    if not lowest <= len(command.creator_ids) <= highest:
        raise Invalid("shortlist.creators_at_once", field="creator_ids", limit=highest)
    return dict.fromkeys(map(checked_id, command.creator_ids))


def evolve(state: State, event: Event) -> State:
    match event:
        case ShortlistBegun(owner, name):
            return State(owner, name)
        case ShortlistRenamed(name):
            return replace(state, name=name)
        case CreatorsShortlisted(ids):
            return _with(state, {**state.notes, **dict.fromkeys(ids, "")})
        case CreatorsTakenOff(ids):
            return _with(state, {key: note for key, note in state.notes.items() if key not in ids})
        case CreatorNoted(creator_id, note):
            return _with(state, {**state.notes, creator_id: note})
        case ShortlistDeleted():
            return replace(state, notes=MappingProxyType({}), deleted=True)
        case _:
            assert_never(event)


def _with(state: State, notes: dict[str, str]) -> State:
    return replace(state, notes=MappingProxyType(notes))


def _reads(command: Command, state: State) -> Iterable[tuple[InlineTable[Any], Key]]:
    match command:
        case NameShortlist(owner=owner) | DeleteShortlist(owner=owner):
            return [(SHORTLIST_COUNTS, (owner,))]
        case WriteNote(creator_id=creator_id):
            return [(FORGOTTEN, (creator_id,))]
        case _:
            return []


def _concerns(command: Command, state: State, actor: Actor) -> bool:
    return state.owner in ("", actor.tenant)


SHORTLIST: Decider[Command, State, Event] = Decider(
    CATEGORY, INITIAL, decide, evolve, published=False, reads=_reads, concerns=_concerns
)
