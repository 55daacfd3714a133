"""Fixtures for tests on a real Kafka."""

from collections.abc import Iterator

import pytest

from tests.kit.servers import Ports
from tools.servers import KafkaServer
from tools.servers.server import in_thread


@pytest.fixture(scope="session")
def kafka_server(ports: Ports) -> KafkaServer:
    """The run's shared broker; name topics uniquely and do it no harm."""
    return ports.kafka.shared()


@pytest.fixture
def fresh_kafka(ports: Ports) -> Iterator[KafkaServer]:
    """A broker without topics that is the test's alone while it runs, to kill, freeze and restart: one JVM for all such tests."""
    server = ports.kafka.hurtable()
    in_thread(lambda: _cleared(server))
    yield server
    if not server.answers():
        if server.runner.alive():
            server.kill()
        server.start()


async def _cleared(server: KafkaServer) -> bool:
    await server.clear()
    return True
