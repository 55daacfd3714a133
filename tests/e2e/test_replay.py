"""What the story left behind, read again: every read model rebuilt in any order of partitions equals the live one."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from cli.embedded import WIRED
from cli.opened import opened
from kernel.app import App
from kernel.bus import Bus
from kernel.consume import BATCH_RECORDS
from kernel.projector import Projection
from kernel.rebuild import Rebuild, canonical_dump, live_generation
from tests.kit.shuffled import Shuffled
from tests.kit.story import embedded_stores

PROJECTIONS = [(service, projection) for service, one in WIRED.items() for projection in one.projections]

EMPTY = ("held_escrows",)
"""The story ends with nothing held."""


@pytest.fixture(scope="module")
async def apps(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, App]]:
    """The services over the stores of a platform that has told the story and ended."""
    layout = await embedded_stores(tmp_path_factory.mktemp("platform"))
    async with opened(layout) as made:
        yield {app.service.name: app for app in made}


async def rebuilt(app: App, projection: Projection, bus: Bus, batch: int) -> list[tuple[Any, ...]]:
    """The rows of a new generation, which is live afterwards."""
    few = replace(projection, batch_records=min(batch, projection.batch_records))
    decode = app.service.decode or (lambda _type, _value: None)
    made = Rebuild(few, app.database, app.log, app.service.codec, app.service.name, bus, decode)
    return await canonical_dump(app.database, projection, await made.run())


@pytest.mark.parametrize(
    ("service", "projection"), [pytest.param(s, p, id=f"{s}-{p.name}") for s, p in PROJECTIONS]
)  # fmt: skip
async def test_a_rebuild_in_any_order_of_partitions_equals_live(
    apps: dict[str, App], service: str, projection: Projection
) -> None:
    app = apps[service]
    live = await canonical_dump(app.database, projection, await live_generation(app.database, projection))
    assert live or projection.name in EMPTY
    assert await rebuilt(app, projection, app.bus, BATCH_RECORDS) == live
    assert await rebuilt(app, projection, Shuffled(app.bus, seed=1), 17) == live
