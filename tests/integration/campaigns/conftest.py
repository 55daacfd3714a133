"""One campaigns per module: its tests use campaigns of their own."""

from collections.abc import AsyncIterator

import pytest

from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE
from tests.kit.running import Running, running

OTHERS = ("ledger.commands.v1", "compliance.commands.v1", "discovery.commands.v1", "discovery.events.v1")


@pytest.fixture(scope="module")
async def campaigns(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("campaigns")
    async with running(SERVICE, CampaignsSettings, folder, topics=OTHERS, short_clocks=True) as made:
        yield made
