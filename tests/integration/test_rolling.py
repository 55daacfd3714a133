"""Two replicas of every role, each restarted in turn under load: nothing is lost or doubled, every request is answered."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.core.events import Recorded
from kernel.host.app import App, open_app, run_migrations
from kernel.verify.invariants import broken, check_service
from tests.kit import counter, toy
from tests.kit.quiet import until_quiet
from tests.kit.rolling import LIMIT_S, Ask, Balanced, Replica
from tools.servers import KafkaServer, PostgresServer
from tools.servers.places import free_port

ROLES = ("rest", "relay", "project", "process")
REPLICAS, CLIENTS = 2, 8
NEVER_S = "600"
"""Leases that are not given back are not free within this test."""


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
    envs = [environment | {f"DANDELION_{port}": str(free_port()) for port in ports} for _ in range(REPLICAS)]
    made = [Replica(env, lambda env: toy.start(env, *ROLES)) for env in envs]
    yield made
    for one in made:
        one.kill()


def adding() -> Any:
    """A client that adds to a counter of its own."""
    stream = counter.counter()

    async def ask(http: httpx.AsyncClient, url: str, key: str) -> httpx.Response:
        return await http.post(f"{url}/add/{stream}/{key}", params={"owner": "echo me"})

    def asks() -> Ask:
        return ask

    return asks


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
    await load.roll([adding() for _ in range(CLIENTS)], between=100)
    await until_quiet(app, LIMIT_S)
    assert await asyncio.gather(*[one.end() for one in replicas]) == [0, 0]
    sys.stderr.write(f"\n{load.told()}\n")
    check_once(await app.log.read(0, 100_000), {key: body["position"] for key, body in load.answered.items()})
    assert broken(await check_service(app)) == []
