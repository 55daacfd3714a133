"""Given / when / then for Deciders, and a World in memory that runs several on one log with its inline rows.

`check` folds what is given, decides, compares events or fault code, and repeats every accepted command: the repeat must decide
nothing. A World stands for the writer: positions, states and rows move together, or not at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from kernel.core.decider import Actor, Context, DecidedEvent, Decider, InlineTable, Key
from kernel.core.faults import Fault
from kernel.core.ids import split_stream

RowKey = tuple[str, Key]


@dataclass
class HeadRows:
    """Inline rows as they stand; an absent row is None."""

    rows: dict[RowKey, Any] = field(default_factory=dict)

    def get(self, table: InlineTable[Any], key: Key) -> Any:
        return self.rows.get((table.name, key))

    def fold(self, tables: Sequence[InlineTable[Any]], fact: DecidedEvent[Any]) -> None:
        for table in tables:
            if isinstance(fact.event, table.events):
                for key, row in table.fold(fact, self):
                    self.rows[table.name, key] = row


def decided(decider: Decider[Any, Any, Any], given: Sequence[Any], when: Any, context: Context) -> Sequence[Any]:
    """The events of one decision on the state that is given."""
    state = decider.initial
    for event in given:
        state = decider.evolve(state, event)
    return decider.decide(when, state, context)


def check(
    decider: Decider[Any, Any, Any],
    given: Sequence[Any],
    when: Any,
    then: Sequence[Any] | str,
    *,
    at: datetime,
    actor: Actor,
    stream: str,
    rows: Mapping[RowKey, Any] | None = None,
    tables: Sequence[InlineTable[Any]] = (),
) -> None:
    """`then` is the events in order, or the code of the fault. `rows` are the inline rows before, `tables` fold on."""
    head = HeadRows(dict(rows or {}))
    context = Context(at, actor, head, stream, actor.tenant)
    if isinstance(then, str):
        with pytest.raises(Fault) as refused:
            decided(decider, given, when, context)
        assert refused.value.code == then, str(refused.value)
        return
    events = list(decided(decider, given, when, context))
    assert events == list(then)
    for number, event in enumerate(events, start=len(given) + 1):
        head.fold(tables, DecidedEvent(stream, actor.tenant, number, at, event))
    assert list(decided(decider, [*given, *events], when, context)) == [], "a repeat must decide nothing"


@dataclass
class World:
    """Streams of several Deciders over the same inline tables; time stands where the test puts it."""

    deciders: Sequence[Decider[Any, Any, Any]]
    tables: Sequence[InlineTable[Any]]
    at: datetime
    head: HeadRows = field(default_factory=HeadRows)
    states: dict[str, Any] = field(default_factory=dict)
    events: list[DecidedEvent[Any]] = field(default_factory=list)

    def state(self, stream: str) -> Any:
        return self.states.get(stream, self._of(stream).initial)

    def _of(self, stream: str) -> Decider[Any, Any, Any]:
        return next(one for one in self.deciders if one.category == split_stream(stream)[0])

    def execute(self, stream: str, command: Any, actor: Actor) -> Sequence[Any]:
        """Decides and appends; raises the Fault of a refusal, and then nothing has changed."""
        context = Context(self.at, actor, self.head, stream, actor.tenant)
        events = self._of(stream).decide(command, self.state(stream), context)
        for event in events:
            self.states[stream] = self._of(stream).evolve(self.state(stream), event)
            fact = DecidedEvent(stream, actor.tenant, len(self.events) + 1, self.at, event)
            self.head.fold(self.tables, fact)
            self.events.append(fact)
        return events

    def tried(self, stream: str, command: Any, actor: Actor) -> str:
        """The code of the refusal, or empty when it was accepted."""
        try:
            self.execute(stream, command, actor)
        except Fault as fault:
            return fault.code
        return ""
