"""Commands in the writer's queue that stand or fall together, and what became of them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.core.events import Recorded
from kernel.eventlog.commands import CommandResult, QueuedCommand, repeated
from kernel.eventlog.decide import Decisions
from kernel.runtime import telemetry

InTransaction = Callable[[AsyncConnection], Awaitable[bool]]
"""Runs in the append's transaction (a guard's move); False means somebody else owns it: the unit is dropped."""


class Fenced(Exception):
    """The unit's guard belongs to somebody else by now: nothing of it was written."""


@dataclass(slots=True)
class AtomicGroup:
    items: list[QueuedCommand]
    also: InTransaction | None
    done: asyncio.Future[list[CommandResult]]
    asked_at: float
    """monotonic(), seconds."""

    def answer(self, outcomes: list[CommandResult]) -> None:
        if not self.done.done():
            self.done.set_result(outcomes)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def alsos(units: list[AtomicGroup], decided: Decisions) -> list[InTransaction]:
    """What moves with the append; not for a unit that failed: its guard stays before it."""
    placed = zip(units, decided.outcomes, strict=True)
    return [unit.also for unit, outcomes in placed if unit.also is not None and not any(one.fault for one in outcomes)]


def with_repeats(units: list[AtomicGroup], decided: Decisions, known: Mapping[tuple[str, str], Recorded]) -> Decisions:
    """A command that decided nothing (or was refused) and had been appended before answers its first receipt."""

    def settled(item: QueuedCommand, outcome: CommandResult) -> CommandResult:
        return outcome if outcome.appended or item.pair not in known else repeated(item, known[item.pair])

    if known:
        decided.outcomes = [
            [settled(item, outcome) for item, outcome in zip(unit.items, outcomes, strict=True)]
            for unit, outcomes in zip(units, decided.outcomes, strict=True)
        ]
    return decided


def fail(units: list[AtomicGroup], error: BaseException) -> None:
    """Answers and counts all of them so."""
    for unit in units:
        unit.fail(error)
        for item in unit.items:
            kind = str(getattr(error, "kind", "internal"))
            telemetry.count("commands_total", command=type(item.command).__name__, outcome=kind)


def tell(units: list[AtomicGroup], decided: Decisions, answered_at: float) -> None:
    """Counts what became of the commands, and how long each waited from its queueing to its answer (monotonic seconds)."""
    waited, words = dict[str, list[float]](), dict[tuple[str, str], int]()
    for unit, outcomes in zip(units, decided.outcomes, strict=True):
        for item, outcome in zip(unit.items, outcomes, strict=True):
            command = type(item.command).__name__
            waited.setdefault(command, []).append(answered_at - unit.asked_at)
            words[command, outcome.word] = words.get((command, outcome.word), 0) + 1
    for (command, word), count in words.items():
        telemetry.count("commands_total", count, command=command, outcome=word)
    for command, seconds in waited.items():
        telemetry.observe_each("command_seconds", seconds, command=command)
    for event, count in Counter([row.name for row in decided.pending]).items():
        telemetry.count("events_appended_total", count, event=event)
    telemetry.observe("writer_batch_size", len(units))
