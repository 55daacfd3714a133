"""SIGSTOP past the leases' time: others take over, and the process that wakes as a zombie writes nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.frozen import FREEZES, freeze
from tests.kit.toys import Toys, make_toys
from tools.servers import KafkaServer, PostgresServer


@pytest.fixture
async def toys(postgres_server: PostgresServer, kafka_server: KafkaServer, tmp_path: Path) -> AsyncIterator[Toys]:
    url = postgres_server.url(await postgres_server.create_database())
    made = await make_toys(tmp_path, url, kafka_server.url)
    yield made
    await made.close()


async def test_a_process_frozen_anywhere_does_no_harm_when_it_wakes(toys: Toys) -> None:
    for name in FREEZES:
        await freeze(toys, name)
    await toys.settle()
