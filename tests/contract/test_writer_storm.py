"""Eighty clients of one and of two writers while connections are cut at random, before, during and after what they carry:
every receipt is of an event that is there, once, and inline rows are what the log says."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.disconnects import translated
from kernel.core.events import Recorded
from kernel.core.faults import Fault
from kernel.eventlog.commands import Fenced, QueuedCommand
from kernel.eventlog.opening import open_log
from kernel.eventlog.writer import Writer
from tests.contract.conftest import Replicas
from tests.kit import counter
from tests.kit.counter import Add
from tests.kit.until import within

CLIENTS, COMMANDS = 80, 8
COMMAND_S = 60


class Cuts:
    """Cuts the connection at random round statements and transactions of a store."""

    def __init__(self, store: Any, dice: random.Random) -> None:
        begun: Any = getattr(store, "begun", None)
        rows: Any = getattr(store, "rows", None)
        self._open, self._begun, self._rows, self._dice = store.transaction, begun, rows, dice
        self._grouped = store.grouped
        self.times = 0

    def install(self, store: Database, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(store, "transaction", lambda: self.transaction(self._open()))
        if not store.is_shared:  # a shared store's groups are its transactions
            patch.setattr(store, "grouped", lambda: self.transaction(self._grouped()))
        patch.setattr(store, "begun", lambda opening: self.transaction(self._begun(opening)), raising=False)
        patch.setattr(store, "rows", self.rows, raising=False)

    def _maybe(self, when: str) -> None:
        if self._dice.random() < 0.03:
            self.times += 1
            raise ConnectionResetError(f"cut {when}")

    @asynccontextmanager
    async def transaction(self, opened: AbstractAsyncContextManager[Any]) -> AsyncIterator[Any]:
        with translated():
            async with opened as begun:
                yield begun
                self._maybe("before the commit")
            self._maybe("after the commit")

    async def rows(
        self, sql: str, values: Mapping[str, Any], connection: AsyncConnection | None = None, *more: Any
    ) -> Sequence[Any]:
        with translated():
            self._maybe("before it was sent")
            found: Sequence[Any] = await self._rows(sql, values, connection, *more)
            self._maybe("before the answer came")
        return found


class Client:
    """Sends commands of every kind to any of the writers, on few streams and rows, and keeps the receipts."""

    def __init__(self, writers: Sequence[Writer], streams: Sequence[str], dice: random.Random) -> None:
        self._writers, self._streams, self._dice = writers, streams, dice
        self.receipts: dict[tuple[str, str], int] = {}
        """Position by stream and command id."""

    async def run(self) -> None:
        for _ in range(COMMANDS):
            one = self._dice.choice([self.plain, self.plain, self.twice, self.requested, self.group])
            try:
                async with within(COMMAND_S):
                    await one(self._dice.choice(self._streams), counter.meta())
            except (Fault, Fenced):
                continue

    def _writer(self) -> Writer:
        return self._dice.choice(self._writers)

    def _add(self) -> Add:
        return Add(1, f"owner {self._dice.randrange(20)}", self._dice.choice([None] * 8 + [0, 1]))

    def _keep(self, stream: str, command_id: str, position: int) -> None:
        assert self.receipts.setdefault((stream, command_id), position) == position, "two receipts of one command"

    async def plain(self, stream: str, meta: Any) -> None:
        self._keep(stream, meta.command_id, (await self._writer().execute(stream, self._add(), meta)).position)

    async def twice(self, stream: str, meta: Any) -> None:
        """The same command at the same time, perhaps to two writers."""
        add = self._add()
        asked = [self._writer().execute(stream, add, meta) for _ in range(2)]
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            if not isinstance(answer, BaseException):
                self._keep(stream, meta.command_id, answer.position)

    async def requested(self, stream: str, meta: Any) -> None:
        """A command of another service, and the same again."""
        add = self._add()
        for _ in range(2):
            answer = await self._writer().execute(stream, add, meta, requester="echo-1")
            self._keep(stream, meta.command_id, answer.position)

    async def group(self, stream: str, meta: Any) -> None:
        """Two commands and a guard that is sometimes another's by now."""
        is_ours = self._dice.random() < 0.7

        async def also(_: AsyncConnection) -> bool:
            return is_ours

        other = QueuedCommand(self._dice.choice(self._streams), Add(1), counter.meta())
        outcomes = await self._writer().execute_group([QueuedCommand(stream, self._add(), meta), other], also)
        if outcomes[0].fault is None:
            assert is_ours
            self._keep(stream, meta.command_id, outcomes[0].position)


async def whole_log(store: Database) -> list[Recorded]:
    log, found = open_log(store), list[Recorded]()
    while more := await log.read(found[-1].position if found else 0):
        found += more
    return found


async def totals(store: Database) -> dict[str, int]:
    async with store.reading() as connection:
        return {row[0]: row[1] for row in await connection.execute(sa.text("SELECT owner, total FROM totals"))}


@pytest.mark.parametrize(("count", "seed"), [(1, 1), (1, 2), (2, 3), (2, 4)])
async def test_a_storm_of_cut_connections_loses_and_doubles_nothing(
    replicas: Replicas, store: Database, count: int, seed: int
) -> None:
    dice = random.Random(seed)
    cuts, streams = Cuts(store, dice), [counter.counter() for _ in range(40)]
    writers = [replicas.one() for _ in range(count)]
    clients = [Client(writers, streams, dice) for _ in range(CLIENTS)]
    with pytest.MonkeyPatch.context() as patch:
        cuts.install(store, patch)
        await asyncio.gather(*[client.run() for client in clients])
    events, versions, summed, places = await whole_log(store), Counter[str](), Counter[str](), dict[Any, int]()
    for event in events:
        versions[event.stream] += 1
        assert event.version == versions[event.stream]
        assert (event.stream, event.command) not in places
        places[event.stream, event.command] = event.position
        if event.name == "counter.added@1":
            added = orjson.loads(event.data)
            summed[added["owner"]] += added["amount"]
    receipts = {place: position for client in clients for place, position in client.receipts.items()}
    assert {place: places.get(place) for place in receipts} == receipts
    assert await totals(store) == dict(summed)
    assert cuts.times
    assert len(receipts) > CLIENTS * COMMANDS / 2
