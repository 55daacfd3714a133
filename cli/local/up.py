"""`up`: runs a platform until a signal or `down`, on the data that its folder holds."""

import argparse
import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from cli import embedded, tables
from cli.commands.demo import ready
from cli.distributed import CONSOLE, PROCESSES, Servers, distributed
from cli.layout import Layout, running
from cli.local.anchors import set_aside
from cli.local.ports import KeptPorts, demand_free, kept_ports
from cli.local.supervisor import FILE, Supervisor, Watched
from cli.platform import LocalPlatform, NotReady
from cli.story.tell import COLUMNS
from console.assets import can_serve
from kernel.runtime import roles
from tools.servers import NoServer
from tools.servers.run import Process

ALL_HERE, ALL_APART = ("local", "sqlite"), ("kafka", "postgres")


@dataclass(frozen=True, slots=True)
class Asked:
    """What `up` was asked for: kinds of bus and database, the platform's folder, its ports, and who hears about it."""

    kinds: tuple[str, str]
    folder: Path
    ports: KeptPorts
    console: Console

    def say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def kept(self) -> Path:
        """Data of each kind of bus and database lies apart: the positions of one are nothing to the other."""
        folder = self.folder / "-".join(self.kinds)
        folder.mkdir(exist_ok=True)
        return folder


def up(given: argparse.Namespace) -> int:
    """Everything in this process, or on Kafka and PostgreSQL a process for each service and role; until a signal.

    Raises Refused `ports.taken` when another process listens on a port of this platform.
    """
    if (pid := running(given.data)) is not None:
        Console(stderr=True).print(f"a platform runs in {given.data} already (pid {pid}); `down` ends it")
        return 1
    folder = Layout.at(given.data).folder
    (folder / FILE).unlink(missing_ok=True)
    ports = kept_ports(folder, [" ".join(name) for name in (*PROCESSES, CONSOLE)])
    asked = Asked((given.bus, given.db), folder, ports, Console(stderr=True))
    if asked.kinds == ALL_HERE:
        demand_free(folder, KeptPorts(ports.edges).named())
        if not (folder / "ledger.db").exists():
            set_aside(folder / "anchors", asked.say)
        layout = Layout.at(folder, ports.edges)
        layout.save(os.getpid(), "embedded")
        roles.main(_serve_here(layout))
    demand_free(folder, ports.named())
    return asyncio.run(_up_on_servers(asked))


async def _serve_here(layout: Layout) -> int:
    try:
        return await embedded.serve(layout, lambda: tables.where(layout, tables.wide()), can_serve())
    except OSError as taken:
        Console(stderr=True).print(f"a port of {layout.ports} cannot be had: {taken}", style="red", markup=False)
        return 1


async def _up_on_servers(asked: Asked) -> int:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        servers = await asyncio.to_thread(Servers.bring, *asked.kinds, asked.say, asked.kept(), asked.ports.servers)
        try:
            return await _serve(servers, asked, stopping)
        finally:
            await asyncio.to_thread(servers.close, asked.say)
    except (NoServer, NotReady) as problem:
        asked.console.print(str(problem), style="red", markup=False)
        return 1


async def _serve(servers: Servers, asked: Asked, stopping: asyncio.Event) -> int:
    if not await servers.holds("ledger"):
        set_aside(asked.kept() / "anchors", asked.say)
    if asked.kinds != ALL_APART:
        return await _beside(servers, asked)
    platform = await distributed(
        servers, asked.folder, asked.ports.edges, probes=asked.ports.probes, with_console=can_serve()
    )
    try:
        with Progress(*COLUMNS, console=asked.console) as progress:
            await ready(platform, progress)
        tables.where(platform.layout, tables.wide())
        await Supervisor(asked.folder, [*_servers(servers), *_processes(platform)], asked.say).run(stopping)
    finally:
        await asyncio.to_thread(platform.close, asked.say)
    return 0


async def _beside(servers: Servers, asked: Asked) -> int:
    """All services in this process, on one server that is kept alive."""
    layout = Layout.at(asked.folder, asked.ports.edges, await servers.stores(asked.kept()))
    layout.save(os.getpid(), "embedded")
    await embedded.make_topics(layout)
    ended = asyncio.Event()
    watching = asyncio.create_task(Supervisor(asked.folder, list(_servers(servers)), asked.say).run(ended))
    try:
        return await _serve_here(layout)
    finally:
        ended.set()
        await watching


def _servers(servers: Servers) -> Iterator[Watched]:
    for server in servers.running():
        log = str(server.runner.log) if isinstance(server.runner, Process) else ""
        yield Watched(server.name, server.runner, server.start, log)


def _processes(platform: LocalPlatform) -> Iterator[Watched]:
    for name, process in platform.processes.items():
        yield Watched(" ".join(name), process, process.start, str(process.log), platform.probes[name])
