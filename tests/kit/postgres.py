"""Fixtures for tests on a real PostgreSQL."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.kit.servers import Ports
from tools.servers import PostgresServer


@pytest.fixture(scope="session")
def postgres_server(ports: Ports) -> PostgresServer:
    """The run's shared server; use databases of your own and do it no harm."""
    return ports.postgres.shared()


@pytest.fixture
def fresh_postgres(ports: Ports) -> Iterator[PostgresServer]:
    """A server of the test's own, to kill, freeze, stop and restart."""
    with ports.postgres.own() as server:
        yield server


@pytest.fixture
async def database_url(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """A fresh, empty database on the shared server, as a SQLAlchemy address; dropped afterwards."""
    name = await postgres_server.create_database()
    yield postgres_server.url(name)
    await postgres_server.drop_database(name)
