"""Command consumer: executes the commands on the topic `<service>.commands.v1`, each once, under its message id."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.core.clock import system_clock
from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered, Receipt
from kernel.core.faults import Fault, Invalid, Refused, Unavailable
from kernel.eventlog.commands import QueuedCommand
from kernel.eventlog.writer import Writer
from kernel.processors.processes import SYSTEM, commit, waits
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.parked import Parking, Redecode, SetAside, reason_of
from kernel.streams.records import InboundRecord, PartitionBatch, placed

DecodeCommand = Callable[[str, bytes], tuple[str, object] | None]
"""`(ce_type, value) -> (stream, command)` of this service, or None for a type that is not known here (it is parked)."""


Prepare = Callable[[object, datetime], Awaitable[object]]
"""Costly work on a command that needs no state, done before the command is queued: in the writer it would hold up all others."""
PREPARED_BATCH = 100
"""Records in a batch whose commands are prepared, so that one batch stays short."""


class CommandConsumer:
    """Handler of the command topic's Consumer. A repeated id gives the first result again, so the topic needs no chain.

    A refusal is a result (CommandRefused). A command that cannot be read, or meets a bug, is parked; later commands go on.
    """

    def __init__(self, name: str, database: Database, writer: Writer, prepare: Prepare | None = None) -> None:
        self._database, self._writer, self._prepare = database, writer, prepare
        self._guards = Checkpoints(database, name)
        self.parking = Parking(database, name)

    async def handle(self, parts: Sequence[PartitionBatch]) -> None:
        everything = placed(parts)
        runnable = [inbound for _, inbound in everything if inbound.error is None and inbound.incoming is not None]
        results = await asyncio.gather(*[self._execute(_request(one.incoming, one.requester)) for one in runnable],
                                       return_exceptions=True)  # fmt: skip
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

    async def _execute(self, one: QueuedCommand) -> Receipt:
        """A command that its preparation refuses is queued as it is: its Decider refuses it, which ends the requester's wait."""
        if self._prepare is not None:
            with suppress(Invalid, Refused):
                one.command = await self._prepare(one.command, system_clock())
        return await self._writer.execute(one.stream, one.command, one.meta, one.sealed, one.requester)

    async def retry(self, key: str, redecode: Redecode) -> int:
        """Executes a key's parked commands in order; returns how many, and raises the error of one that still fails."""
        waiting = await self.parking.waiting(key)
        for place, source, inbound in waiting:
            request = _request(await redecode(source, inbound), _requester(inbound))
            (result,) = await asyncio.gather(self._execute(request), return_exceptions=True)
            if _why_not(result) is not None and isinstance(result, BaseException):
                raise result
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
