"""What keeps poison, replays and restarts from harming others, each alone; test_mutations_flow.py switches them off."""

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.adapters.leases import Leases
from kernel.core.events import Delivered
from kernel.core.faults import Unavailable
from kernel.eventlog.writer import Writer
from kernel.processors.generations import Rebuild
from kernel.processors.processes import ProcessRunner
from kernel.processors.projector import Projection, Projector, Target, fold_rows
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.parked import Parking
from kernel.streams.records import OWN_LOG
from tests.contract.conftest import Running
from tests.contract.test_projector import batch_of, fill
from tests.kit import counter
from tests.kit.counter import Add, Added
from tests.kit.generations import dump, prepare
from tests.kit.shuffled import Shuffled
from tests.kit.until import within

TALLY = sa.Table("tally", sa.MetaData(), sa.Column("owner", sa.Text, primary_key=True), sa.Column("total", sa.BigInteger),
                 sa.Column("newest", sa.Text))  # fmt: skip


def newer(stands: str, comes: str) -> str:
    """Of two times the later: the same whichever comes first."""
    return max(stands, comes)


def _fold_tally(row: dict[str, Any] | None, incoming: Delivered[Any]) -> dict[str, Any]:
    row = row or {"owner": incoming.event.owner, "total": 0, "newest": ""}
    newest = newer(row["newest"], f"{incoming.position:09}")
    return row | {"total": row["total"] + incoming.event.amount, "newest": newest}


async def _apply_tally(target: Target, events: Sequence[Delivered[Any]]) -> None:
    await fold_rows(
        target, TALLY, events, lambda i: (i.event.owner,) if isinstance(i.event, Added) else None, _fold_tally
    )


class Locked(Exception):
    """What asyncpg raises when a lock was waited for too long."""

    sqlstate = "55P03"


async def projector_of(running: Running, projection: Projection) -> Projector:
    await prepare(running.store, projection)
    made = Projector(projection, 1, running.store)
    await Checkpoints(running.store, made.consumer).load([(OWN_LOG, 0)])
    return made


async def parked(running: Running, consumer: str) -> list[int]:
    """Positions in the order in which they will be handled."""
    parking = Parking(running.store, consumer)
    return [one.position for key in sorted(await parking.keys()) for _, _, one in await parking.waiting(key)]


async def test_a_parked_key_waits_over_batches(running: Running) -> None:
    projector, sick = await projector_of(running, counter.OWN_SUMS), counter.counter()
    for amount in (1, counter.UNLUCKY, 2, 3):
        await running.writer.execute(sick, Add(amount), counter.meta())
    for first, last in ((1, 2), (3, 4)):
        await projector.handle([await batch_of(running, first, last)])
    assert await parked(running, projector.consumer) == [2, 3, 4]
    assert await running.sums() == {sick: (1, 1)}


async def test_what_passes_is_not_poison(running: Running) -> None:
    """A lock that was waited for too long, met while a poisoned batch goes event by event: all of it is tried again."""
    is_locked = True

    async def apply(target: Target, events: Sequence[Delivered[Any]]) -> None:
        if is_locked and len(events) == 1 and events[0].event.amount == 2:
            raise sa.exc.OperationalError("UPDATE", {}, Locked("database is locked"))
        await counter._apply(target, events)

    projector = await projector_of(running, Projection("sums_own", 1, (counter.SUMS,), apply))
    streams = [counter.counter() for _ in range(3)]
    for stream, amount in zip(streams, (1, counter.UNLUCKY, 2), strict=True):
        await running.writer.execute(stream, Add(amount), counter.meta())
    with pytest.raises(Unavailable):
        await projector.handle([await batch_of(running, 1, 3)])
    assert await parked(running, projector.consumer) == []
    is_locked = False
    await projector.handle([await batch_of(running, 1, 3)])
    assert await parked(running, projector.consumer) == [2]
    assert await running.sums() == {streams[0]: (1, 1), streams[2]: (2, 1)}


async def test_a_cause_that_has_to_wait_is_not_parked(running: Running) -> None:
    """The writer turns commands away while a poisoned batch goes cause by cause: the process waits with all of them."""
    turned_away = iter([False])

    def admit() -> None:
        if next(turned_away, True):
            raise Unavailable("relay.behind")

    for amount in (1, counter.UNLUCKY):
        await running.writer.execute(counter.counter(), Add(amount, "echo me"), counter.meta())
    await Checkpoints(running.store, "echo").load([(OWN_LOG, 0)])
    busy = Writer(running.service, running.log, counter.deciders(), admit)
    running.start(busy.run(running.stop))
    with pytest.raises(Unavailable):
        await ProcessRunner(counter.ECHO, running.store, busy).handle([await batch_of(running, 1, 2)])
    assert await parked(running, "echo") == []
    await ProcessRunner(counter.ECHO, running.store, running.writer).handle([await batch_of(running, 1, 2)])
    assert await parked(running, "echo") == [2]
    assert [event.name for event in await running.log.read(2)] == ["echo.requested@1"]


async def test_past_the_budget_the_consumer_stops_and_says_so(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kernel.streams.parked.BUDGET_KEYS", 2)
    projector = await projector_of(running, counter.OWN_SUMS)
    for tenant in ("t1", "t2", "t3"):
        await running.writer.execute(counter.counter(), Add(counter.UNLUCKY), counter.meta(tenant=tenant))
    await projector.handle([await batch_of(running, 1, 2)])
    with pytest.raises(Unavailable, match=r"parked\.budget_spent"):
        await projector.handle([await batch_of(running, 3, 3)])
    assert await parked(running, projector.consumer) == [1, 2]


async def test_a_rebuild_reads_partitions_in_any_order(running: Running) -> None:
    """A row that all partitions fold into."""
    topics = counter.foreign_sums(running.service).topics
    projection = Projection("tally", 1, (TALLY,), _apply_tally, own=False, topics=topics)
    await fill(running, 12, 3)
    relay = running.relay()
    while await relay.round():
        pass
    dumps = []
    for seed in range(4):
        rebuild = Rebuild(
            projection, running.store, running.log, counter.CODEC, running.service, Shuffled(running.bus, seed),
            counter.decode_event, partitions=counter.PARTITIONS,
        )  # fmt: skip
        async with within(20):
            dumps.append(await dump(running.store, projection, await rebuild.run()))
    assert dumps == [[("tally", "all", 72, "000000036")]] * 4


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
async def test_released_leases_are_taken_at_the_next_renewal(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not when they would have run out."""
    monkeypatch.setattr("kernel.adapters.leases.RENEW_S", 0.0)
    names = [str(number) for number in range(12)]
    leaving, staying = Leases(store, "sums/topics", names), Leases(store, "sums/topics", names)
    for _ in range(3):
        held = [await leaving.held(), await staying.held()]
    assert [len(each) for each in held] == [6, 6]
    await leaving.release()
    assert await staying.held() == frozenset(names)
