"""Two replicas of every role, each restarted in turn under load: nothing is lost or doubled, every request is answered."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import httpx
import pytest

from kernel.app import App, open_app, run_migrations
from kernel.ids import new_id
from kernel.invariants import broken, check
from kernel.model import Recorded
from tests.kit import counter, toy
from tests.kit.quiet import until_quiet
from tests.kit.running import free_port
from tests.kit.until import until
from tools.servers import KafkaServer, PostgresServer

ROLES = ("rest", "relay", "project", "process")
REPLICAS, CLIENTS, LIMIT_S = 2, 8, 100
ATTEMPTS, DEADLINE_S, PAUSE_S = 40, 20.0, 0.25
"""What a client may need for one request: attempts at both replicas in turn, and seconds from first try to answer."""
NEVER_S = "600"
"""Leases that are not given back are not free within this test."""


@dataclass
class Replica:
    """One process with every role of the service."""

    env: dict[str, str]
    process: toy.Toy = field(init=False)

    def __post_init__(self) -> None:
        self.process = toy.start(self.env, *ROLES)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['DANDELION_HTTP_PORT']}"

    async def restart(self) -> None:
        """As a rollout does: SIGTERM, the end awaited, then a new one until it says it is ready."""
        self.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(self.process.wait, LIMIT_S) == 0
        self.process = toy.start(self.env, *ROLES)
        await self.ready()

    async def ready(self) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.env['DANDELION_OPS_PORT']}") as http:

            async def is_ready() -> bool:
                assert self.process.poll() is None
                try:
                    return (await http.get("/healthz/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_ready, LIMIT_S)


class Balanced:
    """Clients behind a load balancer: each request goes to the next replica until one answers 200."""

    def __init__(self, replicas: list[Replica]) -> None:
        self.replicas, self.over = replicas, asyncio.Event()
        self.answered: dict[str, int] = {}
        self.attempts: list[int] = []
        self.seconds: list[float] = []

    async def client(self, number: int) -> None:
        stream = counter.counter()
        async with httpx.AsyncClient(timeout=DEADLINE_S) as http:
            while not self.over.is_set():
                await self._request(http, number, stream)

    async def _request(self, http: httpx.AsyncClient, number: int, stream: str) -> None:
        key, began = new_id(), monotonic()
        for attempt in range(ATTEMPTS):
            replica = self.replicas[(number + attempt) % len(self.replicas)]
            try:
                answer = await http.post(f"{replica.url}/add/{stream}/{key}", params={"owner": "echo me"})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == 200:
                self.answered[key] = answer.json()["position"]
                self.attempts.append(attempt + 1)
                self.seconds.append(monotonic() - began)
                return
            await asyncio.sleep(PAUSE_S if attempt % len(self.replicas) else 0)
        raise AssertionError(f"not answered in {ATTEMPTS} attempts")

    async def answers(self, more: int) -> None:
        """Waits until so many more requests were answered."""
        enough = len(self.answered) + more
        await until(lambda: asyncio.sleep(0, len(self.answered) >= enough), LIMIT_S)

    def told(self) -> str:
        seconds = sorted(self.seconds)
        p99_ms = 1000 * seconds[int(len(seconds) * 0.99)]
        return f"{len(seconds)} requests, p99 {p99_ms:.0f} ms, longest {seconds[-1]:.1f} s, most attempts {max(self.attempts)}"


@pytest.fixture
async def environment(fresh_postgres: PostgresServer, fresh_kafka: KafkaServer, tmp_path: Path) -> dict[str, str]:
    env = toy.environment(tmp_path, fresh_postgres.url(await fresh_postgres.create_database()), free_port())
    env |= {"DANDELION_BUS_URL": fresh_kafka.url, toy.LEASE_TTL_S: NEVER_S}
    await run_migrations(toy.SERVICE, toy.settings(env))
    return env


@pytest.fixture
async def app(environment: dict[str, str]) -> AsyncIterator[App]:
    """The service seen from outside, to check it; nothing of it runs."""
    made = open_app(toy.SERVICE, toy.settings(environment))
    yield made
    await made.close()
    await made.bus.close()


@pytest.fixture
async def replicas(environment: dict[str, str], app: App) -> AsyncIterator[list[Replica]]:
    await app.bus.ensure_topics(toy.SERVICE.topics())
    ports = ("HTTP_PORT", "OPS_PORT")
    made = [Replica(environment | {f"DANDELION_{port}": str(free_port()) for port in ports}) for _ in range(REPLICAS)]
    yield made
    for one in made:
        one.process.send_signal(signal.SIGKILL)
        one.process.wait(LIMIT_S)


def check_once(events: Sequence[Recorded], answered: dict[str, int]) -> None:
    """Each answered request is there where its client was told, and made one request and one effect; nothing else is there."""
    asked = {event.command: event.position for event in events if b"echo me" in event.data}
    assert asked == answered
    counts = Counter(event.name for event in events)
    assert counts == {"counter.added@1": 2 * len(answered), "echo.requested@1": len(answered)}
    assert len({(event.stream, event.command) for event in events}) == len(events)


async def test_a_rolling_restart_loses_and_doubles_nothing_and_answers_every_request(
    replicas: list[Replica], app: App
) -> None:
    load = Balanced(replicas)
    async with asyncio.timeout(LIMIT_S):
        await asyncio.gather(*[one.ready() for one in replicas])
        clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
        for replica in replicas:
            await load.answers(100)
            await replica.restart()
        await load.answers(100)
        load.over.set()
        await asyncio.gather(*clients)
        await until_quiet(app, LIMIT_S)
        for one in replicas:
            one.process.send_signal(signal.SIGTERM)
        assert [await asyncio.to_thread(one.process.wait, LIMIT_S) for one in replicas] == [0, 0]
    sys.stderr.write(f"\n{load.told()}\n")
    assert max(load.seconds) <= DEADLINE_S
    check_once(await app.log.read(0, 100_000), load.answered)
    assert broken(await check(app)) == []
