"""The database away, the broker away, both under load; SIGTERM with and without them: bounded, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.servers import Ports
from tests.kit.toys import Load, Toys, holds, make_toys
from tools.servers import KafkaServer, PostgresServer

AWAY_S = 20
LOST_DEADLINE_S = 2
RELAY_LAG_LIMIT_S = 2
GROWTH_BYTES = 32 * 1024 * 1024
"""How much more memory a process may hold while something it needs is away: caches and logs, not the backlog."""


@pytest.fixture(scope="module")
def own_postgres(ports: Ports) -> Iterator[PostgresServer]:
    with ports.postgres.own() as server:
        yield server


@pytest.fixture
async def toys(own_postgres: PostgresServer, fresh_kafka: KafkaServer, tmp_path: Path) -> AsyncIterator[Toys]:
    url = own_postgres.url(await own_postgres.create_database())
    made = await make_toys(
        tmp_path, url, fresh_kafka.url, TOY_LOST_S=LOST_DEADLINE_S, relay_lag_limit_s=RELAY_LAG_LIMIT_S
    )
    yield made
    await made.close()


async def test_a_database_that_is_away_for_long_is_told_to_callers_and_costs_nothing(
    toys: Toys, own_postgres: PostgresServer
) -> None:
    process = toys.start()
    async with Load(toys.clients):
        await toys.acknowledge(100)
        before = process.resident_bytes()
        await asyncio.to_thread(own_postgres.stop, "immediate")
        await asyncio.sleep(AWAY_S)
        assert process.resident_bytes() < before + GROWTH_BYTES
        await asyncio.to_thread(own_postgres.start)
        await toys.acknowledge(100)
    assert toys.clients.refused["command.outcome_unknown"] > 8
    assert not toys.clients.unasked
    assert toys.clients.longest_s < AWAY_S
    await toys.drain(process)
    await toys.settle()


async def test_a_broker_that_is_away_turns_commands_away_past_the_limit_and_costs_nothing(
    toys: Toys, fresh_kafka: KafkaServer
) -> None:
    process = toys.start()
    async with Load(toys.clients):
        await toys.acknowledge(100)
        before = process.resident_bytes()
        await asyncio.to_thread(fresh_kafka.kill)
        await holds(lambda: toys.clients.refused["relay.behind"] > 200)
        assert process.resident_bytes() < before + GROWTH_BYTES
        await asyncio.to_thread(fresh_kafka.start)
        await toys.acknowledge(100)
    assert not toys.clients.unasked
    await toys.drain(process)
    await toys.settle()


async def drain_under_load(toys: Toys, hurt: Callable[[], None], heal: Callable[[], None]) -> None:
    """SIGTERM while clients send (and right after `hurt`): exit 0 within the grace; then `heal`."""
    process = toys.start()
    async with Load(toys.clients):
        await toys.acknowledge(40)
        await asyncio.to_thread(hurt)
        await toys.drain(process)
    await asyncio.to_thread(heal)
    await toys.age_leases()


async def test_sigterm_under_load_loses_nothing_whatever_else_is_gone(
    toys: Toys, own_postgres: PostgresServer, fresh_kafka: KafkaServer
) -> None:
    for _ in range(5):
        await drain_under_load(toys, lambda: None, lambda: None)
    await drain_under_load(toys, fresh_kafka.kill, fresh_kafka.start)
    await drain_under_load(toys, lambda: own_postgres.stop("immediate"), own_postgres.start)
    await toys.settle()
