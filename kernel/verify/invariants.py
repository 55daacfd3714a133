"""What must hold of a service's data, whatever happened to its processes: one checker for every fault test and for `verify`.

`check` as a whole wants the service quiet (stopped, or nothing going on); what `quick` looks at holds on a busy one too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from kernel.core.check import Check, CheckResult
from kernel.eventlog.commands import REFUSAL
from kernel.processors.generations import live
from kernel.processors.projector import consumer_name
from kernel.runtime import telemetry
from kernel.streams.records import OWN_LOG
from kernel.verify import inline_rows, read_models
from kernel.verify import topics as topics_of
from kernel.verify.log_scan import LogScan
from kernel.verify.subject import Subject

__all__ = ["CheckResult", "InvariantMonitor", "broken", "check", "quick"]

OVERDUE = timedelta(minutes=1)
PATROL_EVENTS = 20_000
"""What a patrol walks of the log at a time."""
Say = Callable[[str], None]
"""Told what is looked at next, for a progress display."""


async def check(
    app: Subject, *, topics: bool = True, rebuilt: bool = True, say: Say = lambda _: None
) -> list[CheckResult]:
    """All invariants of a service: the kernel's, and those it declares. `rebuilt` waits a while for what lags behind.

    `topics` reads its topics whole; `rebuilt` fills read models and inline tables anew beside the live ones, as the
    database's owner. Neither makes sense on a log that has holes or cannot be read: they are left out then.
    """
    found = await quick(app, say)
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


async def quick(app: Subject, say: Say = lambda _: None) -> list[CheckResult]:
    """What one pass over the log and a few queries tell, and the service's own invariants."""
    say(f"{app.service.name}: log")
    scrub = LogScan(app.log, app.deciders)
    await scrub.all()
    found = [look.done() for look in scrub.looks()]
    found += [await one(app) for one in (relay_at_place, answered_once, *LIGHT)]
    for invariant in app.service.invariants:
        say(f"{app.service.name}: its own invariants")
        found += await invariant(app)
    return [replace(one, service=app.service.name) for one in found]


async def relay_at_place(app: Subject) -> CheckResult:
    """The checkpoint is not past the head, and names the last event before it in every partition of the topic."""
    look, topic = Check("relay_at_place"), f"{app.service.name}.events.v1"
    checkpoint, events = app.metadata.tables["relay_checkpoint"], app.metadata.tables["log_events"]
    async with app.database.snapshot() as connection:
        row = (await connection.execute(sa.select(checkpoint.c.position, checkpoint.c.last))).one()
        head = (await app.log.head(connection)).position
        public = events.c.partition.is_not(None) & (events.c.position <= row.position)
        last = sa.select(events.c.partition, sa.func.max(events.c.position)).where(public).group_by(events.c.partition)
        wanted = {f"{topic}/{partition}": position for partition, position in await connection.execute(last)}
    look.at(row.position <= head, f"the relay is at {row.position} of {head}")
    kept = {where: position for where, position in orjson.loads(row.last).items() if where.startswith(f"{topic}/")}
    for where in sorted(wanted.keys() | kept.keys()):
        same = wanted.get(where) == kept.get(where)
        look.at(same, f"{where}: {kept.get(where)} was the last one sent, not {wanted.get(where)}")
    return look.done()


async def answered_once(app: Subject) -> CheckResult:
    """No request of another service was both carried out and refused."""
    look, events = Check("answered_once"), app.metadata.tables["log_events"]
    refusal, other = events.alias("refusal"), events.alias("other")
    refused = refusal.c.stream.startswith(f"{REFUSAL}-", autoescape=True)
    both = sa.select(refusal.c.stream, other.c.stream).where(
        refused, other.c.command == refusal.c.command, other.c.stream != refusal.c.stream
    )
    async with app.database.reading() as connection:
        look.looked_at = (
            await connection.execute(sa.select(sa.func.count()).select_from(refusal).where(refused))
        ).scalar_one()
        for refusing, stream in (await connection.execute(both.limit(20))).all():
            look.wrong(f"{refusing} refuses what {stream} has carried out")
    return look.done()


async def guards_at_place(app: Subject) -> CheckResult:
    """A guard for every partition of a source that a consumer reads, none past the end of its source."""
    look, guards = Check("guards_at_place"), app.metadata.tables["guards"]
    async with app.database.reading() as connection:
        rows = (await connection.execute(sa.select(guards))).all()
    head = (await app.log.head()).position
    ends = await app.bus.end_offsets(sorted({row.source for row in rows} - {OWN_LOG}))
    for row in rows:
        own = row.source == OWN_LOG
        end = head + 1 if own else ends.get((row.source, row.partition), 0)
        look.at(
            row.next_offset <= end, f"{row.consumer} is at {row.next_offset} of {end} in {row.source}/{row.partition}"
        )
        if own and (row.next_offset, row.last_position) not in {(0, 0), (row.last_position + 1, row.last_position)}:
            look.wrong(f"{row.consumer} is at {row.next_offset} after position {row.last_position}")
    for (consumer, source), found in _by_source(rows).items():
        wanted = {0} if source == OWN_LOG else {partition for topic, partition in ends if topic == source}
        if wanted and wanted != found:
            look.wrong(f"{consumer} has guards for {len(found)} of {len(wanted)} partitions of {source}")
    return look.done()


def _by_source(rows: Sequence[Any]) -> dict[tuple[str, str], set[int]]:
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row in rows:
        found[row.consumer, row.source].add(row.partition)
    return found


async def nothing_parked(app: Subject) -> CheckResult:
    """No event waits for `dlq retry`; generations of read models that are no longer live do not count."""
    look, parked = Check("nothing_parked"), app.metadata.tables["parked"]
    query = sa.select(parked.c.consumer, parked.c.key, parked.c.reason).order_by(parked.c.parked_at)
    async with app.database.reading() as connection:
        old = [name async for name in _superseded(app, connection)]
        waiting = query.where(parked.c.consumer.not_in(old)).limit(20)
        for row in (await connection.execute(waiting)).all():
            look.at(False, f"{row.consumer} {row.key}: {row.reason}")
    return look.done()


async def _superseded(app: Subject, connection: Any) -> Any:
    for projection in app.service.projections:
        found = await live(connection, app.database, projection)
        for generation in range(1, found.generation if found else 1):
            yield consumer_name(projection.name, generation)


async def deadlines_met(app: Subject) -> CheckResult:
    """No deadline is more than a minute overdue (the clock runs what has come within a second)."""
    look = Check("deadlines_met")
    if "deadlines" not in app.deciders.inlines:
        return look.done()
    deadlines, now = app.metadata.tables["deadlines"], await app.log.now()
    late = sa.select(deadlines).where(deadlines.c.due_at < now - OVERDUE).order_by(deadlines.c.due_at).limit(20)
    async with app.database.reading() as connection:
        look.looked_at = (await connection.execute(sa.select(sa.func.count()).select_from(deadlines))).scalar_one()
        for row in (await connection.execute(late)).all():
            look.wrong(f"{row.stream} {row.name} was due at {row.due_at.isoformat()}")
    return look.done()


LIGHT = (guards_at_place, nothing_parked, deadlines_met)
"""Queries that cost the same however long the log is."""


class InvariantMonitor:
    """The cheap checks round and round on a running service, each time over the next part of its log: bounded cost."""

    def __init__(self, app: Subject) -> None:
        self._app = app
        self._scrub = LogScan(app.log, app.deciders)
        self._before: dict[str, int] = {}
        """What the round before this one found of the log."""

    async def look(self) -> None:
        """Looks once; what the log showed stays until a whole round does not show it."""
        if self._scrub.position >= (head := (await self._app.log.head()).position):
            self._before = {look.invariant: look.broken for look in self._scrub.looks()}
            self._scrub = LogScan(self._app.log, self._app.deciders)
        await self._scrub.walk(min(head, self._scrub.position + PATROL_EVENTS))
        for name, count in [*self._of_log(), *[await self._of(one) for one in LIGHT]]:
            telemetry.gauge("invariant_violations", count, invariant=name)

    def _of_log(self) -> Iterator[tuple[str, int]]:
        for look in self._scrub.looks():
            yield look.invariant, max(look.broken, self._before.get(look.invariant, 0))

    async def _of(self, one: Callable[[Subject], Any]) -> tuple[str, int]:
        found: CheckResult = await one(self._app)
        return found.invariant, len(found.problems)
