"""The named points at which a toy process kills or freezes itself: the moments between two effects that a crash can part.

A toy told `TOY_POINT="kill decided 3"` sends itself SIGKILL when it comes to `decided` for the third time; `stop` is SIGSTOP,
from which the test wakes it. The points are wrapped round the kernel's methods here, so production code has none of them.
`TOY_SWITCH="module:name"` turns one mechanism off, `TOY_IDLE_MS` shortens how long PostgreSQL bears an idle transaction,
`TOY_LOST_S` how long the writer looks for a database that is lost.
"""

import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from kernel.adapters.postgres import database
from kernel.eventlog import writer
from kernel.eventlog.commands import AtomicGroup
from kernel.eventlog.log import StoredLog
from kernel.eventlog.postgres_log import PostgresLog
from kernel.eventlog.sqlite_log import SqliteLog
from kernel.eventlog.state_cache import StateCache
from kernel.eventlog.writer import Writer
from kernel.processors.projector import Projector
from kernel.processors.scheduler import DeadlineScheduler
from kernel.streams.checkpoints import Checkpoints
from tests.kit.counter import Add

LOGS: tuple[type[StoredLog], ...] = (PostgresLog, SqliteLog)
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
Reached = Callable[[], None]
Applies = Callable[..., bool]


def _always(*_: object) -> bool:
    return True


def _before(owner: type, name: str, applies: Applies = _always) -> Callable[[Reached], None]:
    """Reached when the method is called, before any of it is done."""

    def install(reached: Reached) -> None:
        whole = getattr(owner, name)

        async def wrapped(*given: Any, **named: Any) -> Any:
            if applies(*given):
                reached()
            return await whole(*given, **named)

        setattr(owner, name, wrapped)

    return install


def _after(owner: type, name: str, applies: Applies = _always) -> Callable[[Reached], None]:
    """Reached when all of the method is done, before its caller goes on."""

    def install(reached: Reached) -> None:
        whole = getattr(owner, name)

        async def wrapped(*given: Any, **named: Any) -> Any:
            result = await whole(*given, **named)
            if applies(*given):
                reached()
            return result

        setattr(owner, name, wrapped)

    return install


def _any(*installs: Callable[[Reached], None]) -> Callable[[Reached], None]:
    """One point in several classes."""

    def install(reached: Reached) -> None:
        for one in installs:
            one(reached)

    return install


def _of(consumer: str) -> Applies:
    """The guards of one consumer."""
    return lambda guards, *_: bool(guards.consumer.startswith(consumer))


def _projecting(name: str) -> Applies:
    return lambda projector, *_: bool(projector.projection.name == name)


def _answered(reached: Reached) -> None:
    """Reached for each group of a batch that is committed; the process dies before it returns to its loop, so nobody is told."""
    resolve = AtomicGroup.resolve

    def wrapped(*given: Any) -> None:
        reached()
        resolve(*given)

    setattr(AtomicGroup, "resolve", wrapped)  # noqa: B010 - its type says more than is needed here


def _in_transaction(_: object, connection: object, *__: object) -> bool:
    """On PostgreSQL an append that moves nothing else is one statement, which no client can part."""
    return connection is not None


def _of_bell(_: object, stream: str, command: object, *__: object) -> bool:
    return isinstance(command, Add) and command.owner == "bell"


def _by_clock(_: object, items: Any) -> bool:
    return bool(items[0].meta.actor.id == "clock")


POINTS: dict[str, Callable[[Reached], None]] = {
    "queued": _before(StateCache, "decide_batch"),
    "decided": _after(StateCache, "decide_batch"),
    "inserted, not committed": _any(*[_after(one, "append", _in_transaction) for one in LOGS]),
    "committed, not answered": _answered,
    "sent, no checkpoint": _any(*[_before(one, "move_checkpoint") for one in LOGS]),
    "sent, checkpoint moved": _any(*[_after(one, "move_checkpoint") for one in LOGS]),
    "read, not applied": _before(Projector, "handle"),
    "applied, not committed": _after(Projector, "_apply", _projecting("sums_own")),
    "cause decided, not committed": _after(Checkpoints, "move", _of("echo")),
    "cause committed, not told": _after(Writer, "execute_group"),
    "request executed, guard not moved": _before(Checkpoints, "move", _of("commands")),
    "deadline due, not executed": _before(DeadlineScheduler, "_execute"),
    "deadline executed, not cleared": _after(Writer, "execute_many", _by_clock),
    "outside called, not recorded": _before(Writer, "execute", _of_bell),
    "outside called, guard not moved": _before(Checkpoints, "move", _of("bell")),
}


def arm() -> None:
    """Does to this process what its variables say."""
    if told := os.environ.get("TOY_POINT"):
        _arm_point(told)
    if switch := os.environ.get("TOY_SWITCH"):
        module, _, name = switch.partition(":")
        getattr(import_module(module), name)(pytest.MonkeyPatch())
    database.IDLE_IN_TRANSACTION_MS = int(os.environ.get("TOY_IDLE_MS", database.IDLE_IN_TRANSACTION_MS))
    writer.LOST_DEADLINE_S = float(os.environ.get("TOY_LOST_S", writer.LOST_DEADLINE_S))


def _arm_point(told: str) -> None:
    action, _, rest = told.partition(" ")
    point, _, times = rest.rpartition(" ")
    left = int(times)

    def reached() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), SIGNALS[action])

    POINTS[point](reached)
