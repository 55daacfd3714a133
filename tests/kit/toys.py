"""A migrated service of toys for fault tests: its processes, its clients, and an App that looks at it from outside."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kernel.core.ids import new_id
from kernel.host.app import App, open_app, run_migrations
from tests.kit import toy, whole
from tests.kit.clients import Clients
from tests.kit.until import until, within
from tools.servers.places import free_port
from tools.speed import patience

LIMIT_S = 60
GRACE_S = 20
ROLES = ("rest", "relay", "project", "process")


@dataclass
class Toys:
    """`clients` send to `port`, where a process with the role `rest` listens."""

    env: dict[str, str]
    app: App
    port: int
    clients: Clients
    processes: list[toy.Toy] = field(default_factory=list)

    def start(self, *roles: str, **variables: str) -> toy.Toy:
        self.processes.append(toy.start(self.env | variables, *(roles or ROLES)))
        return self.processes[-1]

    async def age_leases(self) -> None:
        """As if the time of every lease were over; whoever lives takes them."""
        await self.app.database.close()  # the pool may still hold connections that were cut
        async with self.app.database.transaction() as connection:
            await connection.execute(sa.text("DELETE FROM leases"))

    async def acknowledge(self, count: int, limit_s: float = LIMIT_S) -> None:
        """Waits until `count` commands more are acknowledged; who sends them is under way."""
        wanted = self.clients.acknowledged() + count
        await holds(lambda: self.clients.acknowledged() >= wanted, limit_s)

    async def drain(self, *processes: toy.Toy, limit_s: float = GRACE_S) -> None:
        """SIGTERM; they end well within the grace."""
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            code = await asyncio.to_thread(process.wait, patience(limit_s))
            assert code == 0, f"ended with {code}"

    async def settle(self, limit_s: float = LIMIT_S) -> None:
        """A healthy process finishes everything, the clients get their answers, and every row is counted."""
        healthy = self.start()
        await until(lambda: self.clients.is_answered(self.port), limit_s)
        await self.age_leases()
        await self.clients.ask_again(limit_s)
        await whole.caught_up(self.app, limit_s)
        await self.drain(healthy)
        await whole.check(self.app, self.clients.told, Path(self.env["TOY_OUTSIDE"]))

    async def close(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait, patience(LIMIT_S))
        await self.clients.close()
        await self.app.close()
        await self.app.bus.close()


async def make_toys(folder: Path, database_url: str, bus_url: str, **settings: Any) -> Toys:
    port, name = free_port(), f"toys{new_id()[-12:]}"
    changes = {"bus_url": bus_url, "TOY_NAME": name, "TOY_IDLE_MS": 2_000} | settings
    env = toy.environment(folder, database_url, port, **changes)
    await run_migrations(toy.service(name), toy.settings(env))
    return Toys(env, open_app(toy.service(name), toy.settings(env)), port, Clients(port))


async def holds(true: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Waits until it does."""

    async def asked() -> bool:
        return true()

    await until(asked, limit_s)


class Load:
    """`async with Load(toys.clients): ...`: the clients send until the block ends, and every one has its last answer.

    An answer that no client may get ends the block at once, and is what the block raises.
    """

    def __init__(self, clients: Clients, count: int = 8) -> None:
        self._clients, self._count, self._over = clients, count, False

    async def __aenter__(self) -> None:
        block = asyncio.current_task()
        assert block is not None
        self._block = block
        self._sending = asyncio.create_task(self._clients.send_until(lambda: self._over, self._count))
        self._sending.add_done_callback(self._end_block)

    def _end_block(self, sent: "asyncio.Task[None]") -> None:
        if not self._over and not sent.cancelled() and sent.exception():
            self._block.cancel()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over = True
        if kind is None:
            async with within(LIMIT_S):
                await self._sending
            return
        self._sending.cancel()
        [failure] = await asyncio.gather(self._sending, return_exceptions=True)
        if kind is asyncio.CancelledError and isinstance(failure, AssertionError):
            self._block.uncancel()
            raise failure
