"""One discovery per module and store; its tests use creators of their own."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.discovery.client import Discovery, running
from tests.kit.servers import Ports


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def discovery(
    request: pytest.FixtureRequest, ports: Ports, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Discovery]:
    folder = tmp_path_factory.mktemp("discovery")
    if request.param == "sqlite":
        async with running(folder) as made:
            yield made
        return
    server = ports.postgres.shared()
    name = await server.create_database()
    async with running(folder, database_url=server.url(name)) as made:
        yield made
    await server.drop_database(name)
