"""The checker over every store: green on a service that did everything it can, red by name on each planted damage."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from kernel.adapters.bus import PARTITIONS
from kernel.adapters.sqlite.database import SqliteDatabase
from kernel.core.check import CheckResult
from kernel.core.clock import system_clock
from kernel.core.ids import partition_of
from kernel.host.app import App
from kernel.runtime.telemetry import REGISTRY
from kernel.verify.invariants import InvariantMonitor, broken, check_service
from tests.kit import counter
from tests.kit.quiet import until_quiet
from tests.kit.servers import Ports
from tests.kit.stopped import Told, harm, harm_bus, opened, serving, sqlite_in, tell
from tools.speed import patience


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, ports: Ports
) -> AsyncIterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    if request.param == "sqlite":
        yield await tell(folder, sqlite_in(folder))
        return
    server = ports.postgres.shared()
    name = await server.create_database()
    yield await tell(folder, server.url(name))
    await server.drop_database(name)


@pytest.fixture
async def app(told: Told, tmp_path: Path, ports: Ports) -> AsyncIterator[App]:
    """The stopped service, in a copy to do harm to."""
    if told.url.startswith("sqlite"):
        async with opened(told.at(tmp_path, sqlite_in(tmp_path))) as made:
            yield made
        return
    server = ports.postgres.shared()
    name = await server.create_database(template=sa.make_url(told.url).database or "")
    async with opened(told.at(tmp_path, server.url(name))) as made:
        yield made
    await server.drop_database(name)


def red(found: Sequence[CheckResult]) -> set[str]:
    return {one.invariant for one in found if not one.ok}


async def test_a_service_that_did_everything_is_whole_and_the_check_leaves_no_trace(app: App) -> None:
    before = await tables_of(app)
    found = await check_service(app)
    assert broken(found) == []
    looked_at = {one.invariant: one.checked for one in found}
    assert looked_at["positions_dense"] > 20
    assert {name for name, count in looked_at.items() if not count} == {"nothing_parked"}
    assert await tables_of(app) == before


async def tables_of(app: App) -> tuple[list[str], int]:
    """Names of all tables, and how many guards there are."""
    async with app.database.reading() as connection:
        names = await connection.run_sync(lambda sync: sorted(sa.inspect(sync).get_table_names()))
        guards = (await connection.execute(sa.text("SELECT count(*) FROM guards"))).scalar_one()
    return names, guards


async def test_requests_that_come_again_change_nothing(app: App) -> None:
    """A crash between carrying out and moving the guard: what was carried out is not refused the second time."""
    head = await app.log.head()
    await harm(app, "UPDATE guards SET next_offset = 0 WHERE consumer = 'commands'")
    async with serving(app):
        await until_quiet(app)
    assert await app.log.head() == head
    assert broken(await check_service(app)) == []


ONE, FOUR, ECHOING = (counter.counter(name) for name in ("story 1", "story 4", "echoing"))
LATER = datetime(2100, 1, 1, tzinfo=UTC)
MIDDLE = "position = (SELECT max(position) FROM log_events) / 2"
SWAPPED = ((2, 0), (3, 2), (0, 3))

IN_THE_DATABASE: dict[str, tuple[set[str], list[str]]] = {
    "an event is gone": (
        {"positions_dense"}, [f"DELETE FROM log_events WHERE stream = '{ECHOING}' AND version = 2"],
    ),
    "the head runs before its log": ({"positions_dense"}, ["UPDATE log SET head = head + 1"]),
    "an event is no event": ({"events_readable"}, [f"UPDATE log_events SET data = :bytes WHERE {MIDDLE}"]),
    "an event's name is not known": ({"events_readable"}, [f"UPDATE log_events SET name = 'a.b@1' WHERE {MIDDLE}"]),
    "a version is left out": (
        {"versions_dense"}, [f"UPDATE log_events SET version = 9 WHERE stream = '{FOUR}' AND version = 3"],
    ),
    "two versions are swapped": (
        {"versions_dense"},
        [f"UPDATE log_events SET version = {to} WHERE stream = '{FOUR}' AND version = {of}" for of, to in SWAPPED],
    ),
    "a command is not named": ({"commands_whole"}, [f"UPDATE log_events SET command = NULL WHERE {MIDDLE}"]),
    "an event of a command is missing": (
        {"commands_whole"}, ["UPDATE log_events SET meta = :meta WHERE position = 3"],
    ),
    "time goes back": ({"time_forward"}, [f"UPDATE log_events SET recorded_at = :later WHERE {MIDDLE}"]),
    "an event is in another partition": (
        {"partitions_fixed"},
        [f"UPDATE log_events SET partition = {partition_of(ONE, PARTITIONS)} WHERE position = 1"],
    ),
    "a private event is public": (
        {"partitions_fixed"},
        ["UPDATE log_events SET partition = (SELECT partition FROM log_events WHERE name = 'counter.rang@1')"
         " WHERE name = 'echo.requested@1' AND version = 1"],
    ),
    "the relay ran past the head": ({"relay_at_place"}, ["UPDATE relay_checkpoint SET position = position + 5"]),
    "the relay forgot what it sent": ({"relay_at_place"}, ["UPDATE relay_checkpoint SET last = '{}'"]),
    "what was carried out is refused": (
        {"answered_once"},
        ["UPDATE log_events SET command = (SELECT command FROM log_events WHERE position = 1) WHERE name = 'command.refused@1'"],
    ),
    "a reader is past the end": (
        {"guards_at_place"},
        ["UPDATE guards SET next_offset = next_offset + 1000 WHERE consumer = 'heard_g1' AND partition = 3"],
    ),
    "a reader of the log is past its head": (
        {"guards_at_place"},
        ["UPDATE guards SET next_offset = next_offset + 9, last_position = last_position + 9 WHERE consumer = 'echo'"],
    ),
    "a guard is gone": (
        {"guards_at_place"}, ["DELETE FROM guards WHERE consumer = 'heard_g1' AND partition = 3"],
    ),
    "a deadline was missed": ({"deadlines_met"}, ["UPDATE deadlines SET due_at = :late"]),
}  # fmt: skip


@pytest.mark.parametrize("what", IN_THE_DATABASE)
async def test_harm_to_the_log_or_a_guard_is_named(app: App, what: str) -> None:
    wanted, statements = IN_THE_DATABASE[what]
    meta = await app.log.read(2, 1)
    await harm(
        app, *statements, bytes=b"?", meta=meta[0].meta.replace(b'"events":1', b'"events":2'),
        later=stored(app, LATER), late=stored(app, system_clock() - timedelta(minutes=2)),
    )  # fmt: skip
    assert red(await check_service(app, topics=False, rebuilt=False)) == wanted


def stored(app: App, at: datetime) -> object:
    return at.isoformat(timespec="microseconds") if isinstance(app.database, SqliteDatabase) else at


@pytest.mark.parametrize(("column", "wanted"), [("command", "commands_once"), ("version", "versions_dense")])
async def test_what_the_unique_keys_would_let_through_is_seen(app: App, column: str, wanted: str) -> None:
    """As after a restore that lost the constraints."""
    await harm(app, *without_keys(app))
    await harm(
        app,
        f"UPDATE log_events SET {column} = (SELECT {column} FROM log_events WHERE stream = '{FOUR}' AND version = 2) "
        f"WHERE stream = '{FOUR}' AND version = 3",
    )
    assert red(await check_service(app, topics=False, rebuilt=False)) == {wanted}


def without_keys(app: App) -> list[str]:
    if isinstance(app.database, SqliteDatabase):
        copied = "CREATE TABLE copied AS SELECT * FROM log_events"
        return [copied, "DROP TABLE log_events", "ALTER TABLE copied RENAME TO log_events"]
    return [f"ALTER TABLE log_events DROP CONSTRAINT log_events_stream_{key}" for key in ("version", "command")]


async def test_what_is_parked_is_named_with_its_reason(app: App) -> None:
    await harm(
        app,
        "INSERT INTO parked (consumer, source, partition, \"offset\", key, position, type, value, headers, reason, parked_at)"
        " VALUES ('heard_g1', 'log', 0, 1, 'a key', 1, '', :bytes, :bytes, 'because', :now)",
        bytes=b"", now=stored(app, system_clock()),
    )  # fmt: skip
    found = await check_service(app, topics=False, rebuilt=False)
    assert broken(found) == ["toys: nothing_parked: heard_g1 a key: because"]


EVENTS = f"topic = 'toys.events.v1' AND partition = {partition_of(FOUR, PARTITIONS)}"
"""Holds the three events of one stream."""
REQUEST = (
    "topic = 'toys.commands.v1' AND \"offset\" = (SELECT max(\"offset\") FROM records WHERE topic = 'toys.commands.v1')"
)
SWAP = ((0, -1), (1, 0), (-1, 1))
NO_EVENT = [("ce_position", "15", "915"), ("ce_previous", "10", "15")]


def copied(where: str, offset: str, *headers: tuple[str, str, str]) -> str:
    """A record once more at another offset, with some headers changed from one value to another."""
    changed = "headers"
    for name, of, to in headers:
        changed = f"""replace({changed}, '"{name}","{of}', '"{name}","{to}')"""
    return f"INSERT INTO records SELECT topic, partition, {offset}, key, value, {changed}, 0 FROM records WHERE {where}"


def at(offset: int) -> str:
    return f'{EVENTS} AND "offset" = {offset}'


ON_THE_TOPICS: dict[str, tuple[set[str], list[str]]] = {
    "a repeat is no harm": (set(), [copied(at(0), "3")]),
    "the last message is lost": ({"topic_complete"}, [f"DELETE FROM records WHERE {at(2)}"]),
    "a message is lost": ({"topic_complete", "topic_in_order"}, [f"DELETE FROM records WHERE {at(1)}"]),
    "two messages are swapped": (
        {"topic_in_order"}, [f'UPDATE records SET "offset" = {to} WHERE {at(of)}' for of, to in SWAP],
    ),
    "a message of no event": ({"topic_committed"}, [copied(at(2), "3", *NO_EVENT)]),
    "a message says something else": ({"topic_as_published"}, [f"UPDATE records SET value = X'7B7D' WHERE {at(0)}"]),
    "a request is lost": ({"requests_sent"}, [f"DELETE FROM records WHERE {REQUEST}"]),
    "a request that nobody made": ({"requests_sent"}, [copied(REQUEST, '"offset" + 1', ("ce_id", "", "0"))]),
}  # fmt: skip


@pytest.mark.parametrize("what", ON_THE_TOPICS)
async def test_harm_to_a_topic_is_named(app: App, what: str) -> None:
    wanted, statements = ON_THE_TOPICS[what]
    await harm_bus(app, *statements)
    found = await check_service(app, rebuilt=False)
    assert red(found) - {"guards_at_place"} == wanted


FOLDED: dict[str, tuple[set[str], list[str]]] = {
    "a row of a read model": (
        {"rebuild_sums_own"}, [f"UPDATE sums_g1 SET total = total + 1 WHERE stream = '{ONE}'"],
    ),
    "a row too few": ({"rebuild_heard"}, [f"DELETE FROM heard_g1 WHERE stream = '{ONE}'"]),
    "a row too many": ({"rebuild_heard"}, ["INSERT INTO heard_g1 VALUES ('counter-x', 1, 1, 1)"]),
    "an inline row": ({"inline_totals"}, ["UPDATE totals SET total = total - 1 WHERE owner = 'all'"]),
    "an inline row too many": ({"inline_totals"}, ["INSERT INTO totals VALUES ('nobody', 1)"]),
    "a lost deadline": ({"inline_deadlines"}, ["DELETE FROM deadlines"]),
    "a moved deadline": ({"inline_deadlines"}, ["UPDATE deadlines SET due_at = :later"]),
    "a reader that stands still": (
        {"rebuild_sums_own"}, ["UPDATE guards SET next_offset = 2, last_position = 1 WHERE consumer = 'sums_own_g1'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FOLDED)
async def test_harm_to_what_is_folded_is_named(app: App, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.verify.read_models.CATCH_UP_S", 0.3)
    wanted, statements = FOLDED[what]
    await harm(app, *statements, later=stored(app, LATER))
    assert red(await check_service(app)) == wanted


async def test_a_read_model_behind_a_hole_cannot_be_rebuilt(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.verify.read_models.STALL_S", patience(2.0))
    await harm_bus(app, f"DELETE FROM records WHERE {at(1)}")
    assert red(await check_service(app)) == {"topic_complete", "topic_in_order", "rebuild_heard"}


async def test_the_monitor_shows_what_it_finds_until_a_whole_round_is_clean(app: App) -> None:
    def shown(invariant: str) -> float | None:
        return REGISTRY.get_sample_value("invariant_violations", {"invariant": invariant})

    monitor = InvariantMonitor(app)
    await monitor.run_once()
    assert shown("versions_dense") == shown("deadlines_met") == 0
    await harm(app, f"UPDATE log_events SET version = 9 WHERE stream = '{FOUR}' AND version = 3")
    await monitor.run_once()
    assert (shown("versions_dense"), shown("deadlines_met")) == (1, 0)
    await harm(app, f"UPDATE log_events SET version = 3 WHERE stream = '{FOUR}' AND version = 9")
    await monitor.run_once()
    assert shown("versions_dense") == 1
    await monitor.run_once()
    assert shown("versions_dense") == 0
