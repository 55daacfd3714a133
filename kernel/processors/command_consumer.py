"""Command consumer: executes the commands on the topic `<service>.commands.v1`, each once, under its message id."""

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered, Receipt
from kernel.core.faults import Fault, Unavailable
from kernel.eventlog.commands import QueuedCommand
from kernel.eventlog.writer import Writer
from kernel.processors.processes import SYSTEM, commit, waits
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.parked import Parking, Redecode, SetAside, reason_of
from kernel.streams.records import InboundRecord, PartitionBatch, placed

DecodeCommand = Callable[[str, bytes], tuple[str, object] | None]
"""`(ce_type, value) -> (stream, command)` of this service, or None for a type that is not known here (it is parked)."""


class CommandConsumer:
    """Handler of the command topic's Consumer. A repeated id gives the first result again, so the topic needs no chain.

    A refusal is a result (CommandRefused). A command that cannot be read, or meets a bug, is parked; later commands go on.
    """

    def __init__(self, name: str, database: Database, writer: Writer) -> None:
        self._database, self._writer = database, writer
        self._guards = Checkpoints(database, name)
        self.parking = Parking(database, name)

    async def handle(self, parts: Sequence[PartitionBatch]) -> None:
        everything = placed(parts)
        runnable = [inbound for _, inbound in everything if inbound.error is None and inbound.incoming is not None]
        results = await self._writer.execute_many([_request(one.incoming, one.requester) for one in runnable])
        reasons = {id(inbound): _why_not(result) for inbound, result in zip(runnable, results, strict=True)}
        parking = [
            SetAside(part, inbound, reason)
            for part, inbound in everything
            if (reason := reasons.get(id(inbound), inbound.error or "unknown command type")) is not None
        ]

        async def in_transaction(connection: AsyncConnection) -> bool:
            await self.parking.park(connection, parking)
            return await self._guards.move(connection, parts)

        await commit(self._database, in_transaction)

    async def retry(self, key: str, redecode: Redecode) -> int:
        """Executes a key's parked commands in order; returns how many, and raises the error of one that still fails."""
        waiting = await self.parking.waiting(key)
        for place, source, inbound in waiting:
            results = await self._writer.execute_many([_request(await redecode(source, inbound), _requester(inbound))])
            reason = _why_not(results[0])
            if reason is not None and isinstance(results[0], BaseException):
                raise results[0]
            async with self._database.transaction() as connection:
                await self.parking.remove(connection, [place])
        return len(waiting)


def _why_not(result: Receipt | BaseException) -> str | None:
    """Reason to park a command; None when it has a result, a refusal included. Raises Unavailable for a transient fault."""
    if isinstance(result, Fault) and waits(result):
        raise Unavailable(result.code)
    is_done = isinstance(result, Receipt) or (isinstance(result, Fault) and result.kind not in {"poison", "internal"})
    return None if is_done else reason_of(result) if isinstance(result, BaseException) else None


def _requester(inbound: InboundRecord) -> str:
    return next((value.decode() for name, value in inbound.headers if name == "ce_requester"), "")


def _request(incoming: Delivered[tuple[str, object]] | None, requester: str) -> QueuedCommand:
    if incoming is None:
        raise Unavailable("command.unknown_type")
    stream, command = incoming.event
    actor = Actor(f"service:{incoming.source}", incoming.tenant, SYSTEM)
    meta = Meta(incoming.id, actor, "", incoming.correlation, incoming.id, incoming.traceparent)
    return QueuedCommand(stream, command, meta, (), requester)
