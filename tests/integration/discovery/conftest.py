"""One discovery per module: its tests use creators of their own."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.discovery.running import Discovery, running


@pytest.fixture(scope="module")
async def discovery(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Discovery]:
    async with running(tmp_path_factory.mktemp("discovery")) as made:
        yield made
