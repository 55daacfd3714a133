"""A platform on real Kafka and PostgreSQL in few processes: roles that a test starts, hurts and ends together share one."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cli.distributed import SANDBOX, STREAM, Servers, migrate
from cli.layout import SERVICES, Layout, Ports
from cli.platform import LocalPlatform, Name
from tools.servers.places import free_port
from tools.servers.run import Process

Groups = Mapping[Name, Sequence[str]]
ALL_ROLES: Groups = {(service, "all"): ("rest", "rpc", "relay", "project", "process") for service in SERVICES}
EDGES: Groups = {(service, "edge"): ("rest", "rpc") for service in SERVICES}
FOLLOWERS: Groups = {(service, "followers"): ("relay", "project", "process") for service in SERVICES}
STREAMS: Groups = {STREAM: ("stream",)}


class Together(LocalPlatform):
    """A process for each group of roles, and one for the world outside, which outlives a disaster."""

    @classmethod
    def start(cls, layout: Layout, groups: Groups) -> "Together":
        migrate(layout)
        probes = {name: free_port() for name in groups}
        made = cls(
            layout, {name: _process(layout, name, roles, probes[name]) for name, roles in groups.items()}, None, probes
        )
        outside = {f"SANDBOX_{key.upper()}": value for key, value in layout.sandbox().items()}
        env = layout.environment(SERVICES[0]) | outside
        made.processes[SANDBOX] = Process([sys.executable, "-m", "sandbox"], layout.folder / "sandbox.log", env=env)
        for process in made.processes.values():
            process.start()
        return made

    def services(self) -> list[Name]:
        return [name for name in self.processes if name != SANDBOX]

    def stop(self) -> None:
        """Every service, in good order; the world outside stays."""
        for name in self.services():
            self.processes[name].signal(signal.SIGTERM, leader_only=True)
        for name in self.services():
            self.processes[name].wait()


def _process(layout: Layout, name: Name, roles: Sequence[str], probe: int) -> Process:
    service, group = name
    command = [sys.executable, "-m", f"services.{service}", *roles]
    environment = layout.environment(service) | {"DANDELION_OPS_PORT": str(probe)}
    return Process(command, layout.folder / f"{service}-{group}.log", env=environment)


async def together(servers: Servers, folder: Path, groups: Groups) -> Together:
    """Started on these servers, with databases of its own; not ready yet."""
    layout = Layout.at(folder, Ports.free(free_port), await servers.stores(folder))
    layout.save(os.getpid(), "together")
    return await asyncio.to_thread(Together.start, layout, groups)
