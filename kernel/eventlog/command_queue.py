"""The queue in front of the writer: atomic groups in the order of their arrival, taken batch by batch, resolved or failed."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy.exc import DBAPIError

from kernel.core.faults import Exhausted, Internal, Unavailable
from kernel.eventlog.commands import AtomicGroup, CommandResult, InTransaction, QueuedCommand
from kernel.eventlog.decide import Decisions
from kernel.runtime import telemetry

QUEUE_LIMIT = 10_000
BATCH_LIMIT = 512
TOGETHER = 16
"""Do not split this few commands into two batches: a second append costs more than waiting for the first."""


Groups = Sequence[AtomicGroup]


@dataclass(slots=True)
class CommandBatch:
    """Groups that are appended together. A batch that was decided ahead has its `decisions`, and the `base` under them."""

    groups: list[AtomicGroup]
    decisions: Decisions | None = None
    base: Decisions | None = None

    def is_on(self, last: Decisions | None) -> bool:
        """True if the batch below this one is the very batch appended last; a matching head position would not prove that."""
        return self.base is last


def batch_size(waiting: int, appending: int = 0) -> int:
    """Count of waiting groups that one batch takes: half of all groups, so that two batches of a size take turns."""
    everyone = waiting + appending
    return min(BATCH_LIMIT, waiting, everyone if everyone <= TOGETHER else (everyone + 1) // 2)


class CommandQueue:
    """Queue of atomic groups. `admit` raises the Fault by which a command is refused instead (kernel.eventlog.backpressure)."""

    def __init__(self, admit: Callable[[], None]) -> None:
        self._admit = admit
        self._groups: deque[AtomicGroup] = deque()
        self._changed = asyncio.Event()
        self._is_closed = False
        self._ahead: CommandBatch | None = None

    def __len__(self) -> int:
        return len(self._groups)

    def put(
        self, commands: list[QueuedCommand], in_transaction: InTransaction | None = None
    ) -> asyncio.Future[list[CommandResult]]:
        """Queues one group; the future holds its results, or the error that it failed with."""
        if self._is_closed:
            raise Unavailable("writer.stopping", retry_after_s=1)
        self._admit()
        if len(self._groups) >= QUEUE_LIMIT:
            raise Exhausted("writer.queue_full", limit=QUEUE_LIMIT, retry_after_s=1)
        group = AtomicGroup(commands, in_transaction, asyncio.get_running_loop().create_future(), monotonic())
        self._groups.append(group)
        self._changed.set()
        return group.done

    async def next_batch(self, halves: bool) -> CommandBatch | None:
        """Waits for a batch: the one that was decided ahead, else half or all of the queue; None when closed and empty."""
        while not self._groups and self._ahead is None:
            if self._is_closed:
                return None
            await self.change()
        if self._ahead is not None:
            batch, self._ahead = self._ahead, None
            return batch
        if not halves:
            await asyncio.sleep(0)  # a caller that was answered just now may send its next command for the same batch
        return CommandBatch(self.take(batch_size(len(self._groups)) if halves else BATCH_LIMIT))

    def take(self, count: int, admits: Callable[[AtomicGroup], bool] = lambda _: True) -> list[AtomicGroup]:
        """Removes at most `count` groups from the front, up to the first that is not admitted."""
        taken: list[AtomicGroup] = []
        while self._groups and len(taken) < count and admits(self._groups[0]):
            taken.append(self._groups.popleft())
        return taken

    def put_back(self, groups: Sequence[AtomicGroup]) -> None:
        """Returns groups to the front in their old order."""
        self._groups.extendleft(reversed(groups))

    @property
    def has_ahead(self) -> bool:
        return self._ahead is not None

    def put_ahead(self, batch: CommandBatch) -> None:
        """Makes a batch that was decided ahead the next one."""
        self._ahead = batch

    def drop_ahead(self) -> None:
        """Returns the groups of the batch that was decided ahead to the front: they are decided anew."""
        if self._ahead is not None:
            self.put_back(self._ahead.groups)
            self._ahead = None

    async def change(self) -> None:
        """Waits until a group arrives, `wake` is called or the queue is closed."""
        self._changed.clear()
        await self._changed.wait()

    def wake(self) -> None:
        self._changed.set()

    async def close_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._is_closed = True
        self.wake()

    def fail_rest(self) -> None:
        """Closes the queue and fails all that is left in it: no writer serves it any more."""
        self._is_closed = True
        self.drop_ahead()
        while self._groups:
            self._groups.popleft().fail(Unavailable("writer.stopped", retry_after_s=1))


def halves_of(groups: list[AtomicGroup], error: BaseException) -> list[list[AtomicGroup]]:
    """Halves of a failed batch, to be served again until the culprit is alone; an empty list once the culprit has been failed.

    A culprit broke a constraint, lost its checkpoint or has a stream that cannot be read. A database that is away fails all.
    """
    if len(groups) > 1 and not isinstance(error, Unavailable):
        middle = len(groups) // 2
        return [groups[:middle], groups[middle:]]
    if isinstance(error, DBAPIError):
        error = Internal("command.breaks_constraint", why=str(error.orig).partition("\n")[0][:200])
    for group in groups:
        group.fail(error)
        for command in group.commands:
            kind = str(getattr(error, "kind", "internal"))
            telemetry.count("commands_total", command=type(command.command).__name__, outcome=kind)
    return []


def count_results(groups: Groups, decisions: Decisions, answered_at: float) -> None:
    """Metrics of one batch: results by command, each command's seconds from queue to answer, and appended events by name."""
    seconds, outcomes = dict[str, list[float]](), dict[tuple[str, str], int]()
    for group, own in zip(groups, decisions.results, strict=True):
        for command, result in zip(group.commands, own, strict=True):
            kind = type(command.command).__name__
            seconds.setdefault(kind, []).append(answered_at - group.queued_at)
            outcomes[kind, result.outcome] = outcomes.get((kind, result.outcome), 0) + 1
    for (kind, outcome), count in outcomes.items():
        telemetry.count("commands_total", count, command=kind, outcome=outcome)
    for kind, waited in seconds.items():
        telemetry.observe_each("command_seconds", waited, command=kind)
    for event, count in Counter([row.name for row in decisions.pending]).items():
        telemetry.count("events_appended_total", count, event=event)
    telemetry.observe("writer_batch_size", len(groups))


def ids_of(groups: Groups, only_requests: bool = False) -> list[tuple[str, str]]:
    """(stream, command id) of the groups' commands, or only of those that came over the command topic."""
    commands = [command for group in groups for command in group.commands]
    return [one.stream_and_id for one in commands if one.requester is not None or not only_requests]


def moves_of(groups: Groups, results: Sequence[Sequence[CommandResult]]) -> list[InTransaction]:
    """The `in_transaction` of each group without a fault; a group that failed keeps its checkpoint where it was."""
    placed = zip(groups, results, strict=True)
    return [group.in_transaction for group, own in placed if group.in_transaction and not any(one.fault for one in own)]
