"""Decider and the types around it: a command is decided on the stream's state (and inline rows) at the head into events.

Domain code imports of the kernel only this module, bounds, canonical, events, faults, ids, money and personal. No I/O here.
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
    """Actor of a command: `id` is a person or service, `tenant` the organisation it is acting for, `roles` e.g. {"brand"}.

    `token_id` is the `jti` of the token that it calls with, "" without one; whoever calls with another is the same actor.
    """

    id: str
    tenant: str
    roles: frozenset[str]
    token_id: str = field(default="", compare=False)

    def require(self, *roles: str) -> None:
        """Raises Forbidden `actor.role_missing` unless the actor has one of the roles."""
        if self.roles.isdisjoint(roles):
            raise Forbidden("actor.role_missing", needs=" or ".join(roles))


class Meta(NamedTuple):
    """Metadata of a command: its id (for idempotency), its actor, and the ids that tie it to other messages.

    `fingerprint` is a hash of the command's name and of what its body gives beside defaults, without times: a repeated id
    must come with the same one. `former_fingerprint` makes the hash over defaults too, by which a repeat of a command that
    0.1.0 stored is recognised: it is called for a repeated id only. `causation` is the id of the event or command that led
    to this command. `correlation` is the same for all messages that follow from one request. `traceparent` is W3C Trace
    Context.
    """

    command_id: str
    actor: Actor
    fingerprint: str = ""
    correlation: str = ""
    causation: str = ""
    traceparent: str = ""
    former_fingerprint: Callable[[], str] | None = None

    def repeats(self, fingerprint: str) -> bool:
        """True when a command stored under this id with that fingerprint is the same command, and not another body."""
        return fingerprint == self.fingerprint or (
            self.former_fingerprint is not None and fingerprint == self.former_fingerprint()
        )


class DecidedEvent(NamedTuple, Generic[E]):
    """An event as decided, with its stream, version and time: the input of an inline table's fold."""

    stream: str
    tenant: str
    version: int
    at: datetime
    event: E


class Rows(Protocol):
    """Inline rows that a Decider asked for by `reads`, as they stand at the head."""

    def get(self, table: "InlineTable[R]", key: Key) -> R | None:
        """The row of that key, None when it is absent; raises LookupError for a key that `reads` did not name."""

    def find(self, table: "InlineTable[R]", **columns: str) -> R | None:
        """The first row with those columns, for an event that lost the text of its key to an erasure.

        Raises LookupError while commands are decided: only a fold of the whole log has every row.
        """


@dataclass(frozen=True, slots=True)
class InlineTable(Generic[R]):
    """Inline table: a projection that is written in the append's transaction, so that Deciders read it exact at the head.

    `row` is a frozen dataclass whose fields are the table's columns. `key` names the text columns of the primary key.
    `events` lists the event types that the table folds. `fold` returns the rows that an event changes (None deletes one);
    it may read only keys that the Decider named by `reads`. The SQL table of the same name stands in `tables.py`.
    """

    name: str
    row: type[R]
    key: tuple[str, ...]
    events: tuple[type, ...]
    fold: Callable[[DecidedEvent[Any], Rows], Iterable[tuple[Key, R | None]]]


class Context(NamedTuple):
    """Context of a decision: the database's time, the actor, and the inline rows that the Decider asked for."""

    at: datetime
    actor: Actor
    rows: Rows
    stream: str
    tenant: str
    """Organisation that owns the stream; of a new stream the actor's, or the one that `owner` names."""


def _no_owner(command: object) -> None:
    return None


def _no_reads(command: object, state: object) -> tuple[()]:
    return ()


def _nothing(command: object, state: object) -> None:
    return None


def _anybody(command: object, state: object, actor: Actor) -> bool:
    return True


@dataclass(frozen=True)
class Decider(Generic[C, S, E]):
    """Decider: an aggregate or process as pure functions, whose streams are `<category>-<uuid>`.

    An implementer promises:
    - `decide(command, state, context)` returns the events that the command causes. It is pure: the writer may call it again
      for the same command after another replica appended first, and only the last call counts. It raises a Fault to refuse
      the command, and returns [] when the command's effect is already in the state, by the same side and with the same content:
      whatever else would be lost without a word is refused.
    - `evolve(state, event)` returns the next state. It is total: it accepts every event of the stream in any state, because
      the events have happened. It knows no version but the current one, because the codec upcasts.
    - `reads(command, state)` names every inline row that `decide`, and the folds of the events it returns, will read.
    - `concerns(command, state, actor)` is False for an actor that `decide` refuses as a stranger whatever the rows say: no row
      is read for it, so what is there costs a stranger the same work as what is not.
    - `owner(command)` names the tenant of a new stream where it differs from the actor's (an operator registers a creator).
    - `leads_to(command, state)` names the stream that will come of an accepted command, in this service or another (a contract of
      an acceptance, a review of a submission): the receipt's token names it, and a query with that token waits for it.
    - `published` is False for streams that other services must not see; their events stay in the log.

    The smallest one counts, and refuses to count past a limit:

        def decide(command: Add, state: int, context: Context) -> Sequence[Added]:
            if state + command.amount > 10:
                raise Refused("counter.full", limit=10)
            return [Added(command.amount)]

        def evolve(state: int, event: Added) -> int:
            return state + event.amount

        COUNTER = Decider("counter", 0, decide, evolve)
    """

    category: str
    initial: S
    decide: Callable[[C, S, Context], Sequence[E]]
    evolve: Callable[[S, E], S]
    published: bool = True
    owner: Callable[[C], str | None] = field(default=_no_owner)
    reads: Callable[[C, S], Iterable[tuple[InlineTable[Any], Key]]] = field(default=_no_reads)
    concerns: Callable[[C, S, Actor], bool] = field(default=_anybody)
    leads_to: Callable[[C, S], str | None] = field(default=_nothing)


@dataclass(frozen=True, slots=True)
class GivenRows:
    """Rows of a plain mapping `{(table name, key): row}`; a key that is not in the mapping is an absent row."""

    rows: Mapping[tuple[str, Key], Any]

    def get(self, table: InlineTable[R], key: Key) -> R | None:
        row: R | None = self.rows.get((table.name, key))
        return row

    def find(self, table: InlineTable[R], **columns: str) -> R | None:
        """Walks over all rows."""
        for (name, _), row in self.rows.items():
            if name == table.name and row is not None and all(getattr(row, one) == it for one, it in columns.items()):
                found: R = row
                return found
        return None
