"""The index in memory and SQL give the same pages, totals and facets, over random questions and while rows change."""

import os
from collections.abc import Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.schema import commit_stamp
from kernel.core.clock import system_clock
from kernel.core.decider import Actor
from kernel.processors.access import reading_as
from kernel.processors.projector import physical
from kernel.verify.invariants import broken
from kernel.verify.read_models import compare_rebuild
from services.discovery.domain.criteria import (
    COSTS,
    Criteria,
    Filter,
    LabelFilter,
    Order,
    RangeFilter,
    ShareFilter,
    WorkedFor,
)
from services.discovery.domain.rate_card import Format
from services.discovery.projections import CREATORS_PROJECTION
from services.discovery.reads import SERVICE, CreatorReads, listed_by_sql, reads_of
from services.discovery.search.facets import KNOWN, facets
from services.discovery.search.fields import FIELDS, PURPOSES, Field, Kind
from services.discovery.search.following.answers import counted, listed
from services.discovery.search.following.changes import Changes, settled
from services.discovery.search.following.keeper import Index
from services.discovery.tables.creators import CREATORS
from services.discovery.tables.measured import (
    CREATOR_ACTIVITY,
    CREATOR_CONDUCT,
    CREATOR_GRID,
    CREATOR_GROWTH,
    CREATOR_LIVE,
)
from services.discovery.tables.search_changes import SEARCH_CHANGES
from services.discovery.tables.track_records import CREATOR_BRANDS
from tests.integration.discovery.client import BRAND, Discovery

QUESTIONS = int(os.environ.get("DANDELION_QUESTIONS", "100"))
"""How many random questions each store is asked; set higher to look for what is rare."""
WHO = Actor(BRAND[0], BRAND[1], frozenset({BRAND[2]}))
AT = system_clock()
BRANDS = [f"018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4e{n:02}" for n in range(4)]
FACTS = ("reply", "delivery", "revision", "contract", "cancelled", "dispute", "finding")
CELLS = [(p, f, w, t) for p in PURPOSES for f in ("image_note", "video") for w in (30, 90) for t in ("all", "organic")]


@pytest.fixture(scope="module")
async def reads(discovery: Discovery) -> CreatorReads:
    """The shipped creators with rows of every table that searches read, and an index of them."""
    await discovery.shipped()
    made, chance = reads_of(discovery.app), Random(1)
    async with made.database.reading() as connection:
        ids = list((await connection.execute(sa.select(CREATORS.c.creator_id))).scalars())
    for creator_id in ids[:100]:
        await measure(made, chance, creator_id)
    await made.index.refresh()
    return made


async def measure(reads: CreatorReads, chance: Random, creator_id: str) -> None:
    """A creator's rows anew, as projections write them."""
    rows = dict(_measured(chance, creator_id))
    async with reads.database.transaction() as connection:
        for table, values in rows.items():
            copy = physical(table, 1)
            await connection.execute(sa.delete(copy).where(copy.c.creator_id == creator_id))
            if values:
                await connection.execute(sa.insert(copy), values)
        stamp = sa.select(commit_stamp(SEARCH_CHANGES.c.stamp)).scalar_subquery()
        await connection.execute(
            sa.delete(SEARCH_CHANGES).where(
                SEARCH_CHANGES.c.projection == "test", SEARCH_CHANGES.c.creator_id == creator_id
            )
        )
        await connection.execute(
            sa.insert(SEARCH_CHANGES).values(projection="test", creator_id=creator_id, stamp=stamp)
        )


def _measured(chance: Random, creator_id: str) -> Iterator[tuple[sa.Table, list[dict[str, Any]]]]:
    def number(limit: int = 60) -> int | None:
        return chance.randrange(limit) if chance.random() < 0.8 else None

    own = {"creator_id": creator_id}
    cells = chance.sample(CELLS, 5)
    grid = [dict(zip(("purpose", "format", "window_days", "traffic"), cell, strict=True)) for cell in cells]
    figures = [c.name for c in CREATOR_GRID.c if isinstance(c.type, sa.BigInteger)]
    yield (
        CREATOR_GRID,
        [
            own | cell | {"provenance": "", "formula": "", "measured_at": AT} | {n: number() for n in figures}
            for cell in grid
        ],
    )
    before = {f"before_{months}m": number() for months in range(1, 7)}
    yield CREATOR_GROWTH, [own | {"platform": "douyin", "followers": chance.randrange(100), "observed_at": AT} | before]
    days = [chance.randrange(1, 500) for _ in range(14)]  # none just a year ago: the index was loaded later than AT
    yield CREATOR_CONDUCT, [
        own | {"fact": chance.choice(FACTS), "subject": f"{creator_id}-{n}", "at": AT - timedelta(days=day, hours=12)}
        | {"good": chance.random() < 0.6, "amount": chance.randrange(1, 4)}
        for n, day in enumerate(days)
    ]  # fmt: skip
    yield CREATOR_ACTIVITY, [own | {"posts_30d": number()}]
    live = {"sessions_30d": number(), "average_viewers": number(), "average_gmv_90d_minor": number()}
    yield CREATOR_LIVE, [own | live | {"currency": "CNY"}]
    worked = [(chance.choice(BRANDS), chance.choice(("美妆", "美食"))) for _ in range(2)]
    yield (
        CREATOR_BRANDS,
        [
            own | {"brand_id": brand, "industry": industry, "contracted_at": AT - timedelta(days=chance.randrange(90))}
            for brand, industry in dict.fromkeys(worked)
        ],
    )


async def known_values(connection: AsyncConnection) -> dict[str, list[Any]]:
    """What creators have of each field."""
    found: dict[str, list[Any]] = {}
    for one in FIELDS.values():
        if one.kind in (Kind.LABEL, Kind.COUNT, Kind.RATIO, Kind.AMOUNT):
            rows = one.select(AT).subquery()
            found[one.name] = list((await connection.execute(sa.select(rows.c.value).distinct().limit(200))).scalars())
    return found


def criteria(chance: Random, values: dict[str, list[Any]]) -> Criteria:
    asked = tuple(_filter(chance, chance.choice(list(FIELDS.values())), values) for _ in range(chance.randrange(4)))
    sold = chance.random() < 0.4
    orders = [
        "followers",
        "registered_at",
        *(one.name for one in FIELDS.values() if one.kind in (Kind.COUNT, Kind.RATIO)),
    ]
    if sold:
        orders = ["price", *COSTS]
    made = Criteria(
        filters=tuple(one for one in asked if one is not None), order=Order(chance.choice(orders), chance.random() < 0.5),
        exclude_invited=chance.random() < 0.1,
        exclude_worked_for=WorkedFor((BRANDS[0],), ("美食",), 30) if chance.random() < 0.2 else None,
    )  # fmt: skip
    if not sold:
        return made
    low = chance.choice((0, 0, 50_000))
    priced = replace(made, format=chance.choice(list(Format)), currency="CNY", price_min_minor=low)
    cost = RangeFilter("cpm", None, chance.randrange(1, 10**7), currency="CNY")
    return replace(priced, filters=(*made.filters, cost)) if chance.random() < 0.3 else priced


def _filter(chance: Random, one: Field, values: dict[str, list[Any]]) -> Filter | None:
    negated, there = chance.random() < 0.2, values.get(one.name, [])
    match one.kind:
        case Kind.FLAG:
            return LabelFilter(one.name, ("yes",), negated)
        case Kind.SHARES:
            _, population, dimension = one.name.split(".")
            weights = tuple(
                (value, chance.randrange(1, 1001)) for value in chance.sample(("female", "18-24", "25-34"), 2)
            )
            return ShareFilter(population, dimension, weights, chance.randrange(1, 6000), negated)
        case Kind.LABEL if there:
            return LabelFilter(one.name, tuple(map(str, chance.sample(there, min(len(there), 3)))), negated)
        case Kind.COUNT | Kind.RATIO | Kind.AMOUNT if there:
            low, high = sorted((chance.choice(there), chance.choice(there)))
            currency = chance.choice(("CNY", "USD")) if one.kind is Kind.AMOUNT else ""
            return RangeFilter(one.name, low if chance.random() < 0.7 else None, high, negated, currency)
    return None


@asynccontextmanager
async def both(reads: CreatorReads) -> Any:
    await reads.index.refresh()
    snapshot = reads.index.snapshot
    async with reading_as(reads.database, SERVICE, WHO) as connection:
        yield connection, snapshot


async def test_the_reply_says_who_answered(discovery: Discovery, reads: CreatorReads) -> None:
    assert (await discovery.search(page_size=1)).answered_by == "index"
    loading = replace(reads, index=Index(reads.database, reads.personal))
    by_sql = await loading.search(Criteria(), AT, None, 3, WHO)
    by_index = await reads.search(Criteria(), AT, None, 3, WHO)
    assert (by_sql.indexed, by_index.indexed) == (False, True)
    assert (by_sql.cards, by_sql.after) == (by_index.cards, by_index.after)


async def test_pages_totals_and_facets_are_those_of_sql(reads: CreatorReads) -> None:
    chance = Random(2)
    async with reads.database.reading() as connection:
        values = await known_values(connection)
        ids = list((await connection.execute(sa.select(CREATORS.c.creator_id))).scalars())
    assert len(values["read_median.daily.video.30d.all"]) > 5
    assert len(values["on_time_ratio"]) > 3
    for number in range(QUESTIONS):
        asked, size = criteria(chance, values), chance.choice((1, 7, 40))
        async with both(reads) as (connection, snapshot):
            wanted = await listed_by_sql(connection, asked, AT, None, size, WHO)
            found = await listed(connection, snapshot, asked, AT, None, size, WHO)
            assert found == wanted, asked
            if wanted[1] is not None:
                wanted = await listed_by_sql(connection, asked, AT, wanted[1], size, WHO)
                assert await listed(connection, snapshot, asked, AT, found[1], size, WHO) == wanted, asked
            if number % 5 == 0:
                names = chance.sample(KNOWN, 3)
                same = await facets(connection, asked, AT, None, WHO, names)
                assert (await counted(connection, snapshot, asked, AT, WHO, names))[0] == same, (asked, names)
        if number % 10 == 0:
            for creator_id in chance.sample(ids, 5):
                await measure(reads, chance, creator_id)


async def test_a_rebuild_beside_the_live_read_model_tells_the_index_nothing(
    reads: CreatorReads, discovery: Discovery
) -> None:
    """It would wait for the rows that the live projector has locked; once live, the new generation is read as a whole."""
    noted = sa.select(SEARCH_CHANGES).order_by(*SEARCH_CHANGES.primary_key.columns)
    async with reads.database.reading() as connection:
        before = (await connection.execute(noted)).all()
        assert before
    assert broken([await compare_rebuild(discovery.app, CREATORS_PROJECTION)]) == []
    async with reads.database.reading() as connection:
        assert (await connection.execute(noted)).all() == before


async def test_stamps_of_another_cluster_are_not_read_at_every_look(reads: CreatorReads) -> None:
    """A dump of a cluster that counted further: its notes are passed over, and what changes from now on is seen."""
    database, two = reads.database, sa.select(CREATORS.c.creator_id).limit(2)
    async with database.reading() as connection:
        restored, changed = (await connection.execute(two)).scalars()
        changes = Changes(await settled(connection))
        await changes.read(connection)
    async with database.transaction() as connection:
        await connection.execute(
            sa.insert(SEARCH_CHANGES).values(projection="restored", creator_id=restored, stamp=10**17)
        )
        stamp = sa.select(commit_stamp(SEARCH_CHANGES.c.stamp)).scalar_subquery()
        await connection.execute(
            sa.insert(SEARCH_CHANGES).values(projection="restored", creator_id=changed, stamp=stamp)
        )
    try:
        async with database.reading() as connection:
            seen = await changes.read(connection)
        # SQLite counts on from the largest stamp in its file: there the note is one of its own past
        assert seen == ([restored, changed] if database.url.startswith("sqlite") else [changed])
    finally:
        async with database.transaction() as connection:
            await connection.execute(sa.delete(SEARCH_CHANGES).where(SEARCH_CHANGES.c.projection == "restored"))
