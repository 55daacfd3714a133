"""The log by itself over both stores: what it finds, in which order, beyond one batch, and at which head."""

from datetime import UTC, datetime, timedelta

import pytest

from kernel.adapters.database import Database
from kernel.adapters.postgres.database import PostgresDatabase
from kernel.core.events import Recorded
from kernel.eventlog.log import Log, Pending
from kernel.eventlog.opening import open_log
from tests.kit import counter

A, B = counter.counter("a"), counter.counter("b")


def pending(stream: str, version: int, command: str | None = None) -> Pending:
    return Pending("t", stream, version, 0, "counter.rang@1", b"{}", b"{}", command)


async def fill(store: Database, log: Log, rows: list[Pending], expected: int = 0) -> None:
    async with store.transaction() as connection:
        assert await log.append(connection, rows, expected) is not None


@pytest.fixture
async def filled(store: Database, log: Log) -> Log:
    """a1 b1 a2 b2 ... a10 b10; commands stand on first versions and on a5."""
    rows = [pending(stream, version) for version in range(1, 11) for stream in (A, B)]
    rows[0].command, rows[1].command, rows[8].command = "first", "first", "fifth"
    await fill(store, log, rows)
    return log


def places(events: list[Recorded]) -> list[tuple[str, int]]:
    return [("a" if event.stream == A else "b", event.version) for event in events]


async def test_reading_goes_on_where_it_ended(filled: Log) -> None:
    found: list[Recorded] = []
    while batch := await filled.read(found[-1].position if found else 0, limit=3):
        assert len(batch) <= 3
        found += batch
    assert [event.position for event in found] == list(range(1, 21))


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


async def test_what_would_part_a_column_is_not_written(log: Log, store: Database) -> None:
    if isinstance(store, PostgresDatabase):
        with pytest.raises(ValueError, match="separator"):
            await log.append(None, [pending(f"{A}\x1f{B}", 1)], 0)
    assert await log.read(0) == []


async def test_nobody_appends_at_another_head(filled: Log, store: Database) -> None:
    for expected in (19, 21):
        async with store.transaction() as connection:
            assert await filled.append(connection, [pending(A, 11)], expected) is None
            assert await filled.append(connection, [], expected) is None
    assert (await filled.head()).position == 20


async def test_an_append_that_is_rolled_back_leaves_no_hole(filled: Log, store: Database) -> None:
    async with store.write.connect() as connection:
        await connection.begin()
        await filled.append(connection, [pending(A, 11)], 20)
        await connection.rollback()
    await fill(store, filled, [pending(A, 11)], 20)
    assert [event.position for event in await filled.read(19)] == [20, 21]


async def test_time_in_the_log_never_goes_back(store: Database) -> None:
    """On SQLite the machine's clock counts, and it may jump; on PostgreSQL nobody asks it."""
    times = [datetime(2036, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]
    log = open_log(store, lambda: times.pop(0) if len(times) > 1 else times[0])
    for version in (1, 2, 3):
        await fill(store, log, [pending(A, version)], version - 1)
    stamps = [event.recorded_at for event in await log.read(0)]
    assert stamps == sorted(stamps)
    assert (await log.head()).at == stamps[-1]
    assert await log.now() >= stamps[-1] - timedelta(seconds=1)
