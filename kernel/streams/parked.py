"""Parked events (dead letters by key): an event that cannot be handled, and all later events of its key, with the reason.

A key is parked in one of two ways. A key with a `retry_at` waits for an answer from outside and is tried again by itself
(kernel.processors.reactor). A key without one needs a person: `dlq retry`. Budgets are per tenant: past TENANT_KEYS keys that
need a person, all events of that tenant are parked untried, and every other tenant's events go on.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from traceback import walk_tb
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.schema import in_texts
from kernel.core.clock import system_clock
from kernel.core.events import Delivered
from kernel.core.faults import Fault, Unavailable
from kernel.streams.records import OWN_LOG, InboundRecord, PartitionBatch

logger = logging.getLogger(__name__)

BUDGET_KEYS = 1_000
"""Limit of parked keys, counted over all tenants, of which each counts at most its share. Past it the consumer halts: the
cause is general, and parking more keys would hide it."""
TENANT_KEYS = 1_000
"""Limit of one tenant's parked keys."""
TENANTS_AT_LEAST = 20
"""No fewer tenants than this can spend the budget of all."""
REASON_LIMIT = 500
KEY_IS_PARKED = "key is parked"
TENANT_IS_PARKED = "tenant is parked: it has too many parked keys"
UNTRIED = frozenset({KEY_IS_PARKED, TENANT_IS_PARKED})
_ANY = "SELECT 1 FROM parked WHERE consumer = :consumer LIMIT 1"
_KEYS = "SELECT DISTINCT key FROM parked WHERE consumer = :consumer"
Redecode = Callable[[str, InboundRecord], Awaitable[Delivered[Any] | None]]
"""Decodes a parked record of a source again (`Consumer.redecode`); raises the error that the record still has."""


class SetAside(NamedTuple):
    """A record to park, with the reason; `retry_at` is when it is tried again by itself (None: a person retries it)."""

    part: PartitionBatch
    inbound: InboundRecord
    reason: str
    retry_at: datetime | None = None


@dataclass(slots=True)
class ParkedKeys:
    """What of a batch is parked already: keys with their `retry_at`, and tenants at their limit."""

    keys: dict[str, datetime | None] = field(default_factory=dict)
    tenants: frozenset[str] = frozenset()

    def reason(self, inbound: InboundRecord) -> str | None:
        """Why a record must be parked without being tried; None when it may be tried."""
        if inbound.error is not None:
            return inbound.error
        if inbound.key in self.keys:
            return KEY_IS_PARKED
        return TENANT_IS_PARKED if inbound.charged_to in self.tenants else None

    def set_aside(self, part: PartitionBatch, inbound: InboundRecord, reason: str) -> SetAside:
        """The record as one to park; its key counts as parked from now on. Behind a key that is tried again by itself the record
        is tried again with it."""
        retry_at = self.keys.setdefault(inbound.key, None)
        return SetAside(part, inbound, reason, retry_at if reason == KEY_IS_PARKED else None)


class Parking:
    """The parked events of one consumer; there is no dead-letter topic."""

    def __init__(self, database: Database, consumer: str) -> None:
        self._database, self._consumer = database, consumer
        self._table = database.metadata.tables["parked"]
        self._tenants = database.metadata.tables["parked_tenants"]
        self._mine = self._table.c.consumer == consumer

    async def keys(self, connection: AsyncConnection | None = None) -> set[str]:
        """All parked keys, for operators and tests; a consumer asks `standing` for the keys of its batch."""
        return {row[0] for row in await self._database.rows(_KEYS, {"consumer": self._consumer}, connection)}

    async def standing(self, keys: Iterable[str], connection: AsyncConnection | None = None) -> ParkedKeys:
        """What is parked of these keys, and the tenants at their limit. Call for every batch, after the guards were loaded:
        another replica may have parked a key."""
        if not await self._database.rows(_ANY, {"consumer": self._consumer}, connection):
            return ParkedKeys()
        if connection is None:
            async with self._database.reading() as reading:
                return await self._standing(keys, reading)
        return await self._standing(keys, connection)

    async def _standing(self, keys: Iterable[str], connection: AsyncConnection) -> ParkedKeys:
        key = self._table.c.key
        query = sa.select(key, sa.func.max(self._table.c.retry_at)).where(self._mine, in_texts(key, keys)).group_by(key)
        found = (await connection.execute(query)).all()
        return ParkedKeys({row[0]: row[1] for row in found}, await self.tenants(connection))

    async def tenants(self, connection: AsyncConnection) -> frozenset[str]:
        """The tenants at their limit: all their events are parked."""
        return frozenset((await connection.execute(self._full)).scalars())

    @property
    def _full(self) -> sa.Select[Any]:
        return sa.select(self._tenants.c.tenant).where(self._tenants.c.consumer == self._consumer)

    async def park(self, connection: AsyncConnection, parked: Sequence[SetAside]) -> None:
        """Keeps records with their reasons, in the caller's transaction."""
        if not parked:
            return
        await self._charge(connection, parked)
        rows = {(one.part.source, one.part.partition, one.inbound.offset): self._row(one) for one in parked}
        await self._database.upsert(connection, self._table, list(rows.values()))

    async def _charge(self, connection: AsyncConnection, parked: Sequence[SetAside]) -> None:
        """Charges fresh keys to their tenants; raises Unavailable `parked.budget_spent` once keys of many tenants are parked."""
        tried = [one.inbound for one in parked if one.retry_at is None and one.reason not in UNTRIED]
        if not tried:
            return
        full, keys = await self.tenants(connection), await self._keys_of_tenants(connection)
        for inbound in tried:
            if inbound.charged_to not in full:
                keys.setdefault(inbound.charged_to, set()).add(inbound.key)
        share = max(1, BUDGET_KEYS // TENANTS_AT_LEAST)
        if sum(min(len(some), share) for some in keys.values()) + share * len(full) > BUDGET_KEYS:
            worst = max(keys, key=lambda tenant: (len(keys[tenant]), tenant))
            raise Unavailable("parked.budget_spent", consumer=self._consumer, limit=BUDGET_KEYS, tenant=worst)
        await self._set_aside(connection, sorted(tenant for tenant, some in keys.items() if len(some) > TENANT_KEYS))

    async def _keys_of_tenants(self, connection: AsyncConnection) -> dict[str, set[str]]:
        """Keys that need a person; tenants at their limit are left out, so that the answer is bounded."""
        query = sa.select(self._table.c.tenant, self._table.c.key).distinct()
        query = query.where(self._mine, self._table.c.retry_at.is_(None), self._table.c.tenant.not_in(self._full))
        found: dict[str, set[str]] = {}
        for tenant, key in await connection.execute(query):
            found.setdefault(tenant, set()).add(key)
        return found

    async def _set_aside(self, connection: AsyncConnection, tenants: Sequence[str]) -> None:
        rows = [{"consumer": self._consumer, "tenant": one, "parked_at": system_clock()} for one in tenants]
        if rows:
            await self._database.insert_missing(connection, self._tenants, rows)
        for tenant in tenants:
            extra = {"consumer": self._consumer, "tenant": tenant}
            logger.error(
                "tenant parked: too many of its keys cannot be handled, mend them and run dlq retry", extra=extra
            )

    def _row(self, one: SetAside) -> dict[str, Any]:
        part, inbound = one.part, one.inbound
        headers = orjson.dumps([(name, value.decode("latin-1")) for name, value in inbound.headers])
        # an own event is in the log, with its personal fields sealed
        value = b"" if part.source == OWN_LOG else inbound.value
        return {
            "consumer": self._consumer, "source": part.source, "partition": part.partition, "offset": inbound.offset,
            "key": inbound.key, "position": inbound.position, "type": inbound.type, "value": value,
            "headers": headers, "reason": one.reason.replace("\x00", "\ufffd"), "parked_at": system_clock(),
            "tenant": inbound.charged_to, "tries": 0, "retry_at": one.retry_at,
        }  # fmt: skip

    async def waiting(
        self, key: str, connection: AsyncConnection | None = None
    ) -> list[tuple[Any, str, InboundRecord]]:
        """A key's parked records in order: what `remove` takes, the source, the record."""
        if connection is None:
            async with self._database.reading() as reading:
                return await self.waiting(key, reading)
        order = (self._table.c.source, self._table.c.partition, self._table.c.offset)
        query = sa.select(self._table).where(self._mine, self._table.c.key == key).order_by(*order)
        rows = (await connection.execute(query)).all()
        return [((row.source, row.partition, row.offset), row.source, _inbound(row)) for row in rows]

    async def remove(self, connection: AsyncConnection, places: Sequence[Any]) -> None:
        """Deletes only the records at `places`: the consumer may have parked more of the key meanwhile.

        A tenant of which nothing is parked any more is no longer at its limit.
        """
        for source, partition, offset in places:
            await connection.execute(sa.delete(self._table).where(
                self._mine, self._table.c.source == source,
                self._table.c.partition == partition, self._table.c.offset == offset,
            ))  # fmt: skip
        left = sa.exists().where(self._mine, self._table.c.tenant == self._tenants.c.tenant)
        await connection.execute(sa.delete(self._tenants).where(self._tenants.c.consumer == self._consumer, ~left))


def reason_of(error: BaseException) -> str:
    """Why a record is parked: of a fault its code and facts; of any other error the type, what of the schema the database names,
    and the line that raised it. Never the error's message, which may quote a value: PostgreSQL's quotes the row's."""
    if isinstance(error, Fault):
        return f"{type(error).__name__}: {error}"[:REASON_LIMIT]
    told = [type(error).__name__, *_named_by_database(error), _place_of(error)]
    return " ".join(filter(None, told))[:REASON_LIMIT]


def _named_by_database(error: BaseException) -> Iterator[str]:
    """The SQLSTATE, and the names of the constraint, table and column that a statement met."""
    for one in (getattr(error, "orig", None), getattr(getattr(error, "orig", None), "__cause__", None), error):
        for name in ("sqlstate", "constraint_name", "table_name", "column_name"):
            if isinstance(found := getattr(one, name, None), str):
                yield f"{name}={found}"


def _place_of(error: BaseException) -> str:
    """`at file:line` of the innermost frame of our own code; "" without a traceback."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    ours = [one for one in frames if "site-packages" not in one[0]]
    return "at {}:{}".format(*(ours or frames)[-1]) if frames else ""


def _inbound(row: Any) -> InboundRecord:
    headers: Sequence[tuple[str, bytes]] = [(n, v.encode("latin-1")) for n, v in orjson.loads(row.headers)]
    return InboundRecord(row.offset, row.position, -1, row.key, row.type, row.value, headers, tenant=row.tenant)
