"""Replicas of a service restarted one after another, behind clients that send on: what a rollout does to its callers."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

import httpx

from kernel.core.ids import new_id
from tests.kit.until import until, within
from tools.speed import patience

LIMIT_S = 240
"""Generous: each start of a real service costs seconds of imports, and a machine may have other work."""
PACE_S = 0.02
ATTEMPTS, DEADLINE_S, PAUSE_S = 40, 20.0, 0.25
"""What a client may need for one request: attempts at the replicas in turn, and seconds from first try to answer."""


class Process(Protocol):
    """A process under its own id, as tests.kit.toy.Toy."""

    def poll(self) -> int | None: ...

    def send_signal(self, number: signal.Signals) -> None: ...

    def wait(self, timeout: float) -> int | None: ...


@dataclass
class Replica:
    """One process with every role of the service; `env` names its HTTP_PORT and OPS_PORT."""

    env: dict[str, str]
    start: Callable[[dict[str, str]], Process]
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = self.start(self.env)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['DANDELION_HTTP_PORT']}"

    async def restart(self) -> None:
        """As a rollout does: SIGTERM, the end awaited, then a new one until it says it is ready."""
        assert await self.end() == 0
        self.process = self.start(self.env)
        await self.ready()

    async def end(self) -> int | None:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, patience(LIMIT_S))

    async def ready(self) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.env['DANDELION_OPS_PORT']}") as http:

            async def is_ready() -> bool:
                assert self.process.poll() is None
                try:
                    return (await http.get("/healthz/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_ready, LIMIT_S)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(patience(LIMIT_S))


Ask = Callable[[httpx.AsyncClient, str, str], Awaitable[httpx.Response]]
"""Sends one request to a replica's base URL under an idempotency key."""


class Balanced:
    """Clients behind a load balancer: each request goes to the next replica until one answers that it was done."""

    def __init__(self, replicas: list[Replica]) -> None:
        self.replicas, self.over = replicas, asyncio.Event()
        self.answered: dict[str, Any] = {}
        """The body of each answer, by the request's key."""
        self.attempts: list[int] = []
        self.seconds: list[float] = []

    async def client(self, number: int, asks: Callable[[], Ask]) -> None:
        """One request after another, of what `asks` makes anew each time."""
        async with httpx.AsyncClient(timeout=patience(DEADLINE_S), trust_env=False) as http:
            while not self.over.is_set():
                await self._request(http, number, asks())
                await asyncio.sleep(PACE_S)

    async def _request(self, http: httpx.AsyncClient, number: int, ask: Ask) -> None:
        key, began = new_id(), monotonic()
        for attempt in range(ATTEMPTS):
            replica = self.replicas[(number + attempt) % len(self.replicas)]
            try:
                answer = await ask(http, replica.url, key)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                self.answered[key] = answer.json()
                self.attempts.append(attempt + 1)
                self.seconds.append(monotonic() - began)
                return
            assert answer is None or answer.status_code == 503, answer.text
            await asyncio.sleep(PAUSE_S if attempt % len(self.replicas) else 0)
        raise AssertionError(f"not answered in {ATTEMPTS} attempts")

    async def roll(self, clients: Sequence[Callable[[], Ask]], between: int) -> None:
        """Every replica restarted in turn, `between` answers before, between and after; then all requests get theirs."""
        async with within(LIMIT_S):
            await asyncio.gather(*[one.ready() for one in self.replicas])
            sending = [asyncio.create_task(self.client(number, asks)) for number, asks in enumerate(clients)]
            for replica in self.replicas:
                await self._answers(between)
                await replica.restart()
            await self._answers(between)
            self.over.set()
            await asyncio.gather(*sending)
        assert max(self.seconds) <= patience(DEADLINE_S)

    async def _answers(self, more: int) -> None:
        enough = len(self.answered) + more
        await until(lambda: asyncio.sleep(0, len(self.answered) >= enough), LIMIT_S)

    def told(self) -> str:
        seconds = sorted(self.seconds)
        p99_ms = 1000 * seconds[int(len(seconds) * 0.99)]
        return f"{len(seconds)} requests, p99 {p99_ms:.0f} ms, longest {seconds[-1]:.1f} s, most attempts {max(self.attempts)}"
