"""SQL of attribution side by side: the paths of a campaign's orders, read as the caller who asks, and the models over them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.database import Database
from kernel.adapters.schema import bounded_sum
from kernel.core.decider import Actor
from kernel.core.faults import Forbidden
from kernel.processors.access import may_read, reading_as
from services.metrics.attribution.models import MODELS, Credits, credited
from services.metrics.attribution.paths import Journeys
from services.metrics.domain.attribution import Basis, Model
from services.metrics.domain.totals import MINUTE_MS
from services.metrics.reads.returns import OWN_CLICKS, SERVICE, brand_of
from services.metrics.tables import CONTENTS, MINUTES, ORDER_CONTACTS, ORDERS, STAFF_ROLES, STANDS

OUTSIDE = ""
"""The channel of contents of the brand's other campaigns."""
ROWS_AT_ONCE = 20_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """`unit` is the column of a placement that credit is given to; a bound that is None bounds nothing."""

    campaign_id: str
    unit: str
    window_s: int
    ordered_from: datetime | None = None
    ordered_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SideBySide:
    """`credits` by currency and model, a part for each of `channels`; `lost` clicks led to no order."""

    brand_id: str
    channels: tuple[str, ...]
    journeys: Mapping[str, Journeys]
    credits: Mapping[str, Mapping[Model, Credits]]
    lost: int


@dataclass(frozen=True, slots=True)
class AttributionReads:
    """Reads as the caller who asks."""

    database: Database

    async def compared(self, asked: Question, actor: Actor) -> SideBySide:
        """Raises NotFound `campaign.not_found`, Forbidden `attribution.not_the_brand` for its creators, Refused
        `attribution.too_many_orders`."""
        channels: dict[str, int] = {}
        async with reading_as(self.database, SERVICE, actor) as connection:
            brand_id = await brand_of(connection, asked.campaign_id, actor)
            if actor.tenant != brand_id and actor.roles.isdisjoint(STAFF_ROLES):
                raise Forbidden("attribution.not_the_brand")
            journeys, led = await _journeys(connection, asked, actor, channels)
            lost = await _lost(connection, asked, actor, channels, led)
        credits = await asyncio.to_thread(_credits, journeys, len(channels), lost)
        return SideBySide(brand_id, tuple(channels), journeys, credits, sum(lost))


def _credits(journeys: Mapping[str, Journeys], count: int, lost: list[int]) -> dict[str, dict[Model, Credits]]:
    found = {}
    for currency, each in journeys.items():
        paths = each.paths(count, lost)
        found[currency] = {model: credited(model, paths) for model in MODELS}
    return found


async def _journeys(
    connection: AsyncConnection, asked: Question, actor: Actor, channels: dict[str, int]
) -> tuple[dict[str, Journeys], "Counter[int]"]:
    """The journeys by currency, and how many clicks of each channel led to an order; fills `channels`."""
    journeys: dict[str, Journeys] = {}
    led: Counter[int] = Counter()
    async for order in _orders(connection, asked, actor):
        touches = [(channels.setdefault(row.channel, len(channels)), _age_s(row)) for row in order]
        journeys.setdefault(order[0].currency, Journeys()).add(touches, order[0].value_minor)
        led.update(channels[row.channel] for row in order if row.source == Basis.LINK)
    return journeys, led


def _age_s(row: Any) -> float:
    return float((row.ordered_at - row.touched_at).total_seconds())


async def _orders(connection: AsyncConnection, asked: Question, actor: Actor) -> AsyncIterator[list[Any]]:
    """The touches of each order within the window, of orders that have one of the campaign among them."""
    order: list[Any] = []
    found = await connection.stream(_query(asked, actor).execution_options(yield_per=ROWS_AT_ONCE))
    async for row in found:
        if order and order[0].order_id != row.order_id:
            if any(one.channel != OUTSIDE for one in order):
                yield order
            order = []
        if _age_s(row) <= asked.window_s:
            order.append(row)
    if any(one.channel != OUTSIDE for one in order):
        yield order


def _query(asked: Question, actor: Actor) -> sa.Select[Any]:
    """The contacts of every order that has one of the campaign, order by order, oldest contact first."""
    contact, orders = ORDER_CONTACTS.c, ORDERS.c
    inside = ORDER_CONTACTS.alias("inside")
    touched = sa.select(inside.c.order_id).where(may_read(inside, actor), inside.c.campaign_id == asked.campaign_id)
    channel = sa.case((contact.campaign_id == asked.campaign_id, contact[asked.unit]), else_=OUTSIDE)
    value = orders.amount_minor - orders.refunded_minor
    columns = (contact.order_id, orders.currency, orders.ordered_at, contact.touched_at, contact.source)
    query = sa.select(*columns, value.label("value_minor"), channel.label("channel"))
    query = query.select_from(ORDER_CONTACTS.join(ORDERS, contact.order_id == orders.order_id))
    wanted = [may_read(ORDERS, actor), may_read(ORDER_CONTACTS, actor), orders.status == STANDS]
    wanted += [orders.ordered_at >= asked.ordered_from] if asked.ordered_from else []
    wanted += [orders.ordered_at < asked.ordered_until] if asked.ordered_until else []
    return query.where(contact.order_id.in_(touched), *wanted).order_by(contact.order_id, contact.place)


async def _lost(
    connection: AsyncConnection, asked: Question, actor: Actor, channels: dict[str, int], led: Mapping[int, int]
) -> list[int]:
    """By channel: clicks on our links in the time asked for, less those that led to an order. Fills `channels`."""
    unit, minute = CONTENTS.c[asked.unit if asked.unit == "creator_id" else "content_id"], MINUTES.c.minute
    wanted = [may_read(CONTENTS, actor), CONTENTS.c.campaign_id == asked.campaign_id, MINUTES.c.cell == OWN_CLICKS]
    wanted += [minute >= _minute(asked.ordered_from)] if asked.ordered_from else []
    wanted += [minute < _minute(asked.ordered_until)] if asked.ordered_until else []
    counted = sa.select(unit, bounded_sum(MINUTES.c.added)).group_by(unit).order_by(unit)
    counted = counted.select_from(CONTENTS.join(MINUTES, MINUTES.c.content == CONTENTS.c.number)).where(*wanted)
    clicks = {channels.setdefault(row[0], len(channels)): int(row[1]) for row in await connection.execute(counted)}
    return [max(0, clicks.get(channel, 0) - led.get(channel, 0)) for channel in range(len(channels))]


def _minute(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=MINUTE_MS)


def ranked(channels: Iterable[str], found: Credits) -> list[tuple[str, float, int]]:
    """(id, orders, value in minor units), highest value first, without channels that have no credit."""
    each = zip(channels, found.orders.tolist(), found.value_minor, strict=True)
    return sorted((one for one in each if one[1] > 0 or one[2]), key=lambda one: (-one[2], -one[1], one[0]))
