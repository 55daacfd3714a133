"""One ledger per module with a calm provider: its tests use organisations of their own."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.ledger.client import Ledger, running


@pytest.fixture(scope="module")
async def ledger(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ledger]:
    async with running(tmp_path_factory.mktemp("ledger")) as made:
        yield made
