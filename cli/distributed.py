"""A platform on real Apache Kafka and PostgreSQL: one child process for each service and role, ended by pid."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from cli.layout import SERVICES, Layout, Ports, Stores
from cli.platform import LocalPlatform, Name, NotReady
from tools.servers import KafkaServer, NoServer, PostgresServer, kafka, postgres
from tools.servers.places import Folder, Kept, free_port
from tools.servers.run import Process

ROLES = ("rest", "rpc", "relay", "project", "process")
STREAM: Name = ("metrics", "stream")
SANDBOX: Name = ("sandbox", "sandbox")
IDENTITY: Name = ("identity", "identity")
CONSOLE: Name = ("console", "console")
PROCESSES: tuple[Name, ...] = (SANDBOX, IDENTITY, *((service, role) for service in SERVICES for role in ROLES), STREAM)
OUTSIDE: Mapping[Name, tuple[str, str, Callable[[Layout], Mapping[str, str]]]] = {
    SANDBOX: ("SANDBOX", "sandbox", Layout.sandbox),
    IDENTITY: ("IDENTITY", "sandbox.identity", Layout.identity),
    CONSOLE: ("DANDELION_CONSOLE", "console", Layout.console),
}
"""What is no service, the world outside and the console: how its variables begin, its module, its settings."""
MIGRATE_S = 120
LOG_BYTES = 16 * 1024 * 1024
"""A log that is larger when its process starts becomes `<name>.log.1`, in place of an older one."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Servers:
    """The Kafka and PostgreSQL servers of one platform; closing them removes their data, unless they are kept in a folder."""

    kafka: KafkaServer | None
    postgres: PostgresServer | None
    kept: Path | None = None

    @classmethod
    def bring(
        cls, bus: str, db: str, say: Say, kept: Path | None = None, ports: Mapping[str, int] | None = None
    ) -> "Servers":
        """Starts new servers, so that they hold nothing of another platform; raises NoServer with every reason. Blocks.

        `kept`: they keep their data in this folder and start on what it holds, on `ports` (kafka, kafka_controller, postgres).
        """
        port = ports or {}
        at = Kept(kept / "kafka", port["kafka"], port["kafka_controller"]) if kept else None
        broker = kafka.bring(say, ours=True, kept=at) if bus == "kafka" else None
        try:
            at = Kept(kept / "postgres", port["postgres"]) if kept else None
            return cls(broker, postgres.bring(say, ours=True, kept=at) if db == "postgres" else None, kept)
        except BaseException:
            if broker:
                broker.close()
            raise

    async def stores(self, folder: Path) -> Stores:
        """A database of its own for every service, on these servers or in the folder."""
        local = Stores.embedded(folder)
        urls = dict(local.databases)
        if self.postgres is not None:
            for name in SERVICES:
                if self.kept is None or not await self.postgres.has_database(name):
                    await self.postgres.create_database(name)
                urls[name] = self.postgres.url(name)
        return Stores(urls, self.kafka.url if self.kafka else local.bus, str(self.kept) if self.kept else "")

    async def holds(self, service: str) -> bool:
        """Whether the service's database is there already."""
        if self.postgres is not None:
            return await self.postgres.has_database(service)
        return self.kept is not None and (self.kept / f"{service}.db").exists()

    def running(self) -> list[KafkaServer | PostgresServer]:
        return [server for server in (self.kafka, self.postgres) if server is not None]

    def close(self, say: Say = lambda _line: None) -> None:
        """Kept servers end in good order first, so that they start quickly again."""
        for server in self.running():
            say(f"stopping {server.name}")
            if self.kept is not None and server.runner.alive():
                with suppress(TimeoutError, NoServer):
                    server.stop()
            server.close()

    def __str__(self) -> str:
        return ", ".join(str(server) for server in self.running())


class Distributed(LocalPlatform):
    """28 processes: five roles of five services, metrics' stream, sandbox and identity provider; a console where asked for."""

    @classmethod
    def start(
        cls,
        layout: Layout,
        folder: Folder | None = None,
        ports: Mapping[str, int] | None = None,
        with_console: bool = False,
    ) -> "Distributed":
        """Migrates the databases and starts everything, with probes on these ports ("campaigns relay") or on free ones.

        Blocks while it migrates.
        """
        migrate(layout)
        logs = layout.folder / "logs"
        logs.mkdir(exist_ok=True)
        known = ports or {}
        names = (*PROCESSES, *([CONSOLE] if with_console else []))
        probes = {name: known.get(" ".join(name)) or free_port() for name in names}
        processes = {name: _process(layout, name, logs, port) for name, port in probes.items()}
        made = cls(layout, processes, folder, probes)
        for process in processes.values():
            process.start()
        return made

    def second(self, name: Name) -> Name:
        """Starts another replica of a role that has no port of its own (relay, project, process); its name. Blocks."""
        service, role = name
        other, port = (service, f"{role}-2"), free_port()
        process = _process(self.layout, name, self.layout.folder / "logs", port, "-2")
        process.start()
        self.probes[other], self.processes[other] = port, process
        return other

    def succeed(self, name: Name, other: Name) -> None:
        """Gives the second replica the name of the first, which has ended."""
        self.processes[name], self.probes[name] = self.processes.pop(other), self.probes.pop(other)


def _process(layout: Layout, name: Name, logs: Path, probe: int, suffix: str = "") -> Process:
    service, role = name
    log = logs / f"{service}-{role}{suffix}.log"
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    if name in OUTSIDE:
        prefix, module, told = OUTSIDE[name]
        outside = {f"{prefix}_{key.upper()}": value for key, value in told(layout).items()}
        outside |= {"DANDELION_CONSOLE_OPS_PORT": str(probe)} if name == CONSOLE else {}
        return Process([sys.executable, "-m", module], log, env=layout.environment(SERVICES[0]) | outside)
    environment = layout.environment(service) | {"DANDELION_OPS_PORT": str(probe)}
    return Process([sys.executable, "-m", f"services.{service}", role], log, env=environment)


def migrate(layout: Layout) -> None:
    """Makes or upgrades every database, as the role `migrate` of each service would; NotReady with what it said."""
    command = [sys.executable, "-m", "cli", "migrate", "--data", str(layout.folder)]
    process = Process(command, layout.folder / "migrate.log", env=layout.environment(SERVICES[0]))
    process.start()
    try:
        process.wait(MIGRATE_S)
    finally:
        process.close()
    if process.child is None or process.child.returncode:
        raise NotReady(f"the databases could not be migrated\n{process.log_tail()}")


async def distributed(
    servers: Servers,
    folder: Path | None = None,
    ports: Ports | None = None,
    more: Mapping[str, str] | None = None,
    probes: Mapping[str, int] | None = None,
    with_console: bool = False,
) -> Distributed:
    """A platform on these servers, with its keys and logs in the folder (None: a temporary one). Started, not ready yet.

    `more`: settings of every service that are other than usual. `probes`: ports by process ("campaigns relay"), else free ones.
    """
    temporary = None if folder else Folder("distributed")
    place = folder or (temporary.path if temporary else Path())
    stores = await servers.stores(place)
    layout = replace(Layout.at(place, ports or Ports.free(free_port), stores), more=more or {})
    layout.save(os.getpid(), "distributed")
    return await asyncio.to_thread(Distributed.start, layout, temporary, probes, with_console)
