"""`up` on Kafka and PostgreSQL keeps its data: kill -9 of a service, of the broker, of the database and of `up` itself loses
nothing, and whatever was killed is started again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from cli.distributed import PROCESSES
from cli.layout import ROOT, Layout, Ports
from cli.local.ports import FILE
from cli.local.processes import alive, known
from cli.open_services import open_services
from console.assets import can_serve
from kernel.verify.invariants import broken
from soak import ending
from tests.kit import forked
from tests.kit.until import until
from tests.kit.working import LIMIT_S, campaigns, work_goes_on, working
from tools.servers import KafkaServer, PostgresServer
from tools.servers.places import free_port
from tools.servers.run import Process
from tools.speed import patience

UP_S, AGAIN_S = 180.0, 120.0
ON_SERVERS = ("--bus", "kafka", "--db", "postgres")
KILLED = ("campaigns rest", "ledger project", "Apache Kafka", "PostgreSQL", "metrics stream")


class Up:
    """`dandelion up` in a folder, as a person starts it; on ports that no other test draws."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder.with_suffix(".log")
        self._started: Process | None = None
        layout = Layout.at(folder, Ports.free(free_port))
        (folder / FILE).write_text(json.dumps({**asdict(layout.ports), "probes": {}, "servers": {}}))

    async def start(self) -> Layout:
        """Until it prints where it is; on what an earlier start left."""
        self.log.write_text("")
        command = [sys.executable, "-m", "cli", "up", *ON_SERVERS, "--data", str(self.folder)]
        self._started = Process(command, self.log, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'contracts'}"})
        self._started.start()
        await until(self._is_up, UP_S)
        return Layout.load(self.folder)

    async def _is_up(self) -> bool:
        assert self._started is not None
        assert self._started.alive(), self.said()
        return "development tokens" in self.said() and len(known(self.folder)) == len(PROCESSES) + 2 + can_serve()

    def said(self) -> str:
        return self.log.read_text()

    def row(self, name: str) -> dict[str, Any]:
        return next(row for row in known(self.folder) if row["name"] == name)

    async def kill(self, name: str) -> None:
        """kill -9 by the pid that `ps` shows, then until it is said to run again under another one."""
        before = self.row(name)
        os.kill(before["pid"], signal.SIGKILL)

        async def again() -> bool:
            now = self.row(name)
            return now["restarts"] > before["restarts"] and now["pid"] != before["pid"] and alive(now)

        await until(again, AGAIN_S)
        assert f"{name} was ended by SIGKILL; it starts again in 1 s" in self.said()

    async def kill_itself(self) -> None:
        """kill -9 of `up`: everything that it started ends with it."""
        assert self._started is not None
        rows = known(self.folder)
        self._started.signal(signal.SIGKILL, leader_only=True)
        self._started.wait()

        async def all_ended() -> bool:
            return not any(alive(row) for row in rows)

        await until(all_ended)

    def close(self) -> None:
        if self._started is not None:
            self._started.close()


async def dandelion(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli", *words, "--data", str(folder)]
    return await asyncio.to_thread(forked.run, command, folder.parent, ROOT, patience(180))


async def rows(layout: Layout) -> dict[str, int]:
    """How many events each service's log holds."""
    async with open_services(layout) as apps:
        return {app.service.name: (await app.log.head()).position for app in apps}


@pytest.fixture
async def up(kafka_server: KafkaServer, postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[Up]:
    """The fixtures tell that Kafka and PostgreSQL can be had here; `up` brings its own."""
    made = Up(tmp_path / "platform")
    yield made
    made.close()
    await dandelion(made.folder, "reset", "--yes")


async def test_kill_9_of_any_process_loses_nothing_and_a_new_start_goes_on_with_the_data(up: Up) -> None:
    layout = await up.start()
    async with working(layout, seed=1) as load:
        await campaigns(load, 1)
        for name in KILLED:
            await up.kill(name)
            await campaigns(load, 1)
        await load.finish(LIMIT_S)
        async with open_services(layout) as apps:
            await ending.quiet(apps)
            await load.heard.all_of_now()
            assert broken(await ending.check_all(apps, load)) == []
    before = await rows(layout)
    assert min(before.values()) > 0
    await up.kill_itself()
    assert (await up.start()).ports == layout.ports
    after = await rows(layout)
    assert {name: after[name] >= count for name, count in before.items()} == dict.fromkeys(before, True)
    async with open_services(layout) as apps:
        await work_goes_on(layout, apps, seed=2)
    listed = await dandelion(up.folder, "ps")
    assert "campaigns relay" in listed.stdout
    restarted = await dandelion(up.folder, "restart", "campaigns", "relay")
    assert (restarted.returncode, "campaigns relay runs again" in restarted.stdout) == (0, True), restarted.stderr
    assert (await dandelion(up.folder, "reset", "--yes")).returncode == 1, "it runs"
    ended = await dandelion(up.folder, "down")
    assert (ended.returncode, "the data stays" in ended.stderr) == (0, True), ended.stderr
    assert (await dandelion(up.folder, "reset", "--yes")).returncode == 0
    assert [path.name for path in up.folder.iterdir()] == [FILE]
