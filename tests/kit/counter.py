"""A tiny service for the kernel's contract suites: counters that add, an inline table of totals, a process, a read model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, define
from kernel.adapters.vault.personal import define as define_personal
from kernel.core.codec import Codec
from kernel.core.decider import Actor, Context, DecidedEvent, Decider, InlineTable, Key, Meta, Rows
from kernel.core.events import REFUSED_NAME, CommandRefused, Delivered
from kernel.core.faults import Invalid, Refused
from kernel.core.ids import derived_id, new_id, split_stream
from kernel.eventlog.commands import DeciderRegistry
from kernel.processors.processes import Deadline, Process, deadlines
from kernel.processors.projector import Projection, Target, fold_rows
from kernel.streams.records import Topic
from kernel.streams.relay import OutgoingCommand, PublicEvent

PARTITIONS = 3
LIMIT = 1_000_000
UNLUCKY = 13
"""An amount that the read model and the process cannot take; a counter that stands there does not ring."""


@dataclass(frozen=True, slots=True)
class Added:
    amount: int
    owner: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reminded:
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Rang:
    pass


@dataclass(frozen=True, slots=True)
class Add:
    """`only_from` refuses unless the state stands there: it shows whether a decision was stale."""

    amount: int
    owner: str = "all"
    only_from: int | None = None


@dataclass(frozen=True, slots=True)
class Remind:
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Ring:
    pass


@dataclass(frozen=True, slots=True)
class Overrun:
    """Decides what the totals table's CHECK forbids: the second lock must hold."""


@dataclass(frozen=True, slots=True)
class Stumble:
    """A bug: its decide raises what is no Fault."""


@dataclass(frozen=True, slots=True)
class Total:
    owner: str
    total: int


@dataclass(frozen=True, slots=True)
class EchoRequested:
    counter: str
    amount: int


@dataclass(frozen=True, slots=True)
class EchoRefused:
    code: str


Command = Add | Remind | Ring | Overrun | Stumble


def decide(command: Command, state: int, context: Context) -> list[Added | Reminded | Rang]:
    if isinstance(command, Stumble):
        raise LookupError("a bug in one decider")
    if isinstance(command, Overrun):
        return [Added(LIMIT + 1, context.stream, context.at)]
    if isinstance(command, Remind):
        return [Reminded(command.due_at)]
    if isinstance(command, Ring):
        if state == UNLUCKY:
            raise Refused("counter.does_not_ring", state=state)
        return [Rang()]
    if command.amount == 0:
        return []
    if command.amount < 0:
        raise Invalid("counter.amount_negative", amount=command.amount)
    if command.only_from is not None and command.only_from != state:
        raise Refused("counter.moved_on", state=state)
    row = context.rows.get(TOTALS, (command.owner,))
    if (row.total if row else 0) + command.amount > LIMIT:
        raise Refused("counter.over_limit", limit=LIMIT)
    return [Added(command.amount, command.owner, context.at)]


def evolve(state: int, event: Added | Reminded | Rang) -> int:
    return state + event.amount if isinstance(event, Added) else state


def _fold_total(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, Total]]:
    key = (fact.event.owner,)
    before = rows.get(TOTALS, key)
    yield key, Total(fact.event.owner, (before.total if before else 0) + fact.event.amount)


def _fold_deadline(fact: DecidedEvent[Any], rows: Rows) -> Iterable[tuple[Key, Deadline | None]]:
    """Reminded sets or moves it, Rang clears it."""
    key = (fact.stream, "ring")
    set_ = isinstance(fact.event, Reminded)
    yield key, Deadline(*key, fact.event.due_at, "counter.ring@1", "{}") if set_ else None


TOTALS = InlineTable("totals", Total, ("owner",), (Added,), _fold_total)
DEADLINES = deadlines((Reminded, Rang), _fold_deadline)
COUNTER: Decider[Any, int, Any] = Decider(
    "counter",
    0,
    decide,
    evolve,
    reads=lambda command, _: [(TOTALS, (command.owner,))] if isinstance(command, Add) else [],
)


def _decide_echo(cause: Delivered[Any], seen: int, context: Context) -> list[EchoRequested | EchoRefused]:
    """Each Added of a `counter` asks for the same amount on a counter derived from it; a refusal is noted."""
    if isinstance(cause.event, CommandRefused):
        return [EchoRefused(cause.event.code)]
    if cause.event.amount == UNLUCKY:
        raise ValueError("thirteen is poison")
    return [EchoRequested(echo_of(cause.stream), cause.event.amount)]


def _route_echo(cause: Delivered[Any]) -> str | None:
    if isinstance(cause.event, CommandRefused):
        return cause.event.requester
    echoed = isinstance(cause.event, Added) and cause.event.owner == "echo me"
    return f"echo-{split_stream(cause.stream)[1]}" if echoed else None


def echo_of(stream: str) -> str:
    return f"counter-{derived_id('echo', stream)}"


ECHO = Process(
    "echo", Decider("echo", 0, _decide_echo, lambda seen, _: seen + 1, published=False), _route_echo
)  # fmt: skip
CODEC = Codec(
    {
        "counter.added@1": Added, "counter.reminded@1": Reminded, "counter.rang@1": Rang, "counter.ring@1": Ring,
        "echo.requested@1": EchoRequested, "echo.refused@1": EchoRefused, REFUSED_NAME: CommandRefused,
    }
)  # fmt: skip


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent | OutgoingCommand]:
    """Requests go back to the same service, whatever it is called in this test."""
    event = incoming.event
    value = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    if isinstance(event, EchoRequested):
        key = split_stream(event.counter)[1]
        return [OutgoingCommand(incoming.source, key, "Add", orjson.dumps([event.counter, event.amount]))]
    return [] if isinstance(event, EchoRefused) else [PublicEvent(type(event).__name__, value)]


def decode_command(kind: str, value: bytes) -> tuple[str, object] | None:
    stream, amount = orjson.loads(value)
    return (stream, Add(amount)) if kind == "Add" else None


def decode_event(kind: str, value: bytes) -> object | None:
    if kind == "Added":
        raw = orjson.loads(value)
        return Added(raw["amount"], raw["owner"], datetime.fromisoformat(raw["at"]))
    return None


BASE = sa.MetaData()
SUMS = sa.Table("sums", BASE, sa.Column("stream", sa.Text, primary_key=True), sa.Column("total", sa.BigInteger),
                sa.Column("events", sa.Integer), sa.Column("last_version", sa.Integer))  # fmt: skip


def fold_sum(row: dict[str, Any] | None, incoming: Delivered[Any]) -> dict[str, Any]:
    if incoming.event.amount == UNLUCKY:
        raise ValueError("thirteen is poison")
    row = row or {"stream": incoming.stream, "total": 0, "events": 0, "last_version": 0}
    return row | {
        "total": row["total"] + incoming.event.amount, "events": row["events"] + 1, "last_version": incoming.version
    }  # fmt: skip


async def _apply(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, SUMS, events, lambda i: (i.stream,) if isinstance(i.event, Added) else None, fold_sum)


OWNED = sa.Table("owned", sa.MetaData(), sa.Column("stream", sa.Text, primary_key=True), sa.Column("total", sa.BigInteger),
                 sa.Column("readers", RowReaders))  # fmt: skip


async def _apply_owned(target: Target, events: Sequence[Delivered[Any]]) -> None:
    def fold(row: dict[str, Any] | None, incoming: Delivered[Any]) -> dict[str, Any]:
        total = (row["total"] if row else 0) + incoming.event.amount
        return {"stream": incoming.stream, "total": total, "readers": [incoming.tenant, f"role:{incoming.event.owner}"]}

    await fold_rows(target, OWNED, events, lambda i: (i.stream,) if isinstance(i.event, Added) else None, fold)


OWNED_SUMS = Projection("sums_owned", 1, (OWNED,), _apply_owned)
"""Seen by the tenant of the counter and by staff of the role that its `owner` names."""
OWN_SUMS = Projection("sums_own", 1, (SUMS,), _apply)


def foreign_sums(service: str) -> Projection:
    """The same read model, fed by the service's public events."""
    return Projection("sums_foreign", 1, (SUMS,), _apply, own=False, topics=(Topic(f"{service}.events.v1"),))


def topics(service: str, partitions: int = PARTITIONS) -> dict[str, int]:
    return {f"{service}.events.v1": partitions, f"{service}.commands.v1": partitions}


def metadata() -> sa.MetaData:
    made = sa.MetaData()
    define(made)
    define_personal(made)
    sa.Table("totals", made, sa.Column("owner", sa.Text, primary_key=True),
             sa.Column("total", sa.BigInteger, sa.CheckConstraint(f"total <= {LIMIT}"), nullable=False))  # fmt: skip
    return made


def deciders(partitions: int = PARTITIONS) -> DeciderRegistry:
    return DeciderRegistry(CODEC, [COUNTER, ECHO.decider], [TOTALS, DEADLINES], partitions)


def meta(key: str | None = None, fingerprint: str = "", tenant: str = "tenant-1") -> Meta:
    return Meta(key or new_id(), actor(tenant), fingerprint)


@cache
def actor(tenant: str) -> Actor:
    return Actor("tester", tenant, frozenset({"tester"}))


def counter(name: str | None = None) -> str:
    return f"counter-{derived_id(name) if name else new_id()}"
