"""Carrying out what processes ask for: the commands on `<service>.commands.v1`, each once under its message id."""

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered, Receipt
from kernel.core.faults import Fault, Unavailable
from kernel.eventlog.commands import QueuedCommand
from kernel.eventlog.writer import Writer
from kernel.processors.processes import SYSTEM, WAITING, commit
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.parked import Again, Parking, reason_of
from kernel.streams.records import InboundRecord, PartitionBatch, placed

DecodeCommand = Callable[[str, bytes], tuple[str, object] | None]
"""`(ce_type, value) -> (stream, command)` of this service, or None for a type that is not known here (it is parked)."""


class CommandConsumer:
    """`handle` of the consumer of the command topic. Ids suffice: a repeat answers as before, so there is no chain.

    A refusal is an answer (CommandRefused). What cannot be read or meets a bug is parked; later commands go on.
    """

    def __init__(self, name: str, database: Database, writer: Writer) -> None:
        self._database, self._writer = database, writer
        self._guards = Checkpoints(database, name)
        self.parking = Parking(database, name)

    async def handle(self, parts: Sequence[PartitionBatch]) -> None:
        everything = placed(parts)
        runnable = [sourced for _, sourced in everything if sourced.error is None and sourced.incoming is not None]
        answers = await self._writer.execute_many([_request(one.incoming, one.requester) for one in runnable])
        reasons = {id(sourced): _why_not(answer) for sourced, answer in zip(runnable, answers, strict=True)}
        parking = [
            (part, sourced, reason)
            for part, sourced in everything
            if (reason := reasons.get(id(sourced), sourced.error or "unknown command type")) is not None
        ]

        async def also(connection: AsyncConnection) -> bool:
            await self.parking.park(connection, parking)
            return await self._guards.move(connection, parts)

        await commit(self._database, also)

    async def retry(self, key: str, again: Again) -> int:
        """Carries out a key's parked commands in order; returns how many, raises what still cannot be read."""
        waiting = await self.parking.waiting(key)
        for place, source, sourced in waiting:
            answers = await self._writer.execute_many([_request(await again(source, sourced), _requester(sourced))])
            reason = _why_not(answers[0])
            if reason is not None and isinstance(answers[0], BaseException):
                raise answers[0]
            async with self._database.transaction() as connection:
                await self.parking.remove(connection, [place])
        return len(waiting)


def _why_not(answer: Receipt | BaseException) -> str | None:
    """None when the command is answered, be it by a refusal; raises Unavailable when it has to wait."""
    if isinstance(answer, Fault) and answer.kind in WAITING:
        raise Unavailable(answer.code)
    answered = isinstance(answer, Receipt) or (isinstance(answer, Fault) and answer.kind not in {"poison", "internal"})
    return None if answered else reason_of(answer) if isinstance(answer, BaseException) else None


def _requester(sourced: InboundRecord) -> str:
    return next((value.decode() for name, value in sourced.headers if name == "ce_requester"), "")


def _request(incoming: Delivered[tuple[str, object]] | None, requester: str) -> QueuedCommand:
    if incoming is None:
        raise Unavailable("command.unknown_type")
    stream, command = incoming.event
    actor = Actor(f"service:{incoming.source}", incoming.tenant, SYSTEM)
    meta = Meta(incoming.id, actor, "", incoming.correlation, incoming.id, incoming.traceparent)
    return QueuedCommand(stream, command, meta, (), requester)
