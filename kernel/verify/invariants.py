"""Invariants of a service's data: one checker for `verify`, for every fault test and for the running service's metrics.

`check_service` needs a quiet service (stopped, or without traffic). `quick_check` is right on a busy service too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.core.check import Check, CheckResult
from kernel.core.events import REFUSAL
from kernel.processors.generations import live
from kernel.processors.projector import consumer_name
from kernel.runtime import telemetry
from kernel.streams.records import OWN_LOG
from kernel.verify import inline_rows, read_models
from kernel.verify import topics as topics_of
from kernel.verify.log_scan import LogScan
from kernel.verify.subject import Subject

__all__ = ["CheckResult", "InvariantMonitor", "broken", "check_service", "quick_check"]

OVERDUE = timedelta(minutes=1)
MONITOR_EVENTS = 20_000
"""Events of the log that one run of the monitor scans."""
Say = Callable[[str], None]
"""Progress callback: gets the name of the part that is checked next."""


async def check_service(
    app: Subject, *, topics: bool = True, rebuilt: bool = True, say: Say = lambda _: None
) -> list[CheckResult]:
    """Checks all invariants of a service: the kernel's, and the invariants that the service declares.

    `topics` reads the service's topics whole. `rebuilt` rebuilds read models and inline tables beside the live ones, as the
    owner of the database, and waits up to CATCH_UP_S for a read model that lags. Both need a log without holes whose events
    all decode; on any other log both are left out.
    """
    found = await quick_check(app, say)
    whole = all(one.ok for one in found if one.invariant in {"positions_dense", "events_readable"})
    if topics and whole:
        say(f"{app.service.name}: topics")
        found += await topics_of.check_topics(app)
    if rebuilt and whole:
        say(f"{app.service.name}: inline tables")
        found += await inline_rows.check_inline_tables(app)
        for projection in app.service.projections:
            say(f"{app.service.name}: read model {projection.name}")
            found.append(await read_models.compare_rebuild(app, projection))
    return [replace(one, service=app.service.name) for one in found]


def broken(found: Sequence[CheckResult]) -> list[str]:
    """A line `service: invariant: problem` for each problem."""
    return [f"{one.service}: {one.invariant}: {problem}" for one in found for problem in one.problems]


async def quick_check(app: Subject, say: Say = lambda _: None) -> list[CheckResult]:
    """Checks by one scan of the log and a few queries, then the service's own invariants."""
    say(f"{app.service.name}: log")
    scan = LogScan(app.log, app.deciders)
    await scan.scan_all()
    found = [check.result() for check in scan.checks()]
    found += [await one(app) for one in (relay_at_place, answered_once, *LIGHT)]
    for invariant in app.service.invariants:
        say(f"{app.service.name}: its own invariants")
        found += await invariant(app)
    return [replace(one, service=app.service.name) for one in found]


async def relay_at_place(app: Subject) -> CheckResult:
    """Relay checkpoint: at or below the head, and it names the last public event at or below it in every partition."""
    check, topic = Check("relay_at_place"), f"{app.service.name}.events.v1"
    checkpoint, events = app.metadata.tables["relay_checkpoint"], app.metadata.tables["log_events"]
    async with app.database.snapshot() as connection:
        row = (await connection.execute(sa.select(checkpoint.c.position, checkpoint.c.last))).one()
        head = (await app.log.head(connection)).position
        public = events.c.partition.is_not(None) & (events.c.position <= row.position)
        last = sa.select(events.c.partition, sa.func.max(events.c.position)).where(public).group_by(events.c.partition)
        wanted = {f"{topic}/{partition}": position for partition, position in await connection.execute(last)}
    check.that(row.position <= head, f"the relay is at {row.position} of {head}")
    kept = {where: position for where, position in orjson.loads(row.last).items() if where.startswith(f"{topic}/")}
    for where in sorted(wanted.keys() | kept.keys()):
        same = wanted.get(where) == kept.get(where)
        check.that(same, f"{where}: {kept.get(where)} was the last one sent, not {wanted.get(where)}")
    return check.result()


async def answered_once(app: Subject) -> CheckResult:
    """Answered once: a request of another service was either carried out or refused, never both."""
    check, events = Check("answered_once"), app.metadata.tables["log_events"]
    refusal, other = events.alias("refusal"), events.alias("other")
    refused = refusal.c.stream.startswith(f"{REFUSAL}-", autoescape=True)
    both = sa.select(refusal.c.stream, other.c.stream).where(
        refused, other.c.command == refusal.c.command, other.c.stream != refusal.c.stream
    )
    async with app.database.reading() as connection:
        check.checked = (
            await connection.execute(sa.select(sa.func.count()).select_from(refusal).where(refused))
        ).scalar_one()
        for refusing, stream in (await connection.execute(both.limit(20))).all():
            check.fail(f"{refusing} refuses what {stream} has carried out")
    return check.result()


async def guards_at_place(app: Subject) -> CheckResult:
    """Guards: a consumer has one for every partition of each source it reads, and none stands past the end of its source."""
    check, guards = Check("guards_at_place"), app.metadata.tables["guards"]
    async with app.database.reading() as connection:
        rows = (await connection.execute(sa.select(guards))).all()
    head = (await app.log.head()).position
    ends = await app.bus.end_offsets(sorted({row.source for row in rows} - {OWN_LOG}))
    for row in rows:
        own = row.source == OWN_LOG
        end = head + 1 if own else ends.get((row.source, row.partition), 0)
        check.that(
            row.next_offset <= end, f"{row.consumer} is at {row.next_offset} of {end} in {row.source}/{row.partition}"
        )
        if own and (row.next_offset, row.last_position) not in {(0, 0), (row.last_position + 1, row.last_position)}:
            check.fail(f"{row.consumer} is at {row.next_offset} after position {row.last_position}")
    for (consumer, source), found in _by_source(rows).items():
        wanted = {0} if source == OWN_LOG else {partition for topic, partition in ends if topic == source}
        if wanted and wanted != found:
            check.fail(f"{consumer} has guards for {len(found)} of {len(wanted)} partitions of {source}")
    return check.result()


def _by_source(rows: Sequence[Any]) -> dict[tuple[str, str], set[int]]:
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row in rows:
        found[row.consumer, row.source].add(row.partition)
    return found


async def nothing_parked(app: Subject) -> CheckResult:
    """Parked records: none waits for `dlq retry`. Generations that a rebuild has replaced do not count, nor do keys that are
    tried again by themselves."""
    check, parked = Check("nothing_parked"), app.metadata.tables["parked"]
    query = sa.select(parked.c.consumer, parked.c.key, parked.c.reason).order_by(parked.c.parked_at)
    async with app.database.reading() as connection:
        old = [name async for name in _superseded(app, connection)]
        waiting = query.where(parked.c.consumer.not_in(old), parked.c.retry_at.is_(None)).limit(20)
        for row in (await connection.execute(waiting)).all():
            check.that(False, f"{row.consumer} {row.key}: {row.reason}")
    return check.result()


async def _superseded(app: Subject, connection: Any) -> Any:
    for projection in app.service.projections:
        found = await live(connection, app.database, projection)
        for generation in range(1, found.generation if found else 1):
            yield consumer_name(projection.name, generation)


async def deadlines_met(app: Subject) -> CheckResult:
    """Deadlines: none is more than a minute overdue (the scheduler executes a deadline within a second of its time)."""
    check = Check("deadlines_met")
    if "deadlines" not in app.deciders.inlines:
        return check.result()
    deadlines, now = app.metadata.tables["deadlines"], await app.log.now()
    late = sa.select(deadlines).where(deadlines.c.due_at < now - OVERDUE).order_by(deadlines.c.due_at).limit(20)
    async with app.database.reading() as connection:
        check.checked = (await connection.execute(sa.select(sa.func.count()).select_from(deadlines))).scalar_one()
        for row in (await connection.execute(late)).all():
            check.fail(f"{row.stream} {row.name} was due at {row.due_at.isoformat()}")
    return check.result()


LIGHT = (guards_at_place, nothing_parked, deadlines_met)
"""Checks whose cost stays the same as the log grows."""


class InvariantMonitor:
    """Monitor of a running service: sets `invariant_violations` from the LIGHT checks and a log scan that goes in pieces.

    One run scans at most MONITOR_EVENTS events, so its cost is bounded; a scan that has reached the head begins again.
    """

    def __init__(self, app: Subject) -> None:
        self._app = app
        self._scan = LogScan(app.log, app.deciders)
        self._last_scan: dict[str, int] = {}
        """Failures by invariant of the last whole scan."""

    async def run_once(self) -> None:
        """Runs once. A failure of the last whole scan stays in the gauge until a whole scan passes without it."""
        if self._scan.position >= (head := (await self._app.log.head()).position):
            self._last_scan = {check.invariant: check.failures for check in self._scan.checks()}
            self._scan = LogScan(self._app.log, self._app.deciders)
        await self._scan.scan_to(min(head, self._scan.position + MONITOR_EVENTS))
        for name, count in [*self._log_failures(), *[await self._failures(one) for one in LIGHT]]:
            telemetry.gauge("invariant_violations", count, invariant=name)

    def _log_failures(self) -> Iterator[tuple[str, int]]:
        for check in self._scan.checks():
            yield check.invariant, max(check.failures, self._last_scan.get(check.invariant, 0))

    async def _failures(self, one: Callable[[Subject], Any]) -> tuple[str, int]:
        found: CheckResult = await one(self._app)
        return found.invariant, len(found.problems)
