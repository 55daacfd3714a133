"""What every Log promises: PostgreSQL's, SQLite's and the one in memory that decisions are tested on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from kernel.adapters.bulk import BulkStatements, RowChanges
from kernel.adapters.opening import database_at
from kernel.core.clock import Clock, system_clock
from kernel.core.events import Recorded
from kernel.core.faults import Internal
from kernel.eventlog.log import READ_BYTES, READ_LIMIT, Log, Pending, StoredLog, is_cut
from kernel.eventlog.opening import open_log
from kernel.eventlog.postgres_log import PostgresLog
from tests.contract.conftest import Templates
from tests.kit import counter
from tests.kit.memory_log import MemoryLog

A, B = counter.counter("a"), counter.counter("b")
MakeLog = Callable[[Clock], Log]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def make_log(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates) -> AsyncIterator[MakeLog]:
    """An empty log of each implementation, by the clock that it is given where it has none of its own."""
    if request.param == "memory":
        yield lambda clock: MemoryLog(counter.metadata(), clock)
        return
    async with templates.copy(request.param, tmp_path) as url:
        store = database_at(url, counter.metadata())
        yield lambda clock: open_log(store, clock)
        await store.close()


@pytest.fixture
def log(make_log: MakeLog) -> Log:
    return make_log(system_clock)


class GoneWrong(Exception):
    """What happens in a transaction that is to be rolled back."""


def totals(log: Log) -> BulkStatements:
    return BulkStatements(log.metadata.tables["totals"], ["owner", "total"])


def kept(log: Log, **rows: int) -> RowChanges:
    """Rows of the inline table: total by owner."""
    return RowChanges(totals(log), {"owner": list(rows), "total": list(rows.values())}, [])


async def total(log: Log, *owners: str) -> dict[str, int]:
    found = await log.read_rows(totals(log), [(owner,) for owner in owners])
    return {row["owner"]: row["total"] for row in found}


def pending(stream: str, version: int, command: str | None = None) -> Pending:
    return Pending("t", stream, version, 0, "counter.rang@1", b"{}", b"{}", command)


async def fill(log: Log, rows: list[Pending], expected: int = 0) -> None:
    async with log.transaction() as connection:
        assert await log.append(connection, rows, expected) is not None


@pytest.fixture
async def filled(log: Log) -> Log:
    """a1 b1 a2 b2 ... a10 b10; commands stand on first versions and on a5."""
    rows = [pending(stream, version) for version in range(1, 11) for stream in (A, B)]
    rows[0].command, rows[1].command, rows[8].command = "first", "first", "fifth"
    await fill(log, rows)
    return log


def places(events: list[Recorded]) -> list[tuple[str, int]]:
    return [("a" if event.stream == A else "b", event.version) for event in events]


async def test_reading_goes_on_where_it_ended(filled: Log) -> None:
    found: list[Recorded] = []
    while batch := await filled.read(found[-1].position if found else 0, limit=3):
        assert len(batch) <= 3
        found += batch
    assert [event.position for event in found] == list(range(1, 21))


async def test_a_read_of_large_events_is_bounded_in_bytes(log: Log) -> None:
    rows = [replace(pending(A, version), data=b" " * (READ_BYTES // 4)) for version in range(1, 11)]
    await fill(log, rows)
    found: list[Recorded] = []
    while batch := await log.read(found[-1].position if found else 0):
        assert len(batch) == min(4, 10 - len(found))
        assert is_cut(batch, READ_LIMIT) == (len(batch) == 4)
        found += batch
    assert [event.version for event in found] == list(range(1, 11))
    assert [event.position for event in await log.read(9)] == [10]


async def test_one_event_past_the_bound_is_read(log: Log) -> None:
    await fill(log, [replace(pending(A, version), data=b" " * (READ_BYTES + 1)) for version in (1, 2)])
    assert [event.version for event in await log.read(0)] == [1]
    assert [event.version for event in await log.read(1)] == [2]


async def test_reading_ends_where_told(filled: Log) -> None:
    assert [event.position for event in await filled.read(17, upto=19)] == [18, 19]
    assert await filled.read(20) == []


async def test_streams_are_loaded_whole_up_to_a_position(filled: Log) -> None:
    assert places(await filled.load([A], 20)) == [("a", version) for version in range(1, 11)]
    assert places(await filled.load([B, A], 3)) == [("a", 1), ("a", 2), ("b", 1)]
    assert await filled.load([counter.counter()], 20) == []


async def test_commands_are_found_by_stream_and_id(filled: Log) -> None:
    found = await filled.find_commands([(A, "first"), (B, "first"), (A, "fifth"), (B, "fifth"), (A, "never")])
    assert {pair: (event.stream, event.version) for pair, event in found.items()} == {
        (A, "first"): (A, 1), (B, "first"): (B, 1), (A, "fifth"): (A, 5),
    }  # fmt: skip
    assert await filled.find_commands([]) == {}


async def test_every_kind_of_text_comes_back_as_it_was_put_in(log: Log) -> None:
    texts = ["", "plain", "a,b", '{"x":"\\u001f\\u0000"}', "春日精华 🌸", "'; DROP TABLE log; --", "NULL", "\\N", "{}"]
    rows = [
        Pending(
            text or "t",
            f"{A}-{number}",
            1,
            number % 2 or None,
            "counter.rang@1",
            text.encode(),
            text.encode(),
            text or None,
        )
        for number, text in enumerate(texts)
    ]
    assert await log.append(None, rows, 0) is not None
    found = await log.read(0)
    stored = [Pending(e.tenant, e.stream, e.version, e.partition, e.name, e.data, e.meta, e.command) for e in found]
    assert stored == rows


async def test_what_would_part_a_column_on_its_way_is_kept_whole_or_refused(log: Log) -> None:
    """PostgreSQL takes columns as texts with a separator in them: whatever holds it is not written at all."""
    row = pending(f"{A}\x1f{B}", 1)
    if isinstance(log, PostgresLog):
        with pytest.raises(ValueError, match="separator"):
            await log.append(None, [row], 0)
        assert await log.read(0) == []
    else:
        assert await log.append(None, [row], 0) is not None
        assert [event.stream for event in await log.read(0)] == [row.stream]


async def test_nobody_appends_at_another_head(filled: Log) -> None:
    for expected in (19, 21):
        async with filled.transaction() as connection:
            assert await filled.append(connection, [pending(A, 11)], expected) is None
            assert await filled.append(connection, [], expected) is None
        assert await filled.append(None, [pending(A, 11)], expected, [kept(filled, ann=1)]) is None
    assert (await filled.head()).position == 20
    assert await total(filled, "ann") == {}


async def test_nothing_appended_proves_that_the_head_is_there(filled: Log) -> None:
    assert await filled.append(None, [], 20) is not None
    assert (await filled.head()).position == 20


@pytest.mark.parametrize("in_transaction", [True, False])
async def test_ten_racers_leave_one_winner(log: Log, in_transaction: bool) -> None:
    async def race(number: int) -> str:
        row = Pending("t", counter.counter(), 1, None, "counter.rang@1", b"{}", b"{}", f"c{number}")
        if not in_transaction:
            return "behind" if await log.append(None, [row], 0) is None else "appended"
        async with log.transaction() as connection:
            return "behind" if await log.append(connection, [row], 0) is None else "appended"

    assert Counter(await asyncio.gather(*[race(i) for i in range(10)])) == {"appended": 1, "behind": 9}
    assert len(await log.read(0)) == 1


async def test_who_holds_the_head_is_the_only_one_to_append(log: Log) -> None:
    async with log.locked() as connection:
        other = asyncio.create_task(log.append(None, [pending(B, 1)], 0))
        await asyncio.sleep(0.05)
        assert not other.done()
        assert await log.append(connection, [pending(A, 1)], 0) is not None
    assert await other is None
    assert [event.stream for event in await log.read(0)] == [A]


async def test_a_transaction_sees_what_it_wrote_and_others_do_not(filled: Log) -> None:
    async with filled.locked() as connection:
        await filled.append(connection, [pending(A, 11, "eleventh")], 20, [kept(filled, ann=5)])
        assert (await filled.head(connection)).position == 21
        assert [event.position for event in await filled.read(20, connection=connection)] == [21]
        assert len(await filled.load([A], 21, connection)) == 11
        assert list(await filled.find_commands([(A, "eleventh")], connection)) == [(A, "eleventh")]
        assert await filled.read_rows(totals(filled), [("ann",)], connection) == [{"owner": "ann", "total": 5}]
        assert (await filled.head()).position == 20
        assert await filled.read(20) == []
        assert len(await filled.load([A], 21)) == 10
        assert await filled.find_commands([(A, "eleventh")]) == {}
        assert await total(filled, "ann") == {}
    assert (await filled.head()).position == 21
    assert await total(filled, "ann") == {"ann": 5}


async def test_an_append_that_is_rolled_back_leaves_no_hole_and_no_rows(filled: Log) -> None:

    async def goes_wrong() -> None:
        async with filled.transaction() as connection:
            await filled.append(connection, [pending(A, 11)], 20, [kept(filled, ann=5)])
            raise GoneWrong

    with pytest.raises(GoneWrong):
        await goes_wrong()
    await fill(filled, [pending(A, 11)], 20)
    assert [event.position for event in await filled.read(19)] == [20, 21]
    assert await total(filled, "ann") == {}


async def test_two_appends_in_one_transaction_stand_one_behind_the_other(log: Log) -> None:
    async with log.transaction() as connection:
        await log.append(connection, [pending(A, 1), pending(A, 2)], 0)
        await log.append(connection, [pending(A, 3)], 2)
    assert [(event.position, event.version) for event in await log.read(0)] == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize("repeat", [pending(A, 1), pending(A, 11, "fifth")])
async def test_no_version_and_no_command_id_stands_twice_in_a_stream(filled: Log, repeat: Pending) -> None:
    with pytest.raises(IntegrityError):
        await filled.append(None, [pending(B, 11), repeat], 20, [kept(filled, ann=5)])
    assert (await filled.head()).position == 20
    assert await filled.read(20) == []
    assert await total(filled, "ann") == {}


async def test_inline_rows_go_with_the_append(log: Log) -> None:
    await log.append(None, [pending(A, 1)], 0, [kept(log, ann=1, bob=2, cid=3)])
    more = kept(log, bob=20, dan=4)
    await log.append(None, [pending(A, 2)], 1, [RowChanges(more.table, more.upserts, [("ann",), ("nobody",)])])
    assert await total(log, "ann", "bob", "cid", "dan", "nobody") == {"bob": 20, "cid": 3, "dan": 4}


async def test_an_append_made_ready_is_the_append(log: Log) -> None:
    rows, changes = [pending(A, 1, "first")], [kept(log, ann=1)]
    prepared = log.prepare(rows, 0, changes)
    assert await log.append(None, rows, 0, () if prepared else changes, prepared) is not None
    assert [(event.stream, event.command) for event in await log.read(0)] == [(A, "first")]
    assert await total(log, "ann") == {"ann": 1}


async def test_a_hole_is_told_and_not_read_over(filled: Log) -> None:
    if isinstance(filled, StoredLog):
        async with filled.database.transaction() as connection:
            await connection.execute(sa.text("DELETE FROM log_events WHERE position = 3"))
    else:
        assert isinstance(filled, MemoryLog)
        del filled.stored.events[2]
    assert len(await filled.read(0, limit=2)) == 2
    for after in (0, 2):
        with pytest.raises(Internal, match=r"log\.hole"):
            await filled.read(after)


async def test_an_empty_log_begins_at_position_0(log: Log) -> None:
    assert (await log.head()).position == 0
    assert await log.read(0) == []


async def test_time_in_the_log_never_goes_back(make_log: MakeLog) -> None:
    """Where the machine's clock counts it may jump; PostgreSQL does not ask it."""
    times = [datetime(2036, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]
    log = make_log(lambda: times.pop(0) if len(times) > 1 else times[0])
    for version in (1, 2, 3):
        await fill(log, [pending(A, version)], version - 1)
    stamps = [event.recorded_at for event in await log.read(0)]
    assert stamps == sorted(stamps)
    assert (await log.head()).at == stamps[-1]
    assert await log.now() >= stamps[-1] - timedelta(seconds=1)


async def test_an_append_answers_the_time_it_recorded(log: Log) -> None:
    at = await log.append(None, [pending(A, 1), pending(B, 1)], 0)
    assert {event.recorded_at for event in await log.read(0)} == {at}
    assert (await log.head()).at == at
