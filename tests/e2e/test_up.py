"""`dandelion up` in one process: its data outlives kill -9, a taken port is named, and anchors accuse no other database."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest

from cli.layout import ROOT, Layout, Ports
from cli.local import ports
from cli.open_services import open_services
from tests.kit import forked
from tests.kit.until import until
from tools.servers.places import free_port
from tools.servers.run import Process
from tools.speed import patience

UP_S = 90.0


class Up:
    """`up` in a folder, on ports that no other test draws."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder.with_suffix(".log")
        edges = Ports.free(free_port)
        folder.mkdir(mode=0o700)
        (folder / ports.FILE).write_text(json.dumps(asdict(edges)))
        self.process: Process | None = None

    async def start(self) -> Layout:
        self.log.write_text("")
        command = [sys.executable, "-m", "cli", "up", "--data", str(self.folder)]
        self.process = process = Process(command, self.log)
        process.start()

        async def is_up() -> bool:
            assert process.alive(), self.said()
            return "development tokens" in self.said()

        await until(is_up, UP_S)
        return Layout.load(self.folder)

    def said(self) -> str:
        return self.log.read_text()

    async def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli", *words, "--data", str(self.folder)]
        return await asyncio.to_thread(forked.run, command, self.folder.parent, ROOT, patience(120))


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Up]:
    made = Up(tmp_path / "platform")
    yield made
    if made.process is not None:
        made.process.close()


async def head(layout: Layout, service: str) -> int:
    async with open_services(layout, [service]) as (app,):
        return (await app.log.head()).position


async def test_data_outlives_kill_9_and_down_and_goes_by_reset_alone(up: Up) -> None:
    layout = await up.start()
    assert (await up.run("import", str(ROOT / "cli" / "data" / "creators.csv"))).returncode == 0
    before = await head(layout, "discovery")
    assert before > 0
    assert up.process is not None
    up.process.close()
    assert (await up.start()).ports == layout.ports
    assert await head(layout, "discovery") == before
    again = await up.run("import", str(ROOT / "cli" / "data" / "creators.csv"))
    assert "0 registered" in again.stdout
    ended = await up.run("down")
    assert (ended.returncode, "the data stays" in ended.stderr) == (0, True), ended.stderr
    assert await head(layout, "discovery") == before
    assert (await up.run("reset", "--yes")).returncode == 0
    assert [path.name for path in up.folder.iterdir()] == [ports.FILE]


async def test_the_console_s_address_comes_first_and_people_sign_in_there(up: Up) -> None:
    layout = await up.start()
    address = layout.http("console")
    first = next(line for line in up.said().splitlines() if line.strip())
    assert first == f"Open {address} and sign in as anybody."
    async with httpx.AsyncClient(base_url=address) as browser:
        begun = await browser.get("/sign-in")
        asked = httpx.URL(begun.headers["location"])
        chosen = await browser.post(asked.copy_with(query=None), data={**asked.params, "person": "olga"})
        cookie = begun.headers["set-cookie"].partition(";")[0]
        back = await browser.get(chosen.headers["location"], headers={"cookie": cookie})
        assert (back.status_code, back.headers["location"]) == (303, "/"), back.text
        session = next(one for one in back.headers.get_list("set-cookie") if one.startswith("__Host-dandelion="))
        home = await browser.get("/", headers={"cookie": session.partition(";")[0]})
    assert (home.status_code, "Olga" in home.text) == (200, True)


async def test_a_port_that_another_holds_is_named_with_its_holder(up: Up) -> None:
    port = json.loads((up.folder / ports.FILE).read_text())["http"]["ledger"]
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        done = await up.run("up")
    assert done.returncode == 1
    assert f"port {port} (HTTP of ledger) is taken by pid {os.getpid()}" in done.stderr


async def test_anchors_of_a_database_that_is_gone_do_not_break_the_next_one(up: Up) -> None:
    anchors = Layout.at(up.folder).folder / "anchors" / "ledger.anchors"
    anchors.write_text(f"7 {'0' * 64} -\n")
    await up.start()
    assert "anchors of an earlier one are now in" in up.said()
    verified = await up.run("verify")
    assert verified.returncode == 0, verified.stdout
    assert verified.stdout.startswith("Verified: ")
    anchors.write_text(f"7 {'0' * 64} -\n")
    broken = await up.run("verify")
    assert broken.returncode == 1
    assert broken.stdout.startswith("NOT verified: 1 of ")
    assert "the anchor of position 7 is past the journal's end at 0" in broken.stdout
