"""What must hold of a service of toys after any fault: every row is counted, from the log to the world outside."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.core.events import Recorded
from kernel.core.ids import derived_id
from kernel.host.app import App
from kernel.verify import invariants
from tests.kit import counter, toy
from tests.kit.until import until

EVENTS_LIMIT = 100_000
OWN_LOG = {"sums_own_g1", "echo", "bell"}


async def caught_up(app: App, limit_s: float = 60) -> None:
    """Waits until relay, consumers, deadlines and effects that are tried again by themselves have nothing left to do."""
    try:
        await until(lambda: _is_caught_up(app), limit_s)
    except TimeoutError:
        raise AssertionError(f"did not catch up: {await _places(app)}") from None


async def has_passed(app: App, position: int) -> bool:
    """Whether the relay and all who follow the log are past it."""
    places = await _places(app)
    return min(places.get(name, 0) for name in (*OWN_LOG, "relay")) > position


async def _is_caught_up(app: App) -> bool:
    places = await _places(app)
    head, commands = places["head"], places["commands"]
    await app.bus.close()  # an embedded bus has to look at its file again
    ends = await app.bus.end_offsets([f"{app.service.name}.commands.v1"])
    own = {places.get(name, 0) for name in OWN_LOG} | {places["relay"]}
    is_idle = not places["deadlines"] and not places["retries"]
    return own == {head} and commands == sum(ends.values()) and is_idle


async def _places(app: App) -> dict[str, int]:
    """Where everybody stands in the log; `commands` in the sum of its offsets."""
    async with app.database.snapshot() as connection:
        query = sa.text("SELECT consumer, sum(last_position), sum(next_offset) FROM guards GROUP BY 1")
        guards = await connection.execute(query)
        places = {row[0]: int(row[2] if row[0] == "commands" else row[1]) for row in guards}
        for name, one in (("relay", "SELECT position FROM relay_checkpoint"), ("head", "SELECT head FROM log"),
                            ("deadlines", "SELECT count(*) FROM deadlines"),
                            ("retries", "SELECT count(*) FROM parked WHERE retry_at IS NOT NULL")):  # fmt: skip
            places[name] = (await connection.execute(sa.text(one))).scalar_one()
    return {"commands": 0} | places


async def check(app: App, told: Mapping[str, int | None], outside: Path) -> list[Recorded]:
    """Every acknowledged command once and where it was said, unknown ones at most once; all that follows, exactly once."""
    await app.database.close()  # the pool may still hold connections that were cut
    found = await invariants.check_service(app)
    broken = invariants.broken(found)
    assert not broken, broken
    assert sum(one.checked for one in found) > 0
    events = await app.log.read(0, EVENTS_LIMIT)
    assert len(events) < EVENTS_LIMIT
    commands = Counter(event.command for event in events if event.command)
    assert not {key: times for key, times in commands.items() if times > 1}
    places = {event.command: event.position for event in events if event.command}
    assert {key: places.get(key) for key, at in told.items() if at is not None} == {
        k: at for k, at in told.items() if at
    }
    decoded = {event.position: app.service.codec.decode(event.name, event.data) for event in events}
    await check_rows(app, events, decoded)
    check_followers(app.service.name, events, decoded, outside)
    return events


async def check_rows(app: App, events: list[Recorded], decoded: Mapping[int, Any]) -> None:
    """The read model and the inline totals are what the log says; no deadline is left."""
    sums, totals = Counter[str](), Counter[str]()
    for recorded in events:
        event = decoded[recorded.position]
        if isinstance(event, counter.Added):
            sums[recorded.stream] += event.amount
            totals[event.owner] += event.amount
    async with app.database.snapshot() as connection:
        rows = list(await connection.execute(sa.text("SELECT stream, total, events FROM sums")))
        assert {row[0]: (row[1], row[2]) for row in rows} == {stream: (total, total) for stream, total in sums.items()}
        inline = await connection.execute(sa.text("SELECT owner, total FROM totals"))
        assert {row[0]: row[1] for row in inline} == totals
        for table in ("deadlines", "parked"):
            left = [dict(row) for row in (await connection.execute(sa.text(f"SELECT * FROM {table}"))).mappings()]
            assert not left, f"{table}: {left}"


def check_followers(service: str, events: list[Recorded], decoded: Mapping[int, Any], outside: Path) -> None:
    """Each cause was echoed once and its request carried out once; each reminder rang once and was recorded once."""
    causes, asked, carried, reminded, rang, bells = ([] for _ in range(6))
    for recorded in events:
        event, meta = decoded[recorded.position], orjson.loads(recorded.meta)
        match event:
            case counter.Added(owner="echo me"):
                causes.append(recorded.id)
            case counter.EchoRequested():
                asked.append((recorded.id, meta["causation"]))
            case counter.Added() if meta["actor"].startswith("service:"):
                carried.append(meta["causation"])
            case counter.Added(owner="bell"):
                bells.append(recorded.stream)
            case counter.Reminded():
                reminded.append(recorded.stream)
            case counter.Rang():
                rang.append(recorded)
    assert sorted(cause for _, cause in asked) == sorted(causes)
    assert sorted(carried) == sorted(derived_id("request", service, request, "0") for request, _ in asked)
    assert sorted(one.stream for one in rang) == sorted(reminded)
    assert sorted(bells) == sorted(toy.bell_of(one.stream) for one in rang)
    calls = outside.read_text().split() if outside.exists() else []
    assert set(calls) == {one.id for one in rang}
