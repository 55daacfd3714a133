"""Fixtures for tests on a real Kafka."""

from collections.abc import Iterator

import pytest

from tests.kit.servers import Ports
from tools.servers import KafkaServer


@pytest.fixture(scope="session")
def kafka_server(ports: Ports) -> KafkaServer:
    """The run's shared broker; name topics uniquely and do it no harm."""
    return ports.kafka.shared()


@pytest.fixture
def fresh_kafka(ports: Ports) -> Iterator[KafkaServer]:
    """A broker of the test's own, to kill, freeze and restart."""
    with ports.kafka.own() as server:
        yield server
