"""What the story left behind, read again: read models rebuilt in any order of partitions, topics filled again from the logs."""

import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from cli.embedded import WIRED
from cli.layout import Layout
from cli.open_services import open_services
from cli.platform import EMBEDDED, Embedded
from kernel.adapters.bus import Bus
from kernel.host.app import App
from kernel.processors.generations import Rebuild, live_generation
from kernel.processors.projector import Projection
from kernel.streams.records import BATCH_RECORDS
from kernel.streams.relay import Relay
from kernel.streams.republish import republish_topic
from tests.kit.generations import dump
from tests.kit.quiet import until_quiet
from tests.kit.shuffled import Shuffled
from tests.kit.story import embedded_stores
from tools.servers.run import Process

PROJECTIONS = [(service, projection) for service, one in WIRED.items() for projection in one.projections]

EMPTY = (
    "held_escrows", "deferred_payments", "payment_waits", "marked_deals", "disputes", "policies", "rates", "erasures",
    "authenticity", "proofs", "contacts", "excess", "media_kits", "media_kit_links", "media_kit_openings",
    "match_weights", "saved_searches", "saved_search_matches", "sentiment",
    "shortlists", "shortlisted",
)  # fmt: skip
"""The story ends with nothing held, nothing waiting, no deal marked, nothing disputed, nobody erased or judged, under the
first policy, no account proved by a code, no contact told, no excess released, no kit, no
weights adopted, no search saved and nobody shortlisted; tests of each service rebuild these."""

CLOCKS = ("grid.measured@1", "window.closed@1", "journal.sealed@1", "transfer.look_due@1")


@pytest.fixture(scope="module")
async def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The stores of a platform that has told the story and ended."""
    return await embedded_stores(tmp_path_factory.mktemp("platform"))


@pytest.fixture(scope="module")
async def apps(layout: Layout) -> AsyncIterator[dict[str, App]]:
    """The services over them."""
    async with open_services(layout) as made:
        yield {app.service.name: app for app in made}


async def rebuilt(app: App, projection: Projection, bus: Bus, batch: int) -> list[tuple[Any, ...]]:
    """The rows of a new generation, which is live afterwards."""
    few = replace(projection, batch_records=min(batch, projection.batch_records))
    decode = app.service.decode or (lambda _type, _value: None)
    made = Rebuild(few, app.database, app.log, app.service.codec, app.service.name, bus, decode)
    return await dump(app.database, projection, await made.run())


@pytest.mark.parametrize(
    ("service", "projection"), [pytest.param(s, p, id=f"{s}-{p.name}") for s, p in PROJECTIONS]
)  # fmt: skip
async def test_a_rebuild_in_any_order_of_partitions_equals_live(
    apps: dict[str, App], service: str, projection: Projection
) -> None:
    app = apps[service]
    live = await dump(app.database, projection, await live_generation(app.database, projection))
    assert live or projection.name in EMPTY
    assert await rebuilt(app, projection, app.bus, BATCH_RECORDS) == live
    assert await rebuilt(app, projection, Shuffled(app.bus, seed=1), 17) == live


async def happened(app: App) -> Counter[str]:
    """Events by name, without what clocks do whenever a platform runs."""
    names = Counter[str]()
    while found := await app.log.read(names.total(), 5_000):
        names.update(event.name for event in found)
    return Counter({name: count for name, count in names.items() if name not in CLOCKS})


async def test_topics_sent_again_move_no_money_and_nothing_else(layout: Layout, apps: dict[str, App]) -> None:
    """Every event and every request of every service once more: read by the whole platform, it decides nothing anew."""
    before = {name: await happened(app) for name, app in apps.items()}
    assert before["ledger"]["chain.posted@1"] > 100
    for app in apps.values():
        relay = Relay(app.service.name, app.log, app.bus, app.service.codec, app.service.publish)
        topics = [f"{app.service.name}.events.v1", *(f"{name}.commands.v1" for name in apps)]
        assert sum([await republish_topic(relay, app.log, app.bus, topic) for topic in topics]) > 0
        await relay.close()
    await apps["ledger"].bus.close()
    command = [sys.executable, "-m", "cli", "serve", "--data", str(layout.folder)]
    process = Process(command, layout.folder / "again.log", env=layout.environment("discovery"))
    process.start()
    with Embedded(layout, {EMBEDDED: process}) as platform:
        await platform.wait()
        async with open_services(layout) as seen:
            for app in [*seen, *seen]:
                await until_quiet(app, 120)
    async with open_services(layout) as seen:
        assert {app.service.name: await happened(app) for app in seen} == before
