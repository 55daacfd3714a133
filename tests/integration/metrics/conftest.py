"""One metrics per module: its tests use campaigns of their own."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.metrics.running import Metrics, running


@pytest.fixture(scope="module")
async def metrics(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Metrics]:
    async with running(tmp_path_factory.mktemp("metrics")) as made:
        yield made
