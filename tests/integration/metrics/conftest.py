"""One metrics per module and store, over SQLite and PostgreSQL: its tests use campaigns of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.metrics.client import Metrics, running
from tests.kit.servers import Ports


@asynccontextmanager
async def store(kind: str, folder: Path, ports: Ports) -> AsyncIterator[str]:
    """The address of an empty database."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'metrics.db'}"
        return
    server = ports.postgres.shared()
    name = await server.create_database()
    yield server.url(name)
    await server.drop_database(name)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def metrics(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ports: Ports
) -> AsyncIterator[Metrics]:
    folder = tmp_path_factory.mktemp("metrics")
    async with store(request.param, folder, ports) as url, running(folder, database_url=url) as made:
        yield made
