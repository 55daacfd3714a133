"""`up`: runs a platform until a signal or `down`."""

import argparse
import asyncio
import os
import signal
from dataclasses import replace

from rich.console import Console
from rich.progress import Progress

from cli import embedded, tables
from cli.commands.demo import ready, until_stopped
from cli.distributed import Servers, distributed
from cli.layout import Layout, Ports, running
from cli.platform import NotReady
from cli.story.tell import COLUMNS
from kernel.runtime import roles
from tools.servers import NoServer


def up(given: argparse.Namespace) -> int:
    """Everything in this process, or on Kafka and PostgreSQL a process for each service and role; until a signal."""
    if (pid := running(given.data)) is not None:
        Console(stderr=True).print(f"a platform runs in {given.data} already (pid {pid}); `down` ends it")
        return 1
    if (given.bus, given.db) == ("local", "sqlite"):
        layout = Layout.at(given.data)
        layout.save(os.getpid(), "embedded")
        roles.main(_serve_here(layout))
    return asyncio.run(_up_on_servers(given))


async def _serve_here(layout: Layout) -> int:
    try:
        return await embedded.serve(layout, lambda: tables.where(layout, tables.wide()))
    except OSError as taken:
        Console(stderr=True).print(f"a port of {layout.ports} cannot be had: {taken}", style="red", markup=False)
        return 1


async def _up_on_servers(given: argparse.Namespace) -> int:
    console = Console(stderr=True)
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        servers = await asyncio.to_thread(Servers.bring, given.bus, given.db, console.print)
        try:
            await _serve(servers, given, stopping, console)
        finally:
            await asyncio.to_thread(servers.close)
    except (NoServer, NotReady) as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    return 0


async def _serve(servers: Servers, given: argparse.Namespace, stopping: asyncio.Event, console: Console) -> None:
    """The servers' data is as new as they are, so read models and keys of an earlier run are none of theirs."""
    if (given.bus, given.db) != ("kafka", "postgres"):
        layout = replace(Layout.at(given.data), stores=await servers.stores(given.data.resolve()))
        layout.save(os.getpid(), "embedded")
        await embedded.make_topics(layout)
        await _serve_here(layout)
        return
    with await distributed(servers, given.data, Ports()) as platform:
        platform.layout.save(os.getpid(), "distributed")
        with Progress(*COLUMNS, console=console) as progress:
            await ready(platform, progress)
        tables.where(platform.layout, tables.wide())
        await until_stopped(platform, stopping)
