"""The soak itself: a short one of a fixed seed ends green, and a violation that is planted makes it red and is named."""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from cli.distributed import Servers
from kernel.core.decider import Actor, Meta
from kernel.core.ids import command_id
from kernel.host.app import App, open_app, run_migrations
from kernel.runtime.settings import Settings
from soak.ending import told_is_in_the_log
from soak.load import Told
from soak.plan import KILLS_PER_MINUTE, kills, plan
from soak.run import soak, verdict
from tests.kit import counter, toy
from tests.kit.running import settings_in
from tools.servers import KafkaServer, PostgresServer

SEED = 7
SECONDS = 20.0


async def test_a_short_soak_ends_green(
    fresh_kafka: KafkaServer, fresh_postgres: PostgresServer, tmp_path: Path
) -> None:
    lines: list[str] = []
    soaked = await soak(
        Servers(fresh_kafka, fresh_postgres), SEED, plan(SEED, SECONDS), lines.append, tmp_path / "soak"
    )
    assert not soaked.broken, "\n".join(lines)
    told_of = {one.service for one in soaked.checked if one.invariant == "told_is_in_the_log_once" and one.checked}
    assert told_of >= {"campaigns", "ledger"}


async def told(app: App, key: str) -> Told:
    """A command with its receipt, as the load keeps it."""
    stream, actor = counter.counter(), Actor("ada", "brand-1", frozenset({"brand"}))
    meta = Meta(command_id(actor.tenant, actor.id, stream, key), actor)
    receipt = await app.writer.execute(stream, counter.Add(1), meta)
    return Told(app.service.name, actor.tenant, actor.id, key, stream, receipt.version, receipt.position)


async def test_a_command_that_was_told_ok_and_is_gone_makes_the_soak_red_and_is_named(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, Settings, http_port=0)
    await run_migrations(toy.SERVICE, settings)
    app, stop = open_app(toy.SERVICE, settings), asyncio.Event()
    writing = asyncio.create_task(app.writer.run(stop))
    kept, lost = await told(app, "first"), await told(app, "second")
    lines: list[str] = []
    assert not verdict([await told_is_in_the_log(app, [kept, lost])], lines.append).broken
    events = app.metadata.tables["log_events"]
    async with app.database.transaction() as connection:
        await connection.execute(sa.delete(events).where(events.c.stream == lost.stream))
    soaked = verdict([await told_is_in_the_log(app, [kept, lost])], lines.append)
    assert len(soaked.broken) == 2
    assert all(lost.stream in one and "told_is_in_the_log_once" in one for one in soaked.broken)
    assert lines[-1].startswith("BROKEN  toys: told_is_in_the_log_once")
    stop.set()
    await writing
    await app.close()


def test_a_seed_is_a_run_and_long_ones_kill_often_enough() -> None:
    assert plan(7, 600) == plan(7, 600) != plan(8, 600)
    assert all(kills(plan(seed, 600)) >= 10 * KILLS_PER_MINUTE >= 60 for seed in range(20))
    assert [one.kind for one in plan(7, 600)].count("broker away") == 1
