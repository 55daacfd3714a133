"""A read model made anew from the log against its own live handler, fed one event a transaction as when events trickle."""

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter

import orjson

from bench.measure import Cpu, Row, interleaved, ratio, say
from bench.place import Place
from kernel.adapters.database import Database
from kernel.adapters.opening import database_at
from kernel.adapters.sqlite_bus import SqliteBus
from kernel.core.events import Recorded
from kernel.core.ids import derived_id
from kernel.eventlog.opening import open_log
from kernel.host.migrate import migrate
from kernel.processors.generations import Rebuild
from kernel.processors.projector import Projector, physical
from kernel.streams.checkpoints import Checkpoints
from kernel.streams.records import OWN_LOG, of_log
from services.campaigns.codec import CODEC
from services.campaigns.domain.shared.events import ApplicationAccepted, CreatorInvited, OfferCountered
from services.campaigns.wiring import SERVICE
from tests.unit.campaigns.samples import EVERYTHING

EVENTS = 60_000
OPEN_AT_ONCE = 2_000
"""Applications under way at the same time; their events come interleaved."""
LIVE_EVENTS = 400
PROJECTION = next(one for one in SERVICE.projections if one.name == "applications")
STEPS = tuple(
    next(one for one in EVERYTHING if isinstance(one, kind))
    for kind in (CreatorInvited, OfferCountered, OfferCountered, ApplicationAccepted)
)
META = orjson.dumps({"correlation": "", "traceparent": "", "actor": "bench", "fingerprint": ""})
AT = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(count: int) -> list[Recorded]:
    """A log of applications that are invited, countered twice and accepted; `OPEN_AT_ONCE` of them side by side."""
    stored = [CODEC.encode(event) for event in STEPS]
    made: list[Recorded] = []
    block = OPEN_AT_ONCE * len(STEPS)
    for number in range(count):
        step, which = number % block // OPEN_AT_ONCE, number // block * OPEN_AT_ONCE + number % OPEN_AT_ONCE
        name, data = stored[step]
        stream = f"application-{derived_id('bench', str(which))}"
        made.append(Recorded(number + 1, "brand-1", stream, step + 1, 0, name, data, META, f"c{number}", AT))
    return made


async def fill(database: Database, events: Sequence[Recorded]) -> None:
    """The log as it would be after all that, loaded by COPY."""
    async with database.transaction() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        columns = list(Recorded._fields)
        await raw.copy_records_to_table("log_events", records=map(attrgetter(*columns), events), columns=columns)
        await connection.exec_driver_sql(f"UPDATE log SET head = {len(events)}")


async def bench(place: Place) -> list[Row]:
    """Events a second of `Rebuild` as a whole (clean start, fold, swap) against one event a transaction."""
    say("rebuild beside live")
    database = database_at(place.postgres.url(await place.postgres.create_database()), SERVICE.metadata())
    bus = SqliteBus(str(place.folder / "rebuild.db"))
    events = recorded(EVENTS)
    await migrate(SERVICE.name, database, SERVICE.migrations, SERVICE.projections)
    await fill(database, events)
    generation = 1

    cpu_us: dict[str, float] = {}

    async def ours() -> float:
        nonlocal generation
        made = Rebuild(PROJECTION, database, open_log(database), CODEC, SERVICE.name, bus, lambda *_: None)
        clock = Cpu()
        generation = await made.run()
        seconds, cpu_s = clock.spent()
        cpu_us["rebuild"] = cpu_s / EVENTS * 1e6
        await made.drop(generation - 1)
        return EVENTS / seconds

    async def theirs() -> float:
        clock = Cpu()
        await live(database, generation + 1, events[:LIVE_EVENTS])
        seconds, cpu_s = clock.spent()
        cpu_us["live"] = cpu_s / LIVE_EVENTS * 1e6
        return LIVE_EVENTS / seconds

    mine, others = await interleaved(ours, theirs, 3)
    await database.close()
    await bus.close()
    return [
        Row(
            "rebuild of a read model", f"{statistics.median(mine):,.0f} events/s",
            f"live handler, one event at a time: {statistics.median(others):,.0f}/s", ratio(mine, others), 20, 45,
            note=f"CPU here {cpu_us['rebuild']:.0f} us an event, live {cpu_us['live']:.0f} us",
        )
    ]  # fmt: skip


async def live(database: Database, generation: int, events: Sequence[Recorded]) -> None:
    """The projector as it handles what trickles in: decoded, applied and committed one by one.

    It writes a generation nobody shows, as the live one is taken; the next rebuild drops it.
    """
    async with database.transaction() as connection:
        for table in PROJECTION.tables:
            await connection.run_sync(physical(table, generation).create)
    projector = Projector(PROJECTION, generation, database)
    guard = (await Checkpoints(database, projector.consumer).load([(OWN_LOG, 0)]))[OWN_LOG, 0]
    for event in events:
        part = of_log(SERVICE.name, CODEC, guard, [event])
        await projector.handle([part])
        guard.move(part.admitted)
