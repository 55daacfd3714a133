"""One compliance per module: its tests use submissions of their own."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.compliance.running import Compliance, running


@pytest.fixture(scope="module")
async def compliance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Compliance]:
    async with running(tmp_path_factory.mktemp("compliance")) as made:
        yield made
