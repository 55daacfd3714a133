"""What the fault tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.toys import Toys, make_toys
from tools.servers import KafkaServer, PostgresServer


@pytest.fixture
async def toys(postgres_server: PostgresServer, kafka_server: KafkaServer, tmp_path: Path) -> AsyncIterator[Toys]:
    """Toys on a database of their own, on the run's servers."""
    url = postgres_server.url(await postgres_server.create_database())
    made = await make_toys(tmp_path, url, kafka_server.url)
    yield made
    await made.close()
