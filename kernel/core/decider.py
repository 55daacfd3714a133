"""The words every service speaks: a command is decided on state (and inline rows) at the log's head into events.

Domain code imports from here and from errors, ids and money only; nothing here does I/O.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from kernel.core.faults import Forbidden

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")
R = TypeVar("R")
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `id` is the person or service, `tenant` the organisation it acts for, `roles` e.g. {"brand"}."""

    id: str
    tenant: str
    roles: frozenset[str]

    def require(self, *roles: str) -> None:
        """Raises Forbidden `actor.role_missing` unless the actor has one of the roles."""
        if self.roles.isdisjoint(roles):
            raise Forbidden("actor.role_missing", needs=" or ".join(roles))


class Meta(NamedTuple):
    """What travels with a command: its id (idempotency), who sent it, and what it belongs to.

    `fingerprint` covers the command's name and what its body gives beside defaults, not its time; `former_fingerprint` is
    the one that 0.1.0 stored, over defaults too: by it a repeat of a command from then is known. `causation` is the id of
    the event or command that led to it; `correlation` is shared by everything one request set in motion; `traceparent` is
    W3C Trace Context.
    """

    command_id: str
    actor: Actor
    fingerprint: str = ""
    correlation: str = ""
    causation: str = ""
    traceparent: str = ""
    former_fingerprint: str = ""

    def repeats(self, fingerprint: str) -> bool:
        """Whether a command stored under this id with that fingerprint is the same command."""
        return fingerprint == self.fingerprint or fingerprint == (self.former_fingerprint or self.fingerprint)


class DecidedEvent(NamedTuple, Generic[E]):
    """One decided event with where and when it stands; what inline tables fold."""

    stream: str
    tenant: str
    version: int
    at: datetime
    event: E


class Rows(Protocol):
    """The inline rows a Decider asked for, as they stand at the head."""

    def get(self, table: "InlineTable[R]", key: Key) -> R | None: ...


@dataclass(frozen=True, slots=True)
class InlineTable(Generic[R]):
    """A table that must be exact at the head: written in the append's transaction, read by Deciders.

    `row` is a frozen dataclass whose fields are the table's columns; `key` names the text columns of its primary key.
    `fold` says which rows an event changes (None deletes); it may read only keys its Decider asked for by `reads`.
    `events` lists the event types it folds. The SQL table of the same name belongs to the service's `tables.py`.
    """

    name: str
    row: type[R]
    key: tuple[str, ...]
    events: tuple[type, ...]
    fold: Callable[[DecidedEvent[Any], Rows], Iterable[tuple[Key, R | None]]]


class Context(NamedTuple):
    """What a decision may know beside command and state: database time, the actor, the inline rows it asked for."""

    at: datetime
    actor: Actor
    rows: Rows
    stream: str
    tenant: str
    """The organisation that owns the stream; for a new stream the actor's."""


def _no_owner(command: object) -> None:
    return None


def _no_reads(command: object, state: object) -> tuple[()]:
    return ()


@dataclass(frozen=True)
class Decider(Generic[C, S, E]):
    """An aggregate or process: `category` prefixes its stream ids; `published` streams go to Kafka as a whole.

    `decide(command, state, context) -> events` is pure, raises Fault to refuse, and returns [] for a repeat.
    `evolve(state, event) -> state` is total. `reads` names the inline rows `decide` and the folds need.
    `owner` names the tenant of a new stream where that is not the actor's (an operator registers a creator).
    """

    category: str
    initial: S
    decide: Callable[[C, S, Context], Sequence[E]]
    evolve: Callable[[S, E], S]
    published: bool = True
    owner: Callable[[C], str | None] = field(default=_no_owner)
    reads: Callable[[C, S], Iterable[tuple[InlineTable[Any], Key]]] = field(default=_no_reads)


@dataclass(frozen=True, slots=True)
class GivenRows:
    """Rows from a plain mapping `{(table name, key): row}`; a missing key is an absent row."""

    rows: Mapping[tuple[str, Key], Any]

    def get(self, table: InlineTable[R], key: Key) -> R | None:
        row: R | None = self.rows.get((table.name, key))
        return row
