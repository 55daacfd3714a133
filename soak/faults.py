"""The faults, done: each is one line of the report, with whom it hit and how long it took until all was back."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from cli.distributed import Servers
from cli.open_services import open_services
from cli.platform import Name
from kernel.core.faults import Fault
from kernel.eventlog.backpressure import Lag, relay_lag
from soak.cluster import Broken, Cluster, rss_bytes
from soak.load import Caller, since
from soak.plan import Planned
from tools.servers import NoServer
from tools.servers.run import until
from tools.servers.server import Server
from tools.speed import patience

AT_ONCE = 3
"""Faults under way at a time; one that is due waits."""
TERM_S = 25.0
ZOMBIE_LIVES_S = 2.0
SAMPLE_EVERY_S = 2.0
CATCH_UP_S = 120.0
CAUGHT_UP = Lag(50, 2.0)
"""Under load a relay is always a moment behind."""
KAFKA, POSTGRES = "kafka", "postgres"
Say = Callable[[str], None]
Doing = Callable[[Planned], Coroutine[Any, Any, str]]
MIB = 1024 * 1024


class Faults:
    """Does what was planned when it is due; counts kills of processes and other faults."""

    def __init__(self, servers: Servers, cluster: Cluster, caller: Caller, say: Say) -> None:
        assert servers.kafka is not None
        assert servers.postgres is not None
        self._kafka, self._postgres = servers.kafka, servers.postgres
        self._cluster, self._caller, self._say = cluster, caller, say
        self.kills, self.others = 0, Counter[str]()
        self._doing: dict[str, Doing] = {
            "kill": self._kill,
            "term": self._term,
            "zombie": self._zombie,
            "freeze": self._freeze,
            "broker kill": self._broker_kill,
            "broker freeze": self._broker_freeze,
            "broker away": self._broker_away,
            "postgres stop": self._postgres_stop,
            "sessions end": self._sessions_end,
        }

    async def run(self, planned: Sequence[Planned], started: float) -> None:
        """Until the last is over and everything is back; raises Broken. The long absence of the broker comes alone."""
        slots = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            under_way: set[asyncio.Task[None]] = set()
            for one in planned:
                await asyncio.sleep(max(0.0, started + one.at_s - time.monotonic()))
                if one.kind == "broker away":
                    await asyncio.gather(*under_way)
                    await self._one(one, started)
                    continue
                await slots.acquire()
                task = group.create_task(self._one(one, started))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                task.add_done_callback(lambda _: slots.release())

    async def _one(self, planned: Planned, started: float) -> None:
        begun, at = time.monotonic(), since(started)
        outcome = await self._doing[planned.kind](planned)
        whom = ", ".join(" ".join(name) for name in planned.targets)
        self._say(f"{at}  {planned.kind:<13}  {whom:<34}  {outcome}back after {time.monotonic() - begun:.1f} s")

    async def _kill(self, planned: Planned) -> str:
        async with self._cluster.holding(*planned.targets):
            for name in planned.targets:
                await asyncio.to_thread(self._cluster.platform.kill, name)
                self.kills += 1
            await self._cluster.start(planned.targets)
            await self._cluster.back(planned.targets)
        return ""

    async def _term(self, planned: Planned) -> str:
        """A restart as a rollout makes it: the process drains and leaves with 0."""
        (name,) = planned.targets
        self.others["SIGTERM"] += 1
        async with self._cluster.holding(name):
            code = await self._ended_by_term(name)
            await self._cluster.start([name])
            await self._cluster.back([name])
        return f"left with {code}, "

    async def _ended_by_term(self, name: Name) -> int | None:
        process = self._cluster.platform.processes[name]
        process.signal(signal.SIGTERM, leader_only=True)
        try:
            await asyncio.to_thread(process.wait, TERM_S)
        except TimeoutError as late:
            raise Broken(f"SIGTERM ends a process in {TERM_S:.0f} s: {' '.join(name)}\n{process.log_tail()}") from late
        code = process.child.returncode if process.child else None
        if code != 0:
            raise Broken(f"SIGTERM ends a process with 0: {' '.join(name)} left with {code}\n{process.log_tail()}")
        return code

    async def _freeze(self, planned: Planned) -> str:
        (name,) = planned.targets
        self.others["freeze"] += 1
        async with self._cluster.holding(name):
            process = self._cluster.platform.processes[name]
            process.signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(planned.pause_s)
            finally:
                process.signal(signal.SIGCONT)
            await self._cluster.back([name])
        return f"for {planned.pause_s:.1f} s, "

    async def _zombie(self, planned: Planned) -> str:
        """Frozen past its leases while a second replica takes over; both live for a moment, then one is ended."""
        (name,) = planned.targets
        platform = self._cluster.platform
        self.others["zombie"] += 1
        async with self._cluster.holding(name):
            first = platform.processes[name]
            first.signal(signal.SIGSTOP)
            try:
                other = await self._cluster.second(name)
                frozen_until = time.monotonic() + planned.pause_s
                await self._cluster.back([other])
                await asyncio.sleep(max(0.0, frozen_until - time.monotonic()))
            finally:
                first.signal(signal.SIGCONT)
            await asyncio.sleep(ZOMBIE_LIVES_S)
            if planned.first_ends:
                await asyncio.to_thread(platform.kill, name)
                self.kills += 1
                platform.succeed(name, other)
            else:
                await self._ended_by_term(other)
                del platform.processes[other], platform.probes[other]
            await self._cluster.back([name])
        return f"for {planned.pause_s:.1f} s, {'the first' if planned.first_ends else 'the second'} ended, "

    async def _broker_kill(self, planned: Planned) -> str:
        self.others["broker kill -9"] += 1
        async with self._cluster.holding(KAFKA), self._cluster.disturbing():
            await asyncio.to_thread(self._kafka.kill)
            await asyncio.sleep(planned.pause_s)
            await _started(self._kafka)
        return ""

    async def _broker_freeze(self, planned: Planned) -> str:
        self.others["broker freeze"] += 1
        async with self._cluster.holding(KAFKA), self._cluster.disturbing():
            await asyncio.to_thread(self._kafka.freeze)
            await asyncio.sleep(planned.pause_s)
            await asyncio.to_thread(self._kafka.thaw)
        return f"for {planned.pause_s:.1f} s, "

    async def _postgres_stop(self, planned: Planned) -> str:
        self.others["postgres stop -m immediate"] += 1
        async with self._cluster.holding(POSTGRES), self._cluster.disturbing():
            await asyncio.to_thread(self._postgres.stop, "immediate")
            await asyncio.sleep(planned.pause_s)
            await _started(self._postgres)
        return ""

    async def _sessions_end(self, planned: Planned) -> str:
        ((database, _),) = planned.targets
        self.others["database sessions ended"] += 1
        async with self._cluster.holding(POSTGRES), self._cluster.disturbing():
            ended = await self._postgres.end_sessions(database)
        return f"{ended} sessions, "

    async def _broker_away(self, planned: Planned) -> str:
        """Long enough for commands to be refused; nothing may grow, and all is caught up afterwards."""
        self.others["broker away"] += 1
        refused = self._caller.turned_away
        before = rss_bytes(self._cluster)
        async with self._cluster.holding(KAFKA), self._cluster.disturbing():
            await asyncio.to_thread(self._kafka.kill)
            during = await self._sampled(planned.pause_s)
            await _started(self._kafka)
        begun = time.monotonic()
        await self._caught_up()
        took_s = time.monotonic() - begun
        refused = self._caller.turned_away - refused
        if not refused:
            raise Broken("commands are refused while the relay is far behind: no 503 with Retry-After was seen")
        growth = _growth(before, during, rss_bytes(self._cluster))
        return f"for {planned.pause_s:.0f} s, {refused} commands refused (503), relays caught up in {took_s:.1f} s, {growth}, "

    async def _sampled(self, seconds: float) -> dict[Name, int]:
        """The most memory of every process meanwhile."""
        most: dict[Name, int] = {}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for name, found in rss_bytes(self._cluster).items():
                most[name] = max(found, most.get(name, 0))
            await asyncio.sleep(SAMPLE_EVERY_S)
        return most

    async def _caught_up(self) -> None:
        behind: dict[str, Lag] = {}
        with suppress(TimeoutError):
            async with open_services(self._cluster.platform.layout) as apps, asyncio.timeout(patience(CATCH_UP_S)):
                while True:
                    with suppress(Fault):
                        behind = {app.service.name: await relay_lag(app.log) for app in apps}
                        if all(
                            lag.events < CAUGHT_UP.events and lag.seconds < CAUGHT_UP.seconds for lag in behind.values()
                        ):
                            return
                    await asyncio.sleep(0.2)
        raise Broken(f"relays catch up in {patience(CATCH_UP_S):.0f} s: {behind}")


async def _started(server: Server) -> None:
    """A server with much to recover on a busy machine may take longer than its first limit."""
    try:
        await asyncio.to_thread(server.start)
    except NoServer as late:
        if not server.runner.alive():
            raise Broken(f"{server.name} starts again: {late}") from late
        await asyncio.to_thread(until, server.answers, server.runner, server.name)


def _growth(before: dict[Name, int], during: dict[Name, int], after: dict[Name, int]) -> str:
    """The process that grew most while the broker was away, in MiB before, at most and after."""
    name = max(before, key=lambda one: during.get(one, 0) - before[one])
    figures = [one.get(name, 0) / MIB for one in (before, during, after)]
    return (
        f"memory grew most in {' '.join(name)}: {figures[0]:.0f} MiB, {figures[1]:.0f} at most, {figures[2]:.0f} after"
    )
