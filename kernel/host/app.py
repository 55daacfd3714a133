"""Service declares a service, and App is the running service made of a declaration. Form of the files: docs/add-a-service.md."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kernel.adapters.bus import PARTITIONS, Bus
from kernel.adapters.opening import open_bus, open_database
from kernel.adapters.vault.event_vault import vault_of
from kernel.adapters.vault.personal import Personal
from kernel.core.check import CheckResult
from kernel.core.codec import Codec
from kernel.core.decider import Decider, InlineTable
from kernel.core.faults import Invalid
from kernel.eventlog.backpressure import Backpressure
from kernel.eventlog.commands import DeciderRegistry
from kernel.eventlog.opening import open_log
from kernel.eventlog.writer import Writer
from kernel.host import migrate
from kernel.host.gauges import DatabaseMetrics, Gauges
from kernel.processors import generations
from kernel.processors.command_consumer import PREPARED_BATCH, CommandConsumer, DecodeCommand, Prepare
from kernel.processors.processes import PROCESS_BATCH, Effect, Process, ProcessRunner
from kernel.processors.projector import Projection, Projector, Superseded, consumer_name
from kernel.processors.reactor import Reactor
from kernel.processors.read_your_writes import WAIT_LIMIT_S, Waiters
from kernel.processors.scheduler import DeadlineScheduler
from kernel.runtime.admin import operations
from kernel.runtime.health import Health, watch_loop
from kernel.runtime.roles import RELAY, WRITER, Role
from kernel.runtime.settings import Settings
from kernel.runtime.tls.material import EdgeTls
from kernel.runtime.wakeup import Wakeup
from kernel.streams.consumer import Consumer
from kernel.streams.records import OWN_LOG, Decode, Handle, Topic
from kernel.streams.relay import Publish, Relay
from kernel.streams.tail import LogTail
from kernel.verify.invariants import InvariantMonitor

if TYPE_CHECKING:
    from fastapi import FastAPI

    from kernel.edge.admission import Admission
    from kernel.edge.grpc import RpcService
    from kernel.edge.page_tokens import PageTokens

logger = logging.getLogger(__name__)

ROLES = ("rest", "rpc", "relay", "project", "process", "stream")


@dataclass(frozen=True)
class Service:
    """Declaration of a service. `http` and `queries` make its edges from an open App; `stream` is optional.

    These three import FastAPI, gRPC or Faust when they are called, so that other roles do not load them.
    """

    name: str
    metadata: Callable[[], sa.MetaData]
    migrations: Path
    codec: Codec
    deciders: Sequence[Decider[Any, Any, Any]]
    publish: Publish
    http: Callable[["App"], Any]
    queries: Callable[["App"], "Sequence[RpcService]"] = lambda _app: ()
    """The query services, which both edges serve: over gRPC, and over HTTP beside the commands of `http`."""
    inlines: Sequence[InlineTable[Any]] = ()
    projections: Sequence[Projection] = ()
    processes: Sequence[Process] = ()
    effects: Callable[["App"], Sequence[Effect]] = lambda _app: ()
    invariants: Sequence[Callable[["App"], Awaitable[Sequence[CheckResult]]]] = ()
    """The service's own invariants over its tables. kernel.verify.invariants calls each; one call may give many results."""
    gauges: Sequence[Gauges] = ()
    """The service's own counts over its tables, set as gauges beside those of DatabaseMetrics."""
    decode: Decode | None = None
    decode_command: DecodeCommand | None = None
    prepare: Prepare | None = None
    """Costly work on a command from the topic, off the event loop and before the writer."""
    stream: Callable[["App"], Role] | None = None
    own_topics: Mapping[str, int] = field(default_factory=dict)
    """Topics beside `<name>.events.v1` and `<name>.commands.v1`, with their partition counts."""
    settings: type[Settings] = Settings
    """Class of the settings that open_app takes."""

    def topics(self) -> dict[str, int]:
        """All topics this service reads or writes."""
        sources = [one.topics for one in self.projections] + [one.topics for one in self.processes]
        read = {topic.name: PARTITIONS for topics in sources for topic in topics}
        return {f"{self.name}.events.v1": PARTITIONS, f"{self.name}.commands.v1": PARTITIONS, **read, **self.own_topics}


class App:
    """An open service: its database, bus, log and writer, and the roles that serve them."""

    def __init__(self, service: Service, settings: Settings, bus: Bus) -> None:
        self.service, self.settings, self.bus = service, settings, bus
        self.metadata = service.metadata()
        self.database = open_database(settings, self.metadata, f"{service.name}_writer")
        self.log = open_log(self.database, vault=vault_of(self.database, service.codec, settings))
        self.tail = LogTail(self.log, service.name, service.codec)
        self.deciders = DeciderRegistry(service.codec, service.deciders, service.inlines, PARTITIONS)
        self.backpressure = Backpressure(self.log, settings.relay_lag_limit_events, settings.relay_lag_limit_s)
        self.writer = Writer(service.name, self.log, self.deciders, self.backpressure.check)
        self.progress = Wakeup()
        """Notified after every batch that a projector of this process committed."""
        self.waiters = Waiters(self.database, service.name, self.progress, self._head)
        self.health = Health()
        self.fingerprint_key = settings.fingerprint_key_file.read_bytes()
        self.health.add("database", self._check_database)

    @cached_property
    def admission(self) -> "Admission":
        """Admission of both edges, imported at its first use: only edges need its libraries, which are slow to import."""
        from kernel.host.edges import admission_of

        return admission_of(self.settings)

    @cached_property
    def tls(self) -> EdgeTls | None:
        """TLS of the edges, None for plaintext; raises Invalid `edge.in_plaintext` and Internal `tls.unreadable`."""
        files = self.settings.edge_files()
        return None if files is None else EdgeTls(files)

    @cached_property
    def page_tokens(self) -> "PageTokens":
        """Page tokens of the service's lists, imported at their first use like the verifier."""
        from kernel.edge.page_tokens import PageTokens, page_keys

        return PageTokens(page_keys(self.settings.page_keys_file, self.fingerprint_key))

    @cached_property
    def queries(self) -> "Sequence[RpcService]":
        """The query services of this process, one of each for both edges."""
        return tuple(self.service.queries(self))

    def api(self) -> "FastAPI":
        """The whole HTTP API: the commands, and the queries as JSON."""
        from kernel.host.edges import whole_api

        return whole_api(self.service.http(self), self.queries)

    @cached_property
    def personal(self) -> Personal:
        """Personal tables of the service under the mounted master keys, which are read at the first use."""
        assert self.log.vault is not None, f"{self.service.name} keeps no personal data"
        return self.log.vault.personal()

    async def _check_database(self) -> None:
        await migrate.check_revision(self.database, self.service.migrations)

    async def at_least(self, token: str, projection: str, limit_s: float = WAIT_LIMIT_S) -> None:
        """Read-your-writes: waits until `projection` has applied the receipt's event; returns at once for an empty token."""
        if token:
            found = next((one for one in self.service.projections if one.name == projection), None)
            if found is None:
                raise Invalid("projection.unknown", projection=projection)
            generation = await generations.live_generation(self.database, found)
            sources = {topic.name for topic in found.topics} | ({OWN_LOG} if found.own else set())
            await self.waiters.wait(
                token, consumer_name(projection, generation), sources, self.admission.hold_wait, limit_s
            )

    async def _head(self) -> int:
        return (await self.log.head()).position

    async def roles(self, names: Sequence[str]) -> list[Role]:
        """The roles for kernel.runtime.roles.run(): the named ones, and those they need (writer, wake-up, watchdog)."""
        unknown = set(names) - set(ROLES)
        if unknown:
            raise Invalid("role.unknown", role=", ".join(sorted(unknown)), known=", ".join(ROLES))
        await migrate.check_revision(self.database, self.service.migrations)
        await self.bus.ensure_topics(self.service.topics())
        made = [Role("wake", self.log.listen, RELAY), Role("loop", watch_loop, RELAY)]
        if {"rest", "process"} & set(names):
            made.append(Role("writer", self.writer.run, WRITER, 10))
            made.append(Role("backpressure", self.backpressure.run, WRITER))
        makers: dict[str, Callable[[], Any]] = {
            "rest": self._rest, "rpc": self._rpc, "relay": self._relay, "project": self._project,
            "process": self._process, "stream": self._stream,
        }  # fmt: skip
        for name in names:
            made += await makers[name]()
        if {"rest", "rpc"} & set(names):
            from kernel.host.edges import beside

            made += await beside(self.database, self.settings, self.admission, self.queries)
        if self.settings.ops_port is not None:
            made.append(operations(self.health, self.settings.host, self.settings.ops_port))
        return made

    async def _rest(self) -> list[Role]:
        from kernel.host.edges import http_role

        return [http_role(self.api(), self.settings, self.tls)]

    async def _rpc(self) -> list[Role]:
        from kernel.host.edges import rpc_role

        return [rpc_role(self.queries, self.admission, self.settings, self.health, self.tls)]

    async def _relay(self) -> list[Role]:
        relay = Relay(
            self.service.name, self.log, self.bus, self.service.codec, self.service.publish, PARTITIONS,
            self.health.watchdog, self.tail,
        )  # fmt: skip
        return [Role("relay", relay.run, RELAY), Role("gauges", self._gauges().run, RELAY)]

    def _gauges(self) -> DatabaseMetrics:
        processes = [*[one.name for one in self.service.processes], "commands"]
        clock = "deadlines" in self.deciders.inlines
        return DatabaseMetrics(
            self.service.name, self.database, self.log, processes, clock, InvariantMonitor(self).run_once,
            self.service.gauges,
        )  # fmt: skip

    async def _project(self) -> list[Role]:
        return [Role(f"project {one.name}", await self._projecting(one)) for one in self.service.projections]

    async def _projecting(self, projection: Projection) -> Callable[[asyncio.Event], Awaitable[None]]:
        """Projects into the live generation, and goes on with the new one when a rebuild has replaced it."""
        await generations.live_generation(self.database, projection)

        async def serve(stop: asyncio.Event) -> None:
            while not stop.is_set():
                generation = await generations.live_generation(self.database, projection)
                projector = Projector(projection, generation, self.database, self.progress)
                consumer = self.consumer(
                    projector.consumer, projector.handle, projection.own, projection.topics,
                    batch=projection.batch_records, group=projection.name,
                )  # fmt: skip
                try:
                    await consumer.run(stop)
                except* Superseded:
                    logger.info(
                        "projector restarted: a rebuild replaced its generation", extra={"projection": projection.name}
                    )

        return serve

    async def _process(self) -> list[Role]:
        service, roles = self.service, []
        for process in service.processes:
            runner = ProcessRunner(process, self.database, self.writer)
            consumer = self.consumer(process.name, runner.handle, process.own, process.topics, batch=PROCESS_BATCH)
            roles.append(Role(f"process {process.name}", consumer.run))
        for effect in service.effects(self):
            reactor = Reactor(effect, self.database)
            consumer = self.consumer(effect.name, reactor.handle, True, (), batch=PROCESS_BATCH)
            roles.append(Role(f"effect {effect.name}", consumer.run))
            roles.append(Role(f"retries of {effect.name}", partial(reactor.run_retries, consumer.redecode)))
        if service.decode_command is not None:
            commands = CommandConsumer("commands", self.database, self.writer, service.prepare)
            topic = Topic(f"{service.name}.commands.v1", chained=False)
            batch = PREPARED_BATCH if service.prepare else PROCESS_BATCH
            consumer = self.consumer("commands", commands.handle, False, [topic], service.decode_command, batch)
            roles.append(Role("commands", consumer.run))
        if "deadlines" in self.deciders.inlines:
            scheduler = DeadlineScheduler(self.database, self.log, self.writer, service.codec)
            roles.append(Role("clock", scheduler.run))
        return roles

    async def _stream(self) -> list[Role]:
        if self.service.stream is None:
            raise Invalid("role.none_here", role="stream", service=self.service.name)
        return [self.service.stream(self)]

    def consumer(
        self, name: str, handle: Handle, own: bool, topics: Sequence[Topic],
        decode: Decode | None = None, batch: int = 5_000, group: str = "",
    ) -> Consumer:  # fmt: skip
        """A consumer over this service's log and the given topics."""
        return Consumer(
            name, self.database, handle, log=self.log if own else None, codec=self.service.codec,
            service=self.service.name, bus=self.bus, topics=topics, decode=decode or self.service.decode,
            batch_records=batch, watchdog=self.health.watchdog, group=group, tail=self.tail if own else None,
        )  # fmt: skip

    async def close(self) -> None:
        await self.database.close()


def open_app(service: Service, settings: Settings, bus: Bus | None = None) -> App:
    """Makes an App without connecting: pools and producers connect when a role starts. Pass `bus` to share an embedded one."""
    return App(service, settings, bus or open_bus(settings.bus_url))


async def run_migrations(service: Service, settings: Settings) -> None:
    """Role `migrate`: migrates as the database's owner, not as `<service>_writer`."""
    database = open_database(settings, service.metadata())
    try:
        await migrate.migrate(service.name, database, service.migrations, service.projections)
    finally:
        await database.close()
