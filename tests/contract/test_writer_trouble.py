"""What execute() does in trouble, over SQLite and PostgreSQL: cut connections, unreadable streams, far behind, draining."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.disconnects import translated
from kernel.adapters.postgres.database import PostgresDatabase
from kernel.core.faults import Unavailable
from kernel.eventlog.backpressure import Backpressure
from kernel.eventlog.log import Log
from kernel.eventlog.opening import open_log
from kernel.eventlog.writer import Writer
from tests.contract.conftest import Replicas, outcome
from tests.kit import counter
from tests.kit.counter import Add


class Cut:
    """Cuts the connection round the next `times` appends: after their commit, or before it.

    An append is a write transaction (on SQLite one of a group) or, on PostgreSQL, also one that the driver begins, or one
    statement that it commits.
    """

    def __init__(self, store: Any, times: int, after_commit: bool) -> None:
        begun: Any = getattr(store, "begun", None)
        rows: Any = getattr(store, "rows", None)
        self._open, self._begun, self._rows = store.transaction, begun, rows
        self._grouped = store.grouped
        self.times, self._after_commit = times, after_commit

    def install(self, store: Database, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(store, "transaction", lambda: self.transaction(self._open()))
        if not store.is_shared:  # a shared store's groups are its transactions
            patch.setattr(store, "grouped", lambda: self.transaction(self._grouped()))
        patch.setattr(store, "begun", lambda opening: self.transaction(self._begun(opening)), raising=False)
        patch.setattr(store, "rows", self.rows, raising=False)

    def _cuts(self) -> bool:
        self.times -= 1
        return self.times >= 0

    @asynccontextmanager
    async def transaction(self, opened: AbstractAsyncContextManager[Any]) -> AsyncIterator[Any]:
        cut = self._cuts()
        with translated():
            async with opened as begun:
                yield begun
                if cut and not self._after_commit:
                    raise ConnectionResetError("cut before the commit")
            if cut:
                raise ConnectionResetError("cut after the commit")

    async def rows(
        self, sql: str, values: Mapping[str, Any], connection: AsyncConnection | None = None, *more: Any
    ) -> Sequence[Any]:
        cut = "UPDATE log" in sql and connection is None and self._cuts()
        with translated():
            if cut and not self._after_commit:
                raise ConnectionResetError("cut before it was sent")
            found: Sequence[Any] = await self._rows(sql, values, connection, *more)
            if cut:
                raise ConnectionResetError("cut after the commit")
        return found


@pytest.mark.parametrize("after_commit", [True, False])
async def test_a_cut_connection_costs_and_doubles_nothing(
    replicas: Replicas, log: Log, monkeypatch: pytest.MonkeyPatch, after_commit: bool
) -> None:
    """The caller gets its receipt whether the cut came before or after the commit."""
    writer, stream = replicas.one(), counter.counter()
    await writer.execute(stream, Add(1), counter.meta())
    cut = Cut(replicas.store, 2, after_commit)
    cut.install(replicas.store, monkeypatch)
    receipts = await asyncio.gather(*[writer.execute(stream, Add(1), counter.meta()) for _ in range(5)])
    assert sorted(receipt.version for receipt in receipts) == [2, 3, 4, 5, 6]
    assert [event.version for event in await log.read(0)] == [1, 2, 3, 4, 5, 6]
    assert cut.times < 0


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
async def test_a_connection_that_was_lost_before_its_first_use_is_given_back(
    store: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a database that comes and goes would leave a pool with nothing in it."""

    async def lost(_: AsyncConnection) -> None:
        raise ConnectionResetError("lost before its first use")

    with monkeypatch.context() as patch:
        patch.setattr(AsyncConnection, "get_raw_connection", lost)
        for _ in range(3):
            with pytest.raises(Unavailable):
                await store.rows("SELECT 1", {})
    pool = store.write.pool
    assert isinstance(pool, sa.pool.QueuePool)
    assert pool.checkedout() == 0
    assert [row[0] for row in await store.rows("SELECT 1", {})] == [1]


async def test_a_command_for_a_stream_that_cannot_be_read_concerns_its_caller_only(
    replicas: Replicas, store: Database
) -> None:
    writer, sick = replicas.one(), counter.counter()
    await writer.execute(sick, Add(1), counter.meta())
    async with store.transaction() as connection:
        await connection.execute(sa.text("UPDATE log_events SET name = 'counter.lost@9'"))
    other = replicas.one()
    jobs = [outcome(other, counter.counter(), Add(1)) for _ in range(5)]
    assert await asyncio.gather(outcome(other, sick, Add(1)), *jobs) == ["event.unknown", *["appended"] * 5]


async def test_what_no_message_could_carry_is_not_appended(
    replicas: Replicas, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.eventlog.decide.MAX_EVENT_BYTES", 20)
    assert await outcome(replicas.one(), counter.counter(), Add(1)) == "event.too_large"
    assert await log.read(0) == []


async def test_far_behind_is_caught_up_too(replicas: Replicas, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.eventlog.state_cache.FAR_BEHIND", 5)
    stale, other, stream = replicas.one(), replicas.one(), counter.counter()
    await stale.execute(stream, Add(1), counter.meta())
    for _ in range(10):
        await other.execute(stream, Add(1), counter.meta())
    assert await outcome(stale, stream, Add(1, only_from=11)) == "appended"
    assert [event.version for event in await log.read(0)] == list(range(1, 13))


async def test_a_stopping_writer_finishes_what_it_took_and_takes_no_more(store: Database, log: Log) -> None:
    writer, stop = Writer("counters", open_log(store), counter.deciders()), asyncio.Event()
    taken = [asyncio.create_task(outcome(writer, counter.counter(), Add(1))) for _ in range(700)]
    await asyncio.sleep(0)
    stop.set()
    await writer.run(stop)
    assert Counter(await asyncio.gather(*taken)) == {"appended": 700}
    assert await outcome(writer, counter.counter(), Add(1)) == "writer.stopping"
    assert len(await log.read(0)) == 700


async def test_commands_are_turned_away_while_the_relay_is_far_behind(replicas: Replicas, store: Database) -> None:
    """Until the relay has caught up; both limits, events and age of the oldest, are looked at."""
    log = open_log(store)
    backlogs = [Backpressure(log, 2, 3600), Backpressure(log, 1000, 0.0)]
    for _ in range(3):
        await replicas.one().execute(counter.counter(), Add(1), counter.meta())
    for backlog in backlogs:
        backlog.check()
        await backlog.look()
        with pytest.raises(Unavailable, match=r"relay\.behind") as refused:
            backlog.check()
        assert refused.value.facts["retry_after_s"] == 5
    writer = Writer("counters", log, counter.deciders(), backlogs[0].check)
    assert await outcome(writer, counter.counter(), Add(1)) == "relay.behind"
    async with store.transaction() as connection:
        await connection.execute(sa.text("UPDATE relay_checkpoint SET position = 3"))
    for backlog in backlogs:
        await backlog.look()
        backlog.check()


async def test_rows_are_exact_when_only_what_follows_the_append_fails(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Appended, then the look for repeats among the refused is cut: what was appended is known all the same."""
    writer, stream = replicas.one(), counter.counter()
    find, cuts = writer.log.find_commands, [Unavailable("database.unavailable")]

    async def cut(pairs: Sequence[tuple[str, str]], *given: Any) -> Any:
        if pairs and cuts:
            raise cuts.pop()
        return await find(pairs, *given)

    await writer.execute(stream, Add(1, "one"), counter.meta())
    monkeypatch.setattr(writer.log, "find_commands", cut)
    jobs = [outcome(writer, stream, Add(5, "one")), outcome(writer, counter.counter(), Add(1, only_from=9))]
    told = await asyncio.gather(*jobs)
    assert told == ["appended", "counter.moved_on"]
    assert not cuts
    assert await outcome(writer, counter.counter(), Add(counter.LIMIT - 5, "one")) == "counter.over_limit"
    assert await outcome(writer, stream, Add(1, "one", only_from=6)) == "appended"
