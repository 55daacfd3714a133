"""Migrating and reading over both stores: once however many start at once, and nobody sees rows that are not theirs."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from kernel.adapters.bus import PARTITIONS
from kernel.adapters.database import Database
from kernel.adapters.opening import database_at
from kernel.core.decider import Actor
from kernel.core.faults import Internal, Invalid, Unavailable
from kernel.eventlog.opening import open_log
from kernel.host.migrate import check_revision, migrate
from kernel.processors.access import may_read, reading_as
from kernel.processors.generations import Rebuild
from kernel.processors.projector import Projection
from kernel.processors.read_your_writes import Waiters
from kernel.runtime.wakeup import Wakeup
from kernel.streams.records import OWN_LOG
from tests.contract.conftest import Running
from tests.kit import counter
from tests.kit.counter import Add

MIGRATIONS = Path(counter.__file__).parent / "migrations"
PROJECTIONS = (counter.OWNED_SUMS, counter.OWN_SUMS)
LOCAL = pytest.mark.parametrize("bus", ["local"], indirect=True)


@pytest.fixture
async def store(empty_url: str, service: str) -> AsyncIterator[Database]:
    """Made by migrations, as services make theirs."""
    database = database_at(empty_url, counter.metadata())
    await migrate(service, database, MIGRATIONS, PROJECTIONS)
    yield database
    await database.close()


async def count(database: Database, table: str) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(sa.text(f"SELECT count(*) FROM {table}"))).scalar_one())


async def test_three_at_once_migrate_once(empty_url: str, service: str) -> None:
    databases = [database_at(empty_url, counter.metadata()) for _ in range(3)]
    with pytest.raises(Internal, match=r"database\.wrong_revision"):
        await check_revision(databases[0], MIGRATIONS)
    await asyncio.gather(*[migrate(service, one, MIGRATIONS, PROJECTIONS) for one in databases])
    await check_revision(databases[0], MIGRATIONS)
    for table, rows in {"log": 1, "relay_checkpoint": 1, "alembic_version": 1, "projections": 2, "sums": 0}.items():
        assert await count(databases[0], table) == rows
    for one in databases:
        await one.close()


@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("change", ["UPDATE log_events SET name = ''", "DELETE FROM log_events", "TRUNCATE log_events"])
async def test_the_writers_role_appends_and_never_changes_history(store: Database, service: str, change: str) -> None:
    writer = database_at(store.url, counter.metadata(), f"{service}_writer")
    try:
        async with writer.transaction() as connection:
            row = {"position": 1, "tenant": "t", "stream": "s", "version": 1, "name": "n", "data": b"", "meta": b""}
            now = await open_log(writer).now()
            await connection.execute(sa.insert(writer.metadata.tables["log_events"]).values(**row, recorded_at=now))
        async with writer.write.connect() as connection:
            with pytest.raises(DBAPIError, match="permission denied"):
                await connection.execute(sa.text(change))
    finally:
        await writer.close()


ANN, BEN = (Actor("x", f"tenant-{name}", frozenset({"brand"})) for name in ("ann", "ben"))
AUDITOR = Actor("y", "platform", frozenset({"auditor"}))


async def seen_by(running: Running, actor: Actor) -> list[str]:
    async with reading_as(running.store, running.service, actor) as connection:
        query = sa.select(counter.OWNED.c.stream).where(may_read(counter.OWNED, actor))
        return sorted((await connection.execute(query)).scalars())


async def two_tenants(running: Running) -> tuple[str, str]:
    """One counter of each tenant, both readable by auditors; shown when this returns."""
    ann, ben = counter.counter(), counter.counter()
    await running.writer.execute(ann, Add(1, "auditor"), counter.meta(tenant=ANN.tenant))
    await running.writer.execute(ben, Add(1, "auditor"), counter.meta(tenant=BEN.tenant))

    async def shown() -> bool:
        return await count(running.store, "owned") == 2

    await running.until(shown)
    return ann, ben


@LOCAL
async def test_a_caller_sees_the_rows_whose_readers_it_is_among(running: Running) -> None:
    await running.project(counter.OWNED_SUMS)
    ann, ben = await two_tenants(running)
    assert await seen_by(running, ANN) == [ann]
    assert await seen_by(running, BEN) == [ben]
    assert await seen_by(running, AUDITOR) == sorted([ann, ben])
    assert await seen_by(running, Actor("z", "tenant-eve", frozenset({"creator"}))) == []


@LOCAL
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("rebuilt", [False, True])
async def test_row_level_security_stands_behind_a_forgotten_filter(running: Running, rebuilt: bool) -> None:
    """Also on a rebuilt generation; and who forgets to say who asks sees nothing."""
    await running.project(counter.OWNED_SUMS)
    ann, _ = await two_tenants(running)
    if rebuilt:
        await Rebuild(
            counter.OWNED_SUMS, running.store, running.log, counter.CODEC, running.service, running.bus,
            counter.decode_event, partitions=counter.PARTITIONS,
        ).run()  # fmt: skip
    async with reading_as(running.store, running.service, ANN) as connection:
        assert list((await connection.execute(sa.text("SELECT stream FROM owned"))).scalars()) == [ann]
    async with running.store.snapshot() as connection:
        await connection.execute(sa.text("SELECT set_config('app.readers', '[]', true)"))
        await connection.rollback()  # a session that somebody else asked in before
        await connection.execute(sa.text(f'SET LOCAL ROLE "{running.service}_query"'))
        assert list((await connection.execute(sa.text("SELECT stream FROM owned"))).scalars()) == []
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(sa.text("SELECT * FROM log_events"))


@LOCAL
async def test_a_receipts_token_waits_for_the_own_read_model(running: Running) -> None:
    await reads_its_writes(running, counter.OWN_SUMS, running.service)


async def test_a_receipts_token_waits_for_another_services_read_model(running: Running) -> None:
    running.start(running.relay().run(running.stop))
    await reads_its_writes(running, counter.foreign_sums(running.service), "elsewhere")


async def reads_its_writes(running: Running, projection: Projection, reader: str) -> None:
    projector, stream = await running.project(projection), counter.counter()
    waiters = waiters_of(running, reader, projector.progress)
    sources = {topic.name for topic in projection.topics} | {OWN_LOG}
    for total in range(1, 6):
        token = (await running.writer.execute(stream, Add(1), counter.meta())).token
        await waiters.wait(token, projector.consumer, sources, limit_s=20)
        assert (await running.sums())[stream] == (total, total)


@LOCAL
async def test_a_token_is_waited_for_only_so_long(running: Running) -> None:
    token = (await running.writer.execute(counter.counter(), Add(1), counter.meta())).token
    waiters = waiters_of(running, running.service, Wakeup())
    with pytest.raises(Unavailable, match=r"at_least\.not_reached"):
        await waiters.wait(token, "nobody_g1", {OWN_LOG}, limit_s=0.05)
    for wrong in ("", "x", "a:b:c", json.dumps(token), "a:²:", f"a:{'9' * 5000}:", "a:1:99999"):
        with pytest.raises(Invalid, match=r"at_least\.malformed"):
            await waiters.wait(wrong, "nobody_g1", {OWN_LOG}, limit_s=0.05)


@LOCAL
async def test_a_token_that_nothing_will_reach_is_refused_at_once(running: Running) -> None:
    waiters = waiters_of(running, running.service, Wakeup())
    head = (await running.log.head()).position
    with pytest.raises(Invalid, match=r"at_least\.ahead"):
        await waiters.wait(f"{running.service}:{head + 1}:", "nobody_g1", {OWN_LOG})
    for elsewhere in ("nowhere:1:0", f"known:1:{PARTITIONS}"):
        with pytest.raises(Invalid, match=r"at_least\.not_read_here"):
            await waiters.wait(elsewhere, "nobody_g1", {OWN_LOG, "known.events.v1"})


def waiters_of(running: Running, service: str, progress: Wakeup) -> Waiters:
    async def head() -> int:
        return (await running.log.head()).position

    return Waiters(running.store, service, progress, head)
