"""Given / when / then for decisions: the service's own deciders, codec and inline tables, the real Writer, a log in memory.

`check` stores what is given, executes, compares events or the fault's code, and sends every accepted command again, with
another id, to a writer that knows nothing yet: the repeat must append nothing. A World is such a service that goes on.
"""

import asyncio
import atexit
import weakref
from collections.abc import Coroutine, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Self, TypeVar

import pytest
import sqlalchemy as sa

from kernel.adapters.bus import PARTITIONS
from kernel.core.decider import Actor, DecidedEvent, Key, Meta
from kernel.core.events import Recorded
from kernel.core.faults import Fault
from kernel.eventlog.commands import DeciderRegistry, stored_meta
from kernel.eventlog.log import Pending
from kernel.eventlog.writer import Writer
from kernel.host.app import Service
from tests.kit.memory_log import MemoryLog, Stored

RowKey = tuple[str, Key]
R = TypeVar("R")
_LOOP = asyncio.new_event_loop()
"""Writers of all Worlds run here; it stands still between two commands."""


@atexit.register
def _end_writers() -> None:
    tasks = asyncio.all_tasks(_LOOP)
    for task in tasks:
        task.cancel()
    if tasks:  # `gather` of none asks for a running loop
        _LOOP.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    _LOOP.close()


def _run(work: Coroutine[Any, Any, R]) -> R:
    return _LOOP.run_until_complete(work)


@cache
def _metadata(make: Any) -> sa.MetaData:
    made: sa.MetaData = make()
    return made


@dataclass(slots=True)
class Clock:
    """Time stands where the test puts it."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


class World:
    """One service on a log in memory. `events` and `states` are what a reader of the log sees, as of the last command."""

    def __init__(self, service: Service, at: datetime, rows: Mapping[RowKey, Any] | None = None) -> None:
        """`rows` are inline rows that stand before anything is decided."""
        self._clock = Clock(at)
        self._deciders = DeciderRegistry(service.codec, service.deciders, service.inlines, PARTITIONS)
        self.log = MemoryLog(_metadata(service.metadata), self._clock)
        self.events: list[DecidedEvent[Any]] = []
        self.states: dict[str, Any] = {}
        self._made: dict[RowKey, tuple[Any, Any]] = {}
        self._sent = 0
        for (table, key), row in (rows or {}).items():
            self._put(table, key, row)
        self._serving: asyncio.Task[None] | None = None
        self.start_writer()

    @property
    def at(self) -> datetime:
        return self._clock.at

    @at.setter
    def at(self, at: datetime) -> None:
        self._clock.at = at

    def start_writer(self) -> None:
        """A writer that knows nothing yet takes the place of the one before."""

        async def start() -> tuple[Writer, asyncio.Task[None]]:
            writer = Writer("world", self.log, self._deciders)
            return writer, asyncio.create_task(writer.run(asyncio.Event()))

        if self._serving is not None:
            self._serving.cancel()
        self._writer, self._serving = _run(start())
        weakref.finalize(self, self._serving.cancel)

    def copy(self) -> Self:
        """Another world that goes on from here by itself."""
        other = copy(self)
        other._clock = Clock(self.at)
        other.log = MemoryLog(self.log.metadata, other._clock)
        other.log.stored = Stored(list(self.log.stored.events), dict(self.log.stored.rows))
        other.events, other.states, other._made = list(self.events), dict(self.states), dict(self._made)
        other._serving = None
        other.start_writer()
        return other

    def given(self, stream: str, events: Sequence[Any], actor: Actor, tenant: str = "") -> None:
        """Appends events of a stream (the tenant's, else the actor's) as if decided before; inline rows stay as they are."""
        partition, meta = self._deciders.blank(stream).partition, stored_meta(Meta("given", actor), 1)
        version = sum(fact.stream == stream for fact in self.events)
        rows = [
            Pending(tenant or actor.tenant, stream, number, partition, *self._stored(event), meta, f"given {number}")
            for number, event in enumerate(events, start=version + 1)
        ]
        if rows:
            _run(self.log.append(None, rows, len(self.events)))
            self._follow()
            self.start_writer()

    def _stored(self, event: Any) -> tuple[str, bytes]:
        return self._deciders.codec.encode(event)

    def execute(self, stream: str, command: Any, actor: Actor) -> list[Any]:
        """Decides and appends; returns the events, or raises the Fault of a refusal, and then nothing has changed."""
        self._sent += 1
        before = len(self.events)
        try:
            _run(self._writer.execute(stream, command, Meta(f"command {self._sent}", actor)))
        finally:
            self._follow()
        return [fact.event for fact in self.events[before:]]

    def tried(self, stream: str, command: Any, actor: Actor) -> str:
        """The code of the refusal, or empty when it was accepted."""
        try:
            self.execute(stream, command, actor)
        except Fault as fault:
            return fault.code
        return ""

    def _follow(self) -> None:
        for recorded in self.log.stored.events[len(self.events) :]:
            decider = self._deciders.of(recorded.stream)
            event = self._deciders.codec.decode(recorded.name, recorded.data)
            self.states[recorded.stream] = decider.evolve(self.state(recorded.stream), event)
            self.events.append(_fact(recorded, event))

    def state(self, stream: str) -> Any:
        return self.states.get(stream, self._deciders.of(stream).initial)

    @property
    def rows(self) -> dict[RowKey, Any]:
        """The inline rows by table and key."""
        stored = self.log.stored.rows
        return {place: self._row(place, values) for place, values in stored.items() if values is not None}

    def _row(self, place: RowKey, values: Mapping[str, Any]) -> Any:
        """Made once of what is stored: the log keeps another mapping where it keeps another row."""
        made_of, row = self._made.get(place, (None, None))
        if made_of is not values:
            row = self._deciders.inlines[place[0]].row(**values)
            self._made[place] = values, row
        return row

    def row(self, table: str, *key: str) -> Any:
        """An inline row, or None."""
        values = self.log.stored.rows.get((table, key))
        return None if values is None else self._row((table, key), values)

    def table(self, table: str) -> dict[Key, Any]:
        """All rows of an inline table by key."""
        return {key: row for (name, key), row in self.rows.items() if name == table}

    def put(self, table: str, key: Key, row: Any) -> None:
        """Sets an inline row behind the writer's back (None: deletes it), and starts one that has not read it."""
        self._put(table, key, row)
        self.start_writer()

    def _put(self, table: str, key: Key, row: Any) -> None:
        values = None if row is None else {one.name: getattr(row, one.name) for one in fields(row)}
        self.log.stored.rows[table, key] = values


def _fact(recorded: Recorded, event: Any) -> DecidedEvent[Any]:
    return DecidedEvent(recorded.stream, recorded.tenant, recorded.version, recorded.recorded_at, event)


def decided(
    service: Service,
    given: Sequence[Any],
    when: Any,
    *,
    at: datetime,
    actor: Actor,
    stream: str,
    rows: Mapping[RowKey, Any] | None = None,
    tenant: str = "",
) -> list[Any]:
    """The events of one command after what is given, or its Fault; sent again it must be silent. `rows`: inline rows before."""
    world = World(service, at, rows)
    world.given(stream, given, actor, tenant)
    try:
        events = world.execute(stream, when, actor)
    except Fault:
        assert len(world.events) == len(given), "a refusal must append nothing"
        raise
    world.start_writer()
    assert world.execute(stream, when, actor) == [], "a repeat must decide nothing"
    return events


def check(
    service: Service,
    given: Sequence[Any],
    when: Any,
    then: Sequence[Any] | str,
    *,
    at: datetime,
    actor: Actor,
    stream: str,
    rows: Mapping[RowKey, Any] | None = None,
    tenant: str = "",
) -> None:
    """`decided` is `then`: the events in order, or the code of the fault."""
    if isinstance(then, str):
        with pytest.raises(Fault) as refused:
            decided(service, given, when, at=at, actor=actor, stream=stream, rows=rows, tenant=tenant)
        assert refused.value.code == then, str(refused.value)
    else:
        found = decided(service, given, when, at=at, actor=actor, stream=stream, rows=rows, tenant=tenant)
        assert found == list(then)
