"""What execute() promises, over SQLite and PostgreSQL: order, idempotency, freshness, isolation of callers, exact inline rows."""

import asyncio
from collections import Counter

import pytest
import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.faults import Internal, Invalid, Refused
from kernel.eventlog.commands import Fenced, QueuedCommand
from kernel.eventlog.log import Log
from tests.contract.conftest import Replicas, outcome
from tests.kit import counter
from tests.kit.counter import Add, Overrun, Stumble


async def test_positions_are_dense_and_versions_follow(replicas: Replicas, log: Log) -> None:
    writers = [replicas.one(), replicas.one(), replicas.one()]
    streams = [counter.counter() for _ in range(5)]
    jobs = [writers[i % 3].execute(streams[i % 5], Add(1), counter.meta()) for i in range(150)]
    await asyncio.gather(*jobs)
    events = await log.read(0)
    assert [event.position for event in events] == list(range(1, 151))
    for stream in streams:
        assert [event.version for event in events if event.stream == stream] == list(range(1, 31))


async def test_a_repeat_gets_the_first_receipt(replicas: Replicas, log: Log) -> None:
    stream, meta = counter.counter(), counter.meta(fingerprint="f")
    first = await replicas.one().execute(stream, Add(3), meta)
    again = await replicas.one().execute(stream, Add(3), meta)
    assert again == first
    assert len(await log.read(0)) == 1


async def test_the_same_id_at_once_runs_once(replicas: Replicas, log: Log) -> None:
    writers, stream, meta = [replicas.one(), replicas.one()], counter.counter(), counter.meta(fingerprint="f")
    receipts = await asyncio.gather(*[writers[i % 2].execute(stream, Add(3), meta) for i in range(20)])
    assert len(set(receipts)) == 1
    assert len(await log.read(0)) == 1


async def test_an_id_with_another_body_is_refused(replicas: Replicas) -> None:
    writer, stream = replicas.one(), counter.counter()
    await writer.execute(stream, Add(3), counter.meta("key-1", "f"))
    assert await outcome(writer, stream, Add(4), "key-1", "g") == "command.id_reused"


async def test_a_refusal_is_not_remembered(replicas: Replicas) -> None:
    writer, stream = replicas.one(), counter.counter()
    assert await outcome(writer, stream, Add(1, only_from=5), "key-1") == "counter.moved_on"
    await writer.execute(stream, Add(5), counter.meta())
    assert await outcome(writer, stream, Add(1, only_from=5), "key-1") == "appended"


async def test_a_repeat_after_the_state_moved_on_still_gets_its_receipt(replicas: Replicas) -> None:
    writer, stream, meta = replicas.one(), counter.counter(), counter.meta(fingerprint="f")
    first = await writer.execute(stream, Add(1, only_from=0), meta)
    await writer.execute(stream, Add(1), counter.meta())
    assert await writer.execute(stream, Add(1, only_from=0), meta) == first


async def test_a_stale_replica_does_not_refuse_what_is_allowed(replicas: Replicas) -> None:
    stale, other, stream = replicas.one(), replicas.one(), counter.counter()
    await stale.execute(stream, Add(1), counter.meta())
    await other.execute(stream, Add(1), counter.meta())
    assert await outcome(stale, stream, Add(1, only_from=2)) == "appended"


async def test_a_stale_replica_does_not_allow_what_is_refused(replicas: Replicas) -> None:
    stale, other, stream = replicas.one(), replicas.one(), counter.counter()
    await stale.execute(stream, Add(1), counter.meta())
    await other.execute(stream, Add(1), counter.meta())
    assert await outcome(stale, stream, Add(1, only_from=1)) == "counter.moved_on"


async def test_inline_rows_are_exact_at_the_head(replicas: Replicas, store: Database) -> None:
    """Many commands over two replicas would cross the limit: exactly as many pass as fit."""
    writers = [replicas.one(), replicas.one()]
    step = counter.LIMIT // 10
    jobs = [outcome(writers[i % 2], counter.counter(), Add(step, "shared")) for i in range(25)]
    assert Counter(await asyncio.gather(*jobs)) == {"appended": 10, "counter.over_limit": 15}
    async with store.reading() as connection:
        assert (await connection.execute(sa.text("SELECT total FROM totals"))).scalar_one() == counter.LIMIT


async def test_a_stale_replica_sees_inline_rows_as_they_are_now(replicas: Replicas) -> None:
    stale, other = replicas.one(), replicas.one()
    await stale.execute(counter.counter(), Add(1, "shared"), counter.meta())
    await other.execute(counter.counter(), Add(counter.LIMIT - 1, "shared"), counter.meta())
    assert await outcome(stale, counter.counter(), Add(1, "shared")) == "counter.over_limit"


async def test_a_broken_constraint_concerns_its_caller_only(replicas: Replicas, log: Log) -> None:
    writer = replicas.one()
    good = [outcome(writer, counter.counter(), Add(1)) for _ in range(20)]
    bad = outcome(writer, counter.counter(), Overrun())
    assert Counter(await asyncio.gather(*good[:10], bad, *good[10:])) == {
        "appended": 20,
        "command.breaks_constraint": 1,
    }
    assert len(await log.read(0)) == 20


async def test_a_bug_in_one_decider_concerns_its_caller_only(replicas: Replicas) -> None:
    writer = replicas.one()
    good = [outcome(writer, counter.counter(), Add(1)) for _ in range(5)]
    stumbling = writer.execute(counter.counter(), Stumble(), counter.meta())
    *outcomes, bug = await asyncio.gather(*good, stumbling, return_exceptions=True)
    assert outcomes == ["appended"] * 5
    assert isinstance(bug, LookupError)


async def test_invalid_commands_and_unknown_categories_change_nothing(replicas: Replicas, log: Log) -> None:
    writer = replicas.one()
    assert await outcome(writer, counter.counter(), Add(-1)) == "counter.amount_negative"
    assert await outcome(writer, "nonsense-1", Add(1)) == "stream.unknown_category"
    assert await log.read(0) == []


async def test_nothing_to_do_appends_nothing(replicas: Replicas, log: Log) -> None:
    receipt = await replicas.one().execute(counter.counter(), Add(0), counter.meta())
    assert (receipt.version, receipt.position) == (0, 0)
    assert await log.read(0) == []


async def test_a_group_stands_or_falls_together(replicas: Replicas, log: Log) -> None:
    writer, moved = replicas.one(), []

    async def also(_: object) -> bool:
        moved.append(True)
        return True

    items = [
        QueuedCommand(counter.counter(), Add(1), counter.meta()),
        QueuedCommand(counter.counter(), Add(-1), counter.meta()),
    ]
    outcomes = await writer.execute_group(items, also)
    assert all(isinstance(outcome.fault, Invalid) for outcome in outcomes)
    assert await log.read(0) == []
    assert moved == []
    await writer.execute_group(items[:1], also)
    assert moved == [True]


async def test_a_fenced_group_writes_nothing_and_others_go_on(replicas: Replicas, log: Log) -> None:
    writer = replicas.one()

    async def lost(_: object) -> bool:
        return False

    fenced = writer.execute_group([QueuedCommand(counter.counter(), Add(1), counter.meta())], lost)
    good = [outcome(writer, counter.counter(), Add(1)) for _ in range(5)]
    first, *others = await asyncio.gather(fenced, *good, return_exceptions=True)
    assert isinstance(first, Fenced)
    assert others == ["appended"] * 5
    assert len(await log.read(0)) == 5


async def test_a_requested_command_is_refused_in_public_once(replicas: Replicas, log: Log) -> None:
    writer, stream, meta = replicas.one(), counter.counter(), counter.meta()
    for _ in range(2):
        with pytest.raises(Refused):
            await writer.execute(stream, Add(1, only_from=9), meta, requester="echo-1")
    assert [event.name for event in await log.read(0)] == ["command.refused@1"]
    await writer.execute(stream, Add(9), counter.meta())
    with pytest.raises(Refused, match=r"command\.refused_before"):
        await writer.execute(stream, Add(1, only_from=9), meta, requester="echo-1")


async def test_a_hole_in_the_log_is_reported(replicas: Replicas, log: Log, store: Database) -> None:
    writer = replicas.one()
    for _ in range(3):
        await writer.execute(counter.counter(), Add(1), counter.meta())
    async with store.transaction() as connection:
        await connection.execute(sa.text("DELETE FROM log_events WHERE position = 2"))
    with pytest.raises(Internal, match=r"log\.hole"):
        await log.read(0)


async def test_decisions_see_time_that_never_goes_back(replicas: Replicas, log: Log) -> None:
    writers, stream = [replicas.one(), replicas.one()], counter.counter()
    for number in range(20):
        await writers[number % 2].execute(stream, Add(1), counter.meta())
    events = await log.read(0)
    decided = [counter.CODEC.decode(event.name, event.data).at for event in events]
    recorded = [event.recorded_at for event in events]
    assert decided == sorted(decided)
    assert recorded == sorted(recorded)
