"""Counters of which one record in a hundred is poison, as the code before an upgrade reads what the code after it wrote."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.adapters.bus import Bus
from kernel.adapters.database import Database
from kernel.core.codec import Codec
from kernel.core.events import Delivered
from kernel.eventlog.commands import DeciderRegistry
from kernel.eventlog.opening import open_log
from kernel.eventlog.writer import Writer
from kernel.processors.command_consumer import CommandConsumer
from kernel.processors.processes import ProcessRunner
from kernel.processors.projector import Projection, Projector, Target, fold_rows
from kernel.streams.consumer import Consumer
from kernel.streams.records import OWN_LOG, Topic
from kernel.streams.relay import OutgoingCommand, PublicEvent, Relay
from tests.kit import counter
from tests.kit.counter import Add, Added

SERVICE = "counters"
NEW_VERSION, BAD_BYTES, BAD_COMMAND, BUG = 17, 19, 23, 29
POISON = (counter.UNLUCKY, NEW_VERSION, BAD_BYTES, BAD_COMMAND, BUG)
"""Amounts: apply and the process raise; stored as a later version; undecodable as an event, as a command; decide raises."""
EVENTS, COMMANDS = Topic(f"{SERVICE}.events.v1"), Topic(f"{SERVICE}.commands.v1", chained=False)
SEEN = sa.Table("seen", sa.MetaData(), sa.Column("stream", sa.Text, primary_key=True),
                sa.Column("amounts", sa.Text, nullable=False))  # fmt: skip


TYPES = {name: kind for kind, name in counter.CODEC._names.items()}


class Newer(Codec):
    """The code after the upgrade: it stores some events as version 2, and reads both."""

    def encode(self, value: object) -> tuple[str, bytes]:
        name, data = super().encode(value)
        is_new = isinstance(value, Added) and value.amount == NEW_VERSION
        return ("counter.added@2", data) if is_new else (name, data)

    def decode(self, name: str, data: bytes) -> Any:
        return super().decode("counter.added@1" if name == "counter.added@2" else name, data)


def fold(row: dict[str, Any] | None, incoming: Delivered[Any]) -> dict[str, Any]:
    """Every amount in the order it was applied in."""
    if incoming.event.amount == counter.UNLUCKY:
        raise ValueError("thirteen is poison")
    return {"stream": incoming.stream, "amounts": f"{row['amounts'] if row else ''} {incoming.event.amount}"}


async def apply(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(target, SEEN, events, lambda i: (i.stream,) if isinstance(i.event, Added) else None, fold)


SEEN_ON_TOPIC = Projection("seen", 1, (SEEN,), apply, own=False, topics=(EVENTS,))


class Code:
    """The service's code before and after the causes are mended; what is broken on the wire stays as it is."""

    def __init__(self, mended: bool) -> None:
        self.mended = mended
        self.codec = Newer(TYPES) if mended else counter.CODEC

    def event(self, kind: str, value: bytes) -> object | None:
        return counter.decode_event(kind, value.removeprefix(b"\xff") if self.mended else value)

    def command(self, kind: str, value: bytes) -> tuple[str, object] | None:
        found = counter.decode_command(kind, value.removeprefix(b"\xff") if self.mended else value)
        return (found[0], counter.Stumble()) if found and found[1] == Add(BUG) and not self.mended else found


def publish(incoming: Delivered[Any]) -> Sequence[PublicEvent | OutgoingCommand]:
    """As counters do, with a byte before some messages that makes them unreadable."""
    broken = {PublicEvent: BAD_BYTES, OutgoingCommand: BAD_COMMAND}
    amount = getattr(incoming.event, "amount", 0)
    found = counter.publish(incoming)
    return [replace(one, value=b"\xff" + one.value) if broken[type(one)] == amount else one for one in found]


class Sickly:
    """The service; its writer and relay are of the new code, its readers of the code that `readers` is given."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self.database, self.bus, self.log = database, bus, open_log(database)
        known = [counter.COUNTER, counter.ECHO.decider]
        deciders = DeciderRegistry(Newer(TYPES), known, [counter.TOTALS, counter.DEADLINES], counter.PARTITIONS)
        self.writer = Writer(SERVICE, self.log, deciders)
        self.relay = Relay(SERVICE, self.log, bus, Newer(TYPES), publish, counter.PARTITIONS)

    def readers(self, code: Code) -> dict[str, tuple[Any, Consumer]]:
        """By consumer: what handles its records, and the loop that reads them."""
        own, seen = (Projector(one, 1, self.database) for one in (counter.OWN_SUMS, SEEN_ON_TOPIC))
        echo = ProcessRunner(counter.ECHO, self.database, self.writer)
        commands = CommandConsumer("commands", self.database, self.writer)
        return {
            own.consumer: (own, self._reader(own.consumer, own.handle, code)),
            seen.consumer: (seen, self._reader(seen.consumer, seen.handle, code, EVENTS)),
            "echo": (echo, self._reader("echo", echo.handle, code)),
            "commands": (commands, self._reader("commands", commands.handle, code, COMMANDS)),
        }

    def _reader(self, name: str, handle: Any, code: Code, *topics: Topic) -> Consumer:
        """Over the own log, or over the topics given."""
        return Consumer(
            name, self.database, handle, log=None if topics else self.log, codec=code.codec, service=SERVICE, bus=self.bus,
            topics=topics, decode=code.command if COMMANDS in topics else code.event, partitions=counter.PARTITIONS,
            batch_records=500,
        )  # fmt: skip

    async def is_settled(self) -> bool:
        """The relay and every reader stand at the end of what they read, and nothing came meanwhile."""
        head = (await self.log.head()).position
        guards = self.database.metadata.tables["guards"]
        async with self.database.reading() as connection:
            rows = (await connection.execute(sa.select(guards))).all()
        if (await self.relay.checkpoint()).position != head or len(rows) != 2 + 2 * counter.PARTITIONS:
            return False
        if any(row.next_offset != head + 1 for row in rows if row.source == OWN_LOG):
            return False
        ends = await self.bus.end_offsets([EVENTS.name, COMMANDS.name]) | {(OWN_LOG, 0): head + 1}
        stand = all(row.next_offset == ends[row.source, row.partition] for row in rows)
        return stand and head == (await self.log.head()).position

    async def parked(self) -> dict[str, dict[str, list[int]]]:
        """By consumer and key: positions, in the order in which they will be handled."""
        found: dict[str, dict[str, list[int]]] = {}
        for row in await self._parked():
            found.setdefault(row.consumer, {}).setdefault(row.key, []).append(row.position)
        return found

    async def parked_requests(self) -> dict[str, set[str]]:
        """By key: message ids of commands. A relay that begins again sends some twice, and each of the two is parked."""
        found: dict[str, set[str]] = {}
        for row in await self._parked():
            headers = dict(orjson.loads(row.headers))
            if row.consumer == "commands" and "ce_id" in headers:
                found.setdefault(row.key, set()).add(headers["ce_id"])
        return found

    async def _parked(self) -> Sequence[Any]:
        table = self.database.metadata.tables["parked"]
        query = sa.select(table).order_by(table.c.source, table.c.partition, table.c.offset)
        async with self.database.reading() as connection:
            return (await connection.execute(query)).all()


async def run_until(stop: asyncio.Event, *loops: Any) -> None:
    """All loops together; the first that fails ends them all."""
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(loop.run(stop))
