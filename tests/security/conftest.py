"""What several attacks need: an issuer of tokens, and a service of counters in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kernel.adapters.sqlite_bus import SqliteBus
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.eventlog.opening import open_log
from tests.contract.conftest import Running, migrated
from tests.kit import counter
from tests.kit.issuing import issuer_at


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return issuer_at(tmp_path)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """Counters on SQLite and a local bus; a test starts what it needs."""
    store, bus = await migrated(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"), SqliteBus(str(tmp_path / "bus.db"))
    await bus.ensure_topics(counter.topics("counters"))
    made = Running("counters", open_log(store), bus)
    yield made
    await made.close()
    await bus.close()
    await store.close()
