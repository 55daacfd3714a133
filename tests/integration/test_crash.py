"""kill -9 at every named point, over both pairs of store and bus: nothing acknowledged is lost, nothing is done twice."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit import crash
from tests.kit.servers import Ports
from tests.kit.toys import LIMIT_S, Toys, make_toys
from tests.kit.until import within

TIMES = {"queued": 4, "decided": 6, "inserted, not committed": 5, "committed, not answered": 20}
"""At which time the process dies where the first would be before anything is acknowledged."""


@pytest.fixture(params=["sqlite-local", "postgres-kafka"])
async def toys(request: pytest.FixtureRequest, tmp_path: Path, ports: Ports) -> AsyncIterator[Toys]:
    store, bus = f"sqlite+aiosqlite:///{tmp_path / 'toys.db'}", f"local:///{tmp_path / 'bus.db'}"
    if request.param != "sqlite-local":
        server = ports.postgres.shared()
        store, bus = server.url(await server.create_database()), ports.kafka.shared().url
    made = await make_toys(tmp_path, store, bus)
    yield made
    await made.close()


async def test_a_process_killed_at_every_point_loses_and_doubles_nothing(toys: Toys) -> None:
    for point in crash.POINTS:
        dying = toys.start(TOY_POINT=f"kill {point} {TIMES.get(point, 2)}")
        async with within(LIMIT_S):
            await toys.clients.send_until(lambda dying=dying: dying.poll() is not None)  # type: ignore[misc]
        assert dying.poll() == -signal.SIGKILL, point
        await toys.age_leases()
    await toys.settle()
