"""Rows of the index from the read model: one query a table and page, columns from its rows, texts opened for the index only."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.adapters.schema import in_texts
from kernel.adapters.vault.personal import OPEN_LIMIT, Personal
from services.discovery.domain.categories import FIRST_LEVEL, first_level
from services.discovery.search.fields import FIELDS, PURPOSES, UNIT_COSTS, Field, Kind
from services.discovery.search.index.filters import Words
from services.discovery.search.index.rows import rows_of
from services.discovery.search.index.segment import Rows, packed_ids
from services.discovery.search.words import normal
from services.discovery.tables.audience_shares import CREATOR_SHARES
from services.discovery.tables.creators import CREATOR_LABELS, CREATOR_PRICES, CREATORS
from services.discovery.tables.measured import CREATOR_GRID

PERSONAL = ("display_name", "bio")
TEXTS = (*PERSONAL, "tags", "categories", "location", "handle")
"""The texts that are searched, in the order in which a segment has them."""
LABELLED = (Kind.LABEL, Kind.FLAG)
SELLING = "formats"
Within = Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]
Cells = tuple[list[int], list[float]]


def columns() -> list[str]:
    """The columns of labels."""
    return [SELLING, *[one.name for one in FIELDS.values() if one.kind in LABELLED]]


def these(creator_ids: Sequence[str]) -> Within:
    """Rows of these creators."""
    return lambda column: in_texts(column, creator_ids)


def between(after: str, last: str) -> Within:
    """Rows of the creators behind one up to another."""
    return lambda column: (column > after) & (column <= last)


@dataclass(slots=True)
class _Gathered:
    """What has been read so far, by row of the page."""

    row_of: Mapping[str, int]
    numbers: dict[str, Cells] = field(default_factory=dict)
    labels: dict[str, tuple[list[int], list[str]]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def number(self, name: str, creator_id: str, value: Any) -> None:
        row = self.row_of.get(creator_id)
        if row is not None and value is not None:
            rows, values = self.numbers.setdefault(name, ([], []))
            rows.append(row)
            values.append(value)

    def label(self, name: str, creator_id: str, value: str) -> None:
        row = self.row_of.get(creator_id)
        if row is not None and value:
            rows, values = self.labels.setdefault(name, ([], []))
            rows.append(row)
            values.append(value)

    def text(self, creator_id: str, name: str, text: str) -> None:
        row = self.row_of.get(creator_id)
        if row is not None and text:
            place = row * len(TEXTS) + TEXTS.index(name)
            self.texts[place] = f"{self.texts[place]} {text}".replace("\0", " ")


async def load(
    connection: AsyncConnection,
    personal: Personal,
    known: Words,
    creator_ids: Sequence[str],
    within: Within,
    at: datetime,
) -> Rows:
    """The rows of these creators, ascending, which `within` chooses; those that are not for everybody are left out."""
    gathered = _Gathered(
        {one: row for row, one in enumerate(creator_ids)}, texts=[""] * (len(creator_ids) * len(TEXTS))
    )
    tables: dict[sa.Table, list[Field]] = {}
    for one in FIELDS.values():
        source = one.rows(at) if one.kind in (*LABELLED, Kind.COUNT, Kind.RATIO, Kind.AMOUNT) else None
        if isinstance(source, sa.Table):
            tables.setdefault(source, []).append(one)
        elif source is not None:
            await _field(connection, gathered, one, within, at)
    for table, fields in tables.items():
        await _table(connection, gathered, table, fields, within)
    for one in FIELDS.values():
        if one.kind is Kind.AMOUNT:
            await _amount(connection, gathered, one, within, at)
    await _shares(connection, gathered, within)
    await _own(connection, gathered, within)
    await _prices(connection, gathered, within)
    await _figures(connection, gathered, within)
    await _personal(connection, gathered, personal, creator_ids)
    return await _made(known, creator_ids, gathered)


async def _field(connection: AsyncConnection, gathered: _Gathered, one: Field, within: Within, at: datetime) -> None:
    """A field that is reckoned from rows."""
    rows = one.select(at).subquery()
    for creator_id, value in await connection.execute(sa.select(rows).where(within(rows.c.creator_id))):
        _take(gathered, one, creator_id, value)


def _take(gathered: _Gathered, one: Field, creator_id: str, value: Any) -> None:
    if one.kind in LABELLED:
        gathered.label(one.name, creator_id, str(value))
    else:
        gathered.number(one.name, creator_id, value)


async def _table(
    connection: AsyncConnection, gathered: _Gathered, table: sa.Table, fields: Sequence[Field], within: Within
) -> None:
    """All fields of one table by one query: which of them a row tells is in its narrowing columns."""
    narrowing = sorted({name for one in fields for name in one.where})
    values = sorted({one.value for one in fields if one.value})
    query = sa.select(*[table.c[name] for name in ("creator_id", *narrowing, *values)]).where(
        within(table.c.creator_id)
    )
    told = _told(fields, narrowing, values)
    start = 1 + len(narrowing)
    for row in await connection.execute(query):
        for keys, mine in told:
            for one, place in mine.get(tuple(row[1 + key] for key in keys), ()):
                _take(gathered, one, row[0], "yes" if place is None else row[start + place])


Told = tuple[tuple[int, ...], dict[tuple[Any, ...], list[tuple[Field, int | None]]]]


def _told(fields: Sequence[Field], narrowing: Sequence[str], values: Sequence[str]) -> list[Told]:
    """For each set of narrowing columns, the fields by what these columns hold, and the place of each one's value."""
    made: dict[tuple[int, ...], dict[tuple[Any, ...], list[tuple[Field, int | None]]]] = {}
    for one in fields:
        names = [name for name in narrowing if name in one.where]
        keys = tuple(narrowing.index(name) for name in names)
        place = values.index(one.value) if one.value else None
        made.setdefault(keys, {}).setdefault(tuple(one.where[name] for name in names), []).append((one, place))
    return list(made.items())


async def _amount(connection: AsyncConnection, gathered: _Gathered, one: Field, within: Within, at: datetime) -> None:
    """By currency, beside the column that is sorted by."""
    rows = one.rows(at).c
    query = sa.select(rows.creator_id, rows.currency, rows[one.value]).where(within(rows.creator_id))
    for creator_id, currency, minor in await connection.execute(query):
        gathered.number(f"{one.name}.{currency}", creator_id, minor)


async def _shares(connection: AsyncConnection, gathered: _Gathered, within: Within) -> None:
    shares = CREATOR_SHARES.c
    query = sa.select(shares.creator_id, shares.population, shares.dimension, shares.value, shares.share_bps)
    for creator_id, population, dimension, value, bps in await connection.execute(
        query.where(within(shares.creator_id))
    ):
        gathered.number(f"audience.{population}.{dimension}.{value}", creator_id, bps)


async def _own(connection: AsyncConnection, gathered: _Gathered, within: Within) -> None:
    """What every search needs of a creator beyond the fields: until when it is suspended, since when it is there, its words."""
    own = CREATORS.c
    query = sa.select(own.creator_id, own.suspended, own.suspended_until, own.registered_at).where(
        within(own.creator_id)
    )
    for creator_id, suspended, until, registered_at in await connection.execute(query):
        gathered.number("registered_at", creator_id, registered_at.timestamp())
        if suspended:
            gathered.number("free_from", creator_id, until.timestamp() if until else np.inf)
    labels = CREATOR_LABELS.c
    spoken = sa.select(labels.creator_id, labels.kind, labels.value).where(
        labels.kind.in_(("tag", "category", "location", "handle")), within(labels.creator_id)
    )
    for creator_id, kind, value in await connection.execute(spoken):
        gathered.text(creator_id, *said(kind, value))


def said(kind: str, value: str) -> tuple[str, str]:
    """A label as a text of its field: a category in English too, of a place its last part."""
    if kind == "category":
        return "categories", normal(f"{value.replace('/', ' ')} {FIRST_LEVEL.get(first_level(value), '')}")
    if kind == "location":
        return "location", value.rpartition("/")[2] if "/" in value else ""
    return ("tags" if kind == "tag" else kind), normal(value)


async def _prices(connection: AsyncConnection, gathered: _Gathered, within: Within) -> None:
    prices = CREATOR_PRICES.c
    query = sa.select(
        prices.creator_id, prices.format, prices.currency, prices.price_minor, prices.next_minor, prices.next_from
    )
    for creator_id, kind, currency, base, later, since in await connection.execute(
        query.where(within(prices.creator_id))
    ):
        gathered.label(SELLING, creator_id, kind)
        gathered.number(f"price.{kind}.{currency}", creator_id, base)
        if since is not None:
            gathered.number(f"price_next.{kind}.{currency}", creator_id, later)
            gathered.number(f"price_since.{kind}.{currency}", creator_id, since.timestamp())


async def _figures(connection: AsyncConnection, gathered: _Gathered, within: Within) -> None:
    """What a price is divided by: the median of 30 days over all traffic, of the surest purpose that knows it."""
    grid, figures = CREATOR_GRID.c, sorted({figure for figure, _ in UNIT_COSTS.values()})
    query = sa.select(grid.creator_id, grid.purpose, grid.format, *[grid[figure] for figure in figures])
    cell = (grid.window_days == 30, grid.traffic == "all", grid.purpose.in_(PURPOSES), within(grid.creator_id))
    rows = sorted((await connection.execute(query.where(*cell))).all(), key=lambda row: PURPOSES.index(row.purpose))
    known: set[tuple[str, str]] = set()
    for creator_id, _, kind, *values in rows:
        for figure, value in zip(figures, values, strict=True):
            name = f"per.{figure}.{kind}"
            if value is not None and (creator_id, name) not in known:
                known.add((creator_id, name))
                gathered.number(name, creator_id, value)


async def _personal(
    connection: AsyncConnection, gathered: _Gathered, personal: Personal, creator_ids: Sequence[str]
) -> None:
    step = OPEN_LIMIT // len(PERSONAL)
    for start in range(0, len(creator_ids), step):
        wanted = [(one, name) for one in creator_ids[start : start + step] for name in PERSONAL]
        for (creator_id, name), text in (await personal.open_many(connection, wanted)).items():
            gathered.text(creator_id, name, normal(text))


async def _made(known: Words, creator_ids: Sequence[str], gathered: _Gathered) -> Rows:
    numbers = {name: _ascending(*cells) for name, cells in gathered.numbers.items()}
    labels = {name: (np.array(rows, np.int32), values) for name, (rows, values) in gathered.labels.items()}
    return rows_of(known, packed_ids(creator_ids), numbers, labels, gathered.texts)


def _ascending(rows: Iterable[int], values: Iterable[float]) -> tuple[Any, Any]:
    held = np.array(list(rows), np.int32)
    order = np.argsort(held, kind="stable")
    return held[order], np.array(list(values), np.float64)[order]
