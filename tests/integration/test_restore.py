"""The restore drill of docs/operate.md: a backup under load, everything of the database lost, an older moment restored.

What the topics hold of after that moment stands in no log any more; `after-restore` makes them follow, and work goes on.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from cli.distributed import Servers
from cli.layout import ROOT, Layout
from cli.open_services import open_services
from kernel.adapters.leases import TTL_S
from kernel.host.app import App
from kernel.verify.invariants import broken, check_service
from soak import ending
from tests.kit import forked
from tests.kit.together import ALL_ROLES, Together, together
from tests.kit.until import until
from tests.kit.working import campaigns, work_goes_on, working
from tools.servers import KafkaServer, PostgresServer
from tools.servers.install import postgres_binaries
from tools.speed import patience

COPY_S = 60


@dataclass
class Backup:
    """A base backup of the whole server: all five databases at one moment, taken while they are written to."""

    server: PostgresServer
    folder: Path

    def take(self) -> None:
        told = self.server.base.removesuffix("/")
        command: list[str] = [
            str(postgres_binaries(None) / "pg_basebackup"),
            "-D",
            str(self.folder),
            "-c",
            "fast",
            "-X",
            "stream",
            "-d",
            told,
        ]
        subprocess.run(command, check=True, timeout=patience(COPY_S), capture_output=True)

    def restore(self) -> None:
        """After the server's own data is gone."""
        data = self.server.data
        assert data is not None
        self.server.stop("immediate")
        shutil.rmtree(data)
        shutil.copytree(self.folder, data)
        owner = "postgres" if os.geteuid() == 0 else None
        if owner:
            for path in (data, *data.rglob("*")):
                shutil.chown(path, owner)
        self.server.start()


async def heads(apps: list[App]) -> dict[str, int]:
    return {app.service.name: (await app.log.head()).position for app in apps}


async def have_gone_on(apps: list[App], kept: Mapping[str, int]) -> bool:
    """Every service has decided something since, while campaigns go on: the one that ends next may have been with all of them
    before. Discovery has nothing to decide of a campaign."""
    return all(head > kept[name] for name, head in (await heads(apps)).items() if name != "discovery")


async def hold_leases(app: App) -> None:
    """As they stand in a backup that is restored within seconds: not over yet, and nobody renews them."""
    leases, until = app.metadata.tables["leases"], await app.log.now() + timedelta(seconds=TTL_S / 2)
    async with app.database.transaction() as connection:
        held = await connection.execute(sa.update(leases).values(until=until))
    assert held.rowcount


async def dandelion(layout: Layout, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli", *words, "--data", str(layout.folder)]
    return await asyncio.to_thread(forked.run, command, layout.folder, ROOT, patience(180))


@pytest.fixture
async def platform(fresh_kafka: KafkaServer, fresh_postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Together]:
    if fresh_postgres.data is None:
        pytest.skip("PostgreSQL is a container here: tests/deploy/test_docker.py has its drill")
    with await together(Servers(fresh_kafka, fresh_postgres), tmp_path, ALL_ROLES) as running:
        await running.wait()
        yield running


async def test_after_a_restore_to_an_earlier_moment_all_is_whole_and_work_goes_on(
    platform: Together, fresh_postgres: PostgresServer, tmp_path: Path
) -> None:
    backup = Backup(fresh_postgres, tmp_path / "backup")
    async with working(platform.layout, seed=1) as load:
        await campaigns(load, 1)
        await asyncio.to_thread(backup.take)
        async with open_services(platform.layout) as apps:
            kept = await heads(apps)
            await campaigns(load, 1)
            await until(partial(have_gone_on, apps, kept), 120)
    refused = await dandelion(platform.layout, "after-restore")
    assert (refused.returncode, "ledger runs: stop all services first" in refused.stderr) == (2, True), refused.stderr
    await asyncio.to_thread(platform.stop)
    await asyncio.to_thread(backup.restore)
    async with open_services(platform.layout) as apps:
        assert all(head <= kept[name] for name, head in (await heads(apps)).items())
        await hold_leases(apps[0])
    done = await dandelion(platform.layout, "after-restore")
    assert done.returncode == 0, done.stderr
    for name in platform.services():
        platform.restart(name)
    await platform.wait()
    async with open_services(platform.layout) as apps:
        await ending.quiet(apps)
        assert broken([one for app in apps for one in await check_service(app)]) == []
        await work_goes_on(platform.layout, apps, seed=2)
    verified = await dandelion(platform.layout, "verify", "--deep")
    assert verified.returncode == 0, verified.stdout
