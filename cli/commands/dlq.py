"""`dlq`: the dead letters, parked by key in order with the reason: listed, shown, handled again, dropped."""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from cli import tables
from cli.layout import Layout
from cli.open_services import open_services, running_writer
from cli.tables import table_of
from kernel.core.clock import system_clock
from kernel.core.faults import Fault
from kernel.host.app import App
from kernel.host.operations.retry import handler
from kernel.host.operations.standing import ParkedQuery, parked_keys
from kernel.streams.parked import BUDGET_KEYS, Parking
from kernel.streams.records import UNREADABLE, InboundRecord

LIST_LIMIT = 500
ALL = ParkedQuery(include_retried=True, limit=LIST_LIMIT)
"""Every parked key, those that are tried again by themselves too."""
WIDTH = 220
"""Wide enough for whole keys and reasons, which are copied from the table."""
DROPPED = "dropped.jsonl"
Waiting = tuple[Any, str, InboundRecord]
"""Place, source and record, as `Parking.waiting` returns them."""


def dlq(given: argparse.Namespace) -> int:
    """`list`, `show`, `retry` or `drop`; 1 when the retry still fails, or the key may not be dropped."""
    layout = Layout.load(given.data)
    match given.action:
        case "list":
            return asyncio.run(_list(layout))
        case "show":
            return asyncio.run(_show_key(layout, given.service, given.consumer, given.key))
        case "retry":
            return asyncio.run(_retry(layout, given.service, given.consumer, given.key))
        case _:
            return asyncio.run(_drop(layout, given.service, given.consumer, given.key, given.reason))


async def _list(layout: Layout) -> int:
    table = table_of("Parked", "service", "consumer", "key", "since", "reason", "events", left=5)
    full: list[str] = []
    async with open_services(layout) as apps:
        for app in apps:
            for row in (await parked_keys(app, ALL)).rows:
                since = str(row["parked_at"])[:19]
                again = f"again at {str(row['retry_at'])[:19]}: " if row["retry_at"] else ""
                why = f"{again}{row['reason'][:60]}"
                table.add_row(app.service.name, row["consumer"], row["key"], since, why, f"{row['events']:,}")
            full += [f"{app.service.name} {one}" for one in await near_budget(app)]
    tables.wide(WIDTH).print(table if table.row_count else "nothing is parked")
    for line in full:
        tables.wide(WIDTH).print(line)
    return 0


async def near_budget(app: App) -> list[str]:
    """Consumers that have used half of their budget of parked keys, and tenants whose events are all parked."""
    parked, full = app.metadata.tables["parked"], app.metadata.tables["parked_tenants"]
    count = sa.func.count(parked.c.key.distinct())
    query = sa.select(parked.c.consumer, count).group_by(parked.c.consumer).having(count >= BUDGET_KEYS // 2)
    async with app.database.reading() as connection:
        found = (await connection.execute(query.order_by(parked.c.consumer))).all()
        tenants = (await connection.execute(sa.select(full).order_by(full.c.consumer, full.c.tenant))).all()
    stops = f"it stops when {BUDGET_KEYS:,} keys of many tenants are parked: the cause is then a general one"
    return [
        *[f"{consumer} has parked {keys:,} keys; {stops}" for consumer, keys in found],
        *[
            f"{one.consumer} parks all events of tenant {one.tenant}: mend its keys, then dlq retry --all"
            for one in tenants
        ],
    ]


async def _show_key(layout: Layout, service: str, consumer: str, key: str) -> int:
    table = table_of(f"{consumer} {key}", "source", "offset", "position", "type", "bytes", "reason", left=6)
    async with open_services(layout, [service]) as (app,):
        parked = app.metadata.tables["parked"]
        query = sa.select(parked).where(parked.c.consumer == consumer, parked.c.key == key)
        order = (parked.c.source, parked.c.partition, parked.c.offset)
        async with app.database.reading() as connection:
            for row in (await connection.execute(query.order_by(*order).limit(LIST_LIMIT))).all():
                where = f"{row.source}/{row.partition}"
                size = len(row.value) + len(orjson.loads(row.headers))
                table.add_row(where, str(row.offset), str(row.position), row.type, str(size), row.reason)
    tables.wide(WIDTH).print(table if table.row_count else "nothing is parked under this key")
    return 0


async def _retry(layout: Layout, service: str, consumer: str, key: str) -> int:
    """Handles a key's events in order, or those of every key without one; what still fails stays parked as it was."""
    handled, failed = 0, 0
    async with open_services(layout, [service]) as (app,), running_writer(app):
        try:
            runner, its_consumer = await handler(app, consumer)
            wanted = [key] if key else sorted(await Parking(app.database, consumer).keys())
        except Fault as error:
            sys.stderr.write(f"not handled: {error}\n")
            return 1
        for one in wanted:
            try:
                handled += await runner.retry(one, its_consumer.redecode)
            except (Fault, ValueError, KeyError, TypeError) as error:
                which = f"{one} " if len(wanted) > 1 else ""
                sys.stderr.write(f"not handled: {which}{error}\n")
                failed += 1
    tables.wide(WIDTH).print(f"{handled} events handled")
    return 1 if failed else 0


async def _drop(layout: Layout, service: str, consumer: str, key: str, reason: str) -> int:
    """Drops a record whose headers can never be read, so that it is no event; `dropped.jsonl` keeps it with the reason."""
    if not key.startswith(UNREADABLE):
        sys.stderr.write(f"only records under {UNREADABLE}... can be dropped: mend the cause, then `dlq retry`\n")
        return 1
    async with open_services(layout, [service]) as (app,):
        parking = Parking(app.database, consumer)
        waiting = await parking.waiting(key)
        for one in waiting:
            _append_line(layout.folder / DROPPED, _dropped_record(service, consumer, one, reason))
        async with app.database.transaction() as connection:
            await parking.remove(connection, [place for place, _, _ in waiting])
    tables.wide(WIDTH).print(f"{len(waiting)} dropped, kept in {layout.folder / DROPPED}")
    return 0 if waiting else 1


def _dropped_record(service: str, consumer: str, one: Waiting, reason: str) -> dict[str, Any]:
    """The whole record, its bytes included, so that it can be put back by hand."""
    (source, partition, offset), _, inbound = one
    headers = [(name, value.decode("latin-1")) for name, value in inbound.headers]
    return {
        "dropped_at": system_clock(), "reason": reason, "service": service, "consumer": consumer,
        "source": source, "partition": partition, "offset": offset, "key": inbound.key, "headers": headers,
        "value_hex": inbound.value.hex(),
    }  # fmt: skip


def _append_line(path: Path, line: dict[str, Any]) -> None:
    """Appends one line and syncs it to disk, before the record is removed."""
    with path.open("ab") as file:
        file.write(orjson.dumps(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
