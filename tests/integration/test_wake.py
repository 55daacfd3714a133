"""The wake-up between processes outlives whatever happens to its connection."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from kernel.adapters.disconnects import is_lost
from kernel.core.faults import Unavailable
from kernel.eventlog.postgres_log import CHANNEL
from kernel.host.app import open_app, run_migrations
from kernel.runtime.settings import Settings
from tests.kit import toy
from tests.kit.running import settings_in
from tests.kit.until import until


async def test_a_connection_lost_just_before_it_listens_is_made_again(database_url: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, Settings, database_url=database_url, http_port=0)
    await run_migrations(toy.SERVICE, settings)
    app, stop, cuts = open_app(toy.SERVICE, settings), asyncio.Event(), list[Any]()

    @sa.event.listens_for(app.database.write.sync_engine, "checkout")
    def cut_the_first(connection: Any, *_: object) -> None:
        if not cuts:
            cuts.append(connection)
            connection.driver_connection.terminate()

    woken, waking = app.log.signal.listen(), asyncio.create_task(app.log.listen(stop))

    async def heard() -> bool:
        if waking.done():
            waking.result()
        with suppress(Unavailable):  # the connection that was cut is in the pool
            async with app.database.transaction() as connection:
                await connection.execute(sa.text(f"NOTIFY {CHANNEL}"))
        return woken.is_set()

    await until(lambda: asyncio.sleep(0, bool(cuts)))
    await until(heard)
    stop.set()
    await waking
    await app.close()


@pytest.mark.parametrize(
    "kind", [asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.CannotConnectNowError]
)
def test_a_server_that_goes_away_is_a_lost_connection_however_it_says_so(kind: type[Exception]) -> None:
    assert is_lost(kind("terminating connection"))
    assert not is_lost(asyncpg.UndefinedTableError("no such table"))
