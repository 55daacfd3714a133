"""Writes metrics' read models: whose a content is, what every counter stands at, what was paid and what came back.

No clock, random or float: a rebuild gives the same bytes. Events of different streams and topics meet in no row but by
addition and maximum, so it does not matter which comes first; who belongs to whom is joined when it is asked.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

import numpy as np
import sqlalchemy as sa

from kernel.adapters.schema import bounded_sum
from kernel.core.bounds import saturated
from kernel.core.decider import Key
from kernel.core.events import Delivered
from kernel.processors.projector import Projection, Target
from services.metrics.domain.engagement import Batch, Envelope, Ints, Kind, Metric, Provenance, Traffic, joined
from services.metrics.domain.link.clicks import ClickEvent, LinkClicked, LinkRequested
from services.metrics.domain.order.events import OrderAmended, OrderRecorded, OrderRefunded
from services.metrics.domain.post.post import PostRegistered
from services.metrics.domain.totals import (
    Cell,
    cells_of,
    content_number,
    first_minute,
    increments,
    newest,
    readings,
    snapshots,
    sums_from,
)
from services.metrics.projections.anomalies import ANOMALY_LIST
from services.metrics.projections.excess import EXCESS_LIST
from services.metrics.projections.orders import ORDER_LIST
from services.metrics.projections.rows import STAFF, Row
from services.metrics.projections.sentiment import SENTIMENT_SUMS
from services.metrics.projections.sites import SITE_LIST
from services.metrics.subscribe import CAMPAIGNS as CAMPAIGNS_TOPIC
from services.metrics.subscribe import (
    ENGAGEMENT,
    LEDGER,
    CampaignKnown,
    ClawedBack,
    ContentKnown,
    ContentsKnown,
    ContentUp,
    Paid,
)
from services.metrics.tables import (
    CAMPAIGNS,
    CELLS,
    CONTENTS,
    COSTS,
    ENVELOPES,
    MINUTES,
    READINGS,
    REVENUE,
)

ENVELOPES_AT_ONCE = 400
"""Up to 200,000 rows in one transaction."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


async def apply_registry(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Campaigns, contents, own posts. A content's contract and its publication stand in one stream, in that order."""
    campaigns: dict[str, Row] = {}
    contents: dict[str, Row] = {}
    up: dict[str, datetime] = {}
    for incoming in events:
        match incoming.event:
            case CampaignKnown() as known:
                campaigns[known.campaign_id] = _campaign_row(known)
            case ContentsKnown() as found:
                contents |= {each.content_id: _content_row(each) for each in found.contents}
            case PostRegistered() as post:
                contents[post.content_id] = _post_row(post)
            case ContentUp() as published:
                up[published.content_id] = published.published_at
    await target.upsert(CAMPAIGNS, list(campaigns.values()))
    for (content_id,), row in (await target.rows(CONTENTS, ((content_id,) for content_id in up))).items():
        contents.setdefault(content_id, row)
    for content_id, published_at in up.items():
        contents[content_id]["published_at"] = published_at
    await target.upsert(CONTENTS, list(contents.values()))


def _campaign_row(known: CampaignKnown) -> Row:
    readers = [known.brand_id, known.agency_id, *STAFF]
    return {"campaign_id": known.campaign_id, "brand_id": known.brand_id, "readers": sorted(filter(None, readers))}


def _content_row(known: ContentKnown) -> Row:
    names = ("content_id", "campaign_id", "collaboration_id", "creator_id", "brand_id", "platform", "format")
    row = {name: getattr(known, name) for name in names}
    readers = filter(None, [known.brand_id, known.creator_id, known.agency_id, *STAFF])
    return row | {"number": content_number(known.content_id), "published_at": None, "readers": sorted(readers)}


def _post_row(post: PostRegistered) -> Row:
    row = {"content_id": post.content_id, "creator_id": post.creator_id, "published_at": post.published_at}
    row |= {"platform": post.platform.value, "format": post.format.value}
    none = dict.fromkeys(("campaign_id", "collaboration_id", "brand_id"), "")
    return row | none | {"number": content_number(post.content_id), "readers": sorted([post.creator_id, *STAFF])}


async def apply_engagement(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """Envelopes that were not counted yet, and what came over our own links."""
    envelopes = {each.event.id: each for each in reversed(events) if isinstance(each.event, Envelope)}
    seen = await target.rows(ENVELOPES, ((envelope_id,) for envelope_id in envelopes))
    fresh = [incoming for envelope_id, incoming in sorted(envelopes.items()) if (envelope_id,) not in seen]
    visits = [incoming for incoming in events if isinstance(incoming.event, LinkClicked | LinkRequested)]
    await target.upsert(ENVELOPES, [{"envelope_id": incoming.event.id} for incoming in fresh])
    batches = [incoming.event.rows for incoming in fresh]
    received = [np.full(len(incoming.event.rows), _ms(incoming.at), dtype=np.int64) for incoming in fresh]
    if visits:
        batches.append(visits_batch(visits))
        received.append(batches[-1].at)
    if batches:
        await count(target, joined(batches), np.concatenate(received))


def visits_batch(visits: Sequence[Delivered[ClickEvent]]) -> Batch:
    """Each click on a link, and each request of one, as a measured, organic increment of its deliverable."""
    clicks = [incoming for incoming in visits if isinstance(incoming.event, LinkClicked)]
    counted = [(Metric.LINK_CLICKS, each) for each in clicks] + [(Metric.LINK_REQUESTS, each) for each in visits]
    contents = tuple(dict.fromkeys(each.event.placement.deliverable_id for each in visits))
    numbers = {content: n for n, content in enumerate(contents)}
    rows = [(numbers[each.event.placement.deliverable_id], metric, _ms(each.at)) for metric, each in counted]
    content, metric, at = np.array(rows, dtype=np.int64).T

    def all_of(code: int) -> Any:
        return np.full(len(rows), code, dtype=np.int64)

    return Batch(
        contents,
        content,
        metric=metric,
        kind=all_of(Kind.INCREMENT),
        traffic=all_of(Traffic.ORGANIC),
        provenance=all_of(Provenance.LINK),
        at=at,
        value=all_of(1),
    )


async def count(target: Target, batch: Batch, received_ms: Ints) -> None:
    """Adds a batch to the minutes and brings the cells it touches up to date; rows of one batch come from many envelopes."""
    minutes, latest, fresh = increments(batch), snapshots(batch).rows(), newest(batch, received_ms)
    if len(minutes.minute):
        await target.upsert_columns(MINUTES, minutes.columns(), add=("added",))
    summed, first = cells_of(minutes)
    touched: list[Any] = sorted({*summed, *latest})
    stored: dict[Any, Row] = await target.rows(CELLS, touched)
    rows = {cell: _moved(cell, stored.get(cell), latest.get(cell), fresh[cell]) for cell in touched}
    sums = sums_from(minutes, first, [rows[cell]["first_minute"] for cell in summed])
    for cell, (whole, on_top) in zip(summed, sums, strict=True):
        rows[cell]["increments"] = saturated(rows[cell]["increments"] + whole)
        rows[cell]["after"] = saturated(rows[cell]["after"] + on_top)
    await target.upsert(CELLS, list(rows.values()))
    await _read_totals(target, batch)
    late = [cell for cell in touched if _overtaken(rows[cell], stored.get(cell))]
    await _sum_again(target, rows, late)


async def _read_totals(target: Target, batch: Batch) -> None:
    """Keeps the latest of the platform's totals of each hour."""
    latest: dict[Any, tuple[int, int]] = {**readings(batch)}
    for key, row in (await target.rows(READINGS, latest)).items() if latest else ():
        latest[key] = max(latest[key], (row["at"], row["value"]))
    names = ("content", "cell", "hour", "at", "value")
    await target.upsert(READINGS, [dict(zip(names, key + told, strict=True)) for key, told in latest.items()])


def _moved(cell: Cell, stored: Row | None, snapshot: tuple[int, int] | None, fresh_ms: int) -> Row:
    """The cell's row with the later of both snapshots."""
    row = dict(stored) if stored else _blank(cell)
    at, value = max((row["snapshot_at"], row["snapshot"]), snapshot or (-1, 0))
    fresh_ms = max(row["fresh_ms"], fresh_ms)
    return row | {"snapshot_at": at, "snapshot": value, "first_minute": first_minute(at), "fresh_ms": fresh_ms}


def _blank(cell: Cell) -> Row:
    names = ("snapshot", "first_minute", "increments", "after", "fresh_ms")
    return {"content": cell[0], "cell": cell[1], "snapshot_at": -1, **dict.fromkeys(names, 0)}


def _overtaken(row: Row, stored: Row | None) -> bool:
    """A later snapshot came and there were increments before: which of them it contains must be looked up."""
    return stored is not None and row["first_minute"] != stored["first_minute"] and stored["increments"] > 0


async def _sum_again(target: Target, rows: Mapping[Cell, Row], cells: Sequence[Cell]) -> None:
    """`after` of the cells from all their minutes, those of this batch included."""
    minutes, standing = target[MINUTES], target[CELLS]
    same = (minutes.c.content == standing.c.content) & (minutes.c.cell == standing.c.cell)
    on_top = sa.and_(same, minutes.c.minute >= standing.c.first_minute)
    for start in range(0, len(cells), 5_000):
        asked = sa.tuple_(standing.c.content, standing.c.cell).in_(cells[start : start + 5_000])
        query = sa.select(standing.c.content, standing.c.cell, bounded_sum(minutes.c.added))
        query = query.select_from(standing.outerjoin(minutes, on_top)).where(asked)
        found = await target.connection.execute(query.group_by(standing.c.content, standing.c.cell))
        after = [rows[content, cell] | {"after": int(total)} for content, cell, total in found]
        await target.upsert(CELLS, after)


COST_SUMS = ("gross_minor", "fee_minor")
REVENUE_SUMS = ("gross_minor", "refunded_minor", "orders", "new_customers")


async def apply_returns(target: Target, events: Sequence[Delivered[Any]]) -> None:
    """What left escrow and was not clawed back, and what attributed orders brought, per deliverable and currency."""
    costs: dict[Key, Row] = {}
    revenue: dict[Key, Row] = {}
    for incoming in events:
        match incoming.event:
            case Paid() as paid:
                ids = {"content_id": paid.content_id, "currency": paid.currency}
                _sum(costs, ids, incoming.at, {"gross_minor": paid.gross_minor, "fee_minor": paid.fee_minor})
            case ClawedBack() as back:
                ids = {"content_id": back.content_id, "currency": back.currency}
                _sum(costs, ids, incoming.at, {"gross_minor": -back.amount_minor, "fee_minor": -back.amount_minor})
            case OrderRecorded() | OrderRefunded() | OrderAmended() as order if order.attribution is not None:
                content_id = order.attribution.placement.deliverable_id
                ids = {"content_id": content_id, "brand_id": order.brand_id, "currency": order.currency}
                _sum(revenue, ids, incoming.at, _amounts(order))
    await _add_sums(target, COSTS, costs, COST_SUMS)
    await _add_sums(target, REVENUE, revenue, REVENUE_SUMS)


def _amounts(order: OrderRecorded | OrderRefunded | OrderAmended) -> dict[str, int]:
    """What an order adds; one that is refunded completely takes its count back."""
    match order:
        case OrderRecorded():
            return _sums(order.amount_minor, 0, 1, int(order.new_customer))
        case OrderRefunded():
            gone = -1 if order.complete else 0
            return _sums(0, order.amount_minor, gone, gone * order.new_customer)
        case OrderAmended():
            return _sums(order.change_minor, 0, 0, 0)
        case _:
            assert_never(order)


def _sums(*amounts: int) -> dict[str, int]:
    return dict(zip(REVENUE_SUMS, amounts, strict=True))


def _sum(sums: dict[Key, Row], ids: Mapping[str, str], at: datetime, amounts: Mapping[str, int]) -> None:
    row = sums.setdefault(tuple(ids.values()), {**ids, **dict.fromkeys(amounts, 0), "fresh_ms": 0})
    for name, amount in amounts.items():
        row[name] += amount
    row["fresh_ms"] = max(row["fresh_ms"], _ms(at))


async def _add_sums(target: Target, table: sa.Table, sums: Mapping[Key, Row], names: Sequence[str]) -> None:
    for key, stored in (await target.rows(table, sums)).items():
        row = sums[key]
        for name in names:
            row[name] += stored[name]
        row["fresh_ms"] = max(row["fresh_ms"], stored["fresh_ms"])
    await target.upsert(table, list(sums.values()))


REGISTRY = Projection("registry", 2, (CAMPAIGNS, CONTENTS), apply_registry, topics=(CAMPAIGNS_TOPIC,))
COUNTS = Projection(
    "counts",
    5,
    (ENVELOPES, MINUTES, CELLS, READINGS),
    apply_engagement,
    topics=(ENGAGEMENT,),
    batch_records=ENVELOPES_AT_ONCE,
)
RETURNS = Projection("returns", 3, (COSTS, REVENUE), apply_returns, topics=(LEDGER,))
PROJECTIONS = (REGISTRY, COUNTS, RETURNS, ORDER_LIST, SITE_LIST, EXCESS_LIST, ANOMALY_LIST, SENTIMENT_SUMS)
