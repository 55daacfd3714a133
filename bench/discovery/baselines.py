"""The same questions asked of PostgreSQL with good indexes and of tantivy, over the same creators."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import tantivy

from bench.discovery.people import People
from services.discovery.search.index.questions import (
    AnyOf,
    Blend,
    Column,
    Filter,
    Measure,
    Price,
    Question,
    Says,
    UnitCost,
    Within,
)
from services.discovery.search.words import runs

SINGLE = ("tier", "availability", "state")
"""Labels of which a creator has one: a column of their own in the baselines."""


def grams(text: str) -> list[str]:
    """Pairs of characters of unspaced runs, which a text is found by."""
    return [run[at : at + 2] for run, unspaced in runs(text) if unspaced for at in range(max(len(run) - 1, 1))]


def by_row(people: People, column: str) -> list[list[str]]:
    """The labels of each creator."""
    held: list[list[str]] = [[] for _ in people.ids]
    rows, labels = people.labels[column]
    for row, label in zip(rows.tolist(), labels, strict=True):
        held[row].append(label)
    return held


class Postgres:
    """A table with a row per creator: GIN over labels and pairs of characters, B-trees over what is bounded and sorted by."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection

    async def fill(self, people: People) -> None:
        several = [name for name in people.labels if name not in SINGLE]
        columns = ["id", "body", "grams", *people.numbers, *people.labels]
        kinds = ["uuid primary key", "text", "text[]", *["float8"] * len(people.numbers)]
        kinds += ["text" if name in SINGLE else "text[]" for name in people.labels]
        made = ", ".join(f"{name} {kind}" for name, kind in zip(columns, kinds, strict=True))
        await self._connection.execute(f"CREATE UNLOGGED TABLE creators ({made})")
        await self._connection.copy_records_to_table("creators", records=_records(people), columns=columns)
        for name in ("grams", *several):
            await self._connection.execute(f"CREATE INDEX ON creators USING gin ({name})")
        for name in ("followers", "engagement", "price", "growth", "reads", "women"):
            await self._connection.execute(f"CREATE INDEX ON creators ({name} DESC, id)")
        await self._connection.execute("CREATE INDEX ON creators (tier, followers DESC, id)")
        await self._connection.execute("VACUUM ANALYZE creators")

    async def answer(self, question: Question) -> tuple[list[str], int, list[dict[str, int]]]:
        """The first ids, the total, and each facet's counts: one statement, and one more where a facet lifts a filter."""
        where = " AND ".join(_sql(one, question.at) for one in question.filters) or "true"
        key = _measure(question.order.measure, question.at)
        direction = "DESC" if question.order.falling else "ASC"
        first = f"SELECT id FROM creators WHERE {where} AND {key} IS NOT NULL ORDER BY {key} {direction}, id"
        ids = [str(row["id"]) for row in await self._connection.fetch(f"{first} LIMIT {question.size}")]
        plain = [facet.column for facet in question.facets if not facet.own]
        total, counted = await self._counted(where, f"{key} IS NOT NULL", plain)
        for facet in question.facets:
            if facet.own:
                others = [one for place, one in enumerate(question.filters) if place not in facet.own]
                lifted = " AND ".join(_sql(one, question.at) for one in others) or "true"
                counted |= (await self._counted(lifted, "true", [facet.column]))[1]
        return ids, total, [counted[facet.column] for facet in question.facets]

    async def _counted(self, where: str, listed: str, columns: Sequence[str]) -> tuple[int, dict[str, dict[str, int]]]:
        parts = ["(SELECT '' AS f, '' AS v, count(*) AS n FROM m WHERE listed)"]
        for name in columns:
            source = "m" if name in SINGLE else f"m, unnest({name}) AS u(v)"
            value = name if name in SINGLE else "u.v"
            parts.append(f"(SELECT '{name}', {value}, count(*) FROM {source} GROUP BY 2 ORDER BY 3 DESC, 2 LIMIT 50)")
        held = ", ".join([f"{listed} AS listed", *columns])
        rows = await self._connection.fetch(
            f"WITH m AS MATERIALIZED (SELECT {held} FROM creators WHERE {where}) {' UNION ALL '.join(parts)}"
        )
        counts: dict[str, dict[str, int]] = {name: {} for name in columns}
        for row in rows[1:] if rows[0]["f"] == "" else rows:
            counts[row["f"]][row["v"]] = row["n"]
        return rows[0]["n"], counts


def _records(people: People) -> Iterator[tuple[Any, ...]]:
    numbers = [[None if value != value else value for value in column.tolist()] for column in people.numbers.values()]
    labels: list[Sequence[Any]] = [
        people.labels[name][1] if name in SINGLE else by_row(people, name) for name in people.labels
    ]
    bodies = [f"{name}\n{bio}" for name, bio in zip(people.names, people.bios, strict=True)]
    return zip(people.ids, bodies, map(grams, bodies), *numbers, *labels, strict=True)


def _sql(one: Filter, at: float) -> str:
    match one:
        case AnyOf(column, values, negated):
            listed = ", ".join(f"'{value}'" for value in values)
            made = f"{column} IN ({listed})" if column in SINGLE else f"{column} && ARRAY[{listed}]"
            return f"NOT ({made})" if negated else made
        case Within(measure, low, high):
            key = _measure(measure, at)
            bounds = [f"{key} >= {low}"] * (low is not None) + [f"{key} <= {high}"] * (high is not None)
            return " AND ".join(bounds)
        case Says(parts):
            asked = [gram for run, _ in parts for gram in grams(run)]
            likes = [f"body LIKE '%{run}%'" for run, _ in parts if len(run) > 2]
            listed = ", ".join(f"'{gram}'" for gram in asked)
            return " AND ".join([f"grams @> ARRAY[{listed}]", *likes])
        case _:
            raise ValueError(f"no question of the bench asks for {one}")


def _measure(measure: Measure, at: float) -> str:
    match measure:
        case Column(name):
            return name
        case Price(base, later, since):
            return f"(CASE WHEN {since} <= {at} THEN {later} ELSE {base} END)"
        case UnitCost(price, per, factor):
            return f"floor({_measure(price, at)} * {factor} / NULLIF({per}, 0))"
        case Blend(parts):
            total = " + ".join(f"coalesce({name}, 0) * {weight}" for name, weight in parts)
            return f"(CASE WHEN coalesce({', '.join(name for name, _ in parts)}) IS NOT NULL THEN {total} END)"


class Tantivy:
    """Fast fields for numbers and labels, an inverted index for labels and pairs of characters.

    What tantivy has no expression for (a unit cost, a blend, a price in force) is reckoned beforehand as a field of its own: it
    answers a question of another kind there, and one that costs it less.
    """

    def __init__(
        self, folder: Path, people: People, reckoned: dict[str, np.ndarray[Any, np.dtype[np.float64]]]
    ) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw")
        builder.add_text_field("grams", tokenizer_name="whitespace", index_option="position")
        self._numbers = {**people.numbers, **reckoned}
        for name in self._numbers:
            builder.add_float_field(name, indexed=True, fast=True)
        for name in people.labels:
            builder.add_text_field(name, tokenizer_name="raw", fast=True)
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema, str(folder))
        self._fill(people)

    def _fill(self, people: People) -> None:
        writer = self._index.writer(heap_size=400_000_000, num_threads=1)
        columns = {name: column.tolist() for name, column in self._numbers.items()}
        labels = {name: by_row(people, name) for name in people.labels}
        for row, creator_id in enumerate(people.ids):
            document = tantivy.Document()
            document.add_text("id", creator_id)
            document.add_text("grams", " ".join([*grams(people.names[row]), "|", *grams(people.bios[row])]))
            for name, column in columns.items():
                if column[row] == column[row]:
                    document.add_float(name, column[row])
            for name, held in labels.items():
                for label in held[row]:
                    document.add_text(name, label)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def answer(self, question: Question) -> tuple[int, int]:
        """How many hits came and the total; the ids of the first and the facets are read."""
        searcher = self._index.searcher()
        query = self._query(question.filters)
        order = tantivy.Order.Desc if question.order.falling else tantivy.Order.Asc
        key = field_of(question.order.measure)
        found: Any = searcher.search(query, limit=question.size, count=True, order_by_field=key, order=order)
        ids = [searcher.doc(address)["id"] for _, address in found.hits]
        plain = [facet.column for facet in question.facets if not facet.own]
        searcher.aggregate(query, _terms(plain))
        for facet in question.facets:
            if facet.own:
                others = [one for place, one in enumerate(question.filters) if place not in facet.own]
                searcher.aggregate(self._query(others), _terms([facet.column]))
        return len(ids), found.count

    def _query(self, filters: Iterable[Filter]) -> Any:
        parts = [part for one in filters for part in self._parts(one)]
        if not any(occur == tantivy.Occur.Must for occur, _ in parts):
            parts.append((tantivy.Occur.Must, tantivy.Query.all_query()))
        return tantivy.Query.boolean_query(parts)

    def _parts(self, one: Filter) -> list[tuple[Any, Any]]:
        match one:
            case AnyOf(column, values, negated):
                terms = tantivy.Query.term_set_query(self._schema, column, list(values))
                return [(tantivy.Occur.MustNot if negated else tantivy.Occur.Must, terms)]
            case Within(measure, low, high):
                kind, name = tantivy.FieldType.Float, field_of(measure)
                return [(tantivy.Occur.Must, tantivy.Query.range_query(self._schema, name, kind, low, high))]
            case Says(parts):
                return [(tantivy.Occur.Must, self._phrase(grams(run))) for run, _ in parts]
            case _:
                raise ValueError(f"no question of the bench asks for {one}")

    def _phrase(self, asked: list[str]) -> Any:
        if len(asked) == 1:
            return tantivy.Query.term_query(self._schema, "grams", asked[0])
        return tantivy.Query.phrase_query(self._schema, "grams", list(asked))


def _terms(columns: Iterable[str]) -> dict[str, Any]:
    return {name: {"terms": {"field": name, "size": 50}} for name in columns}


def field_of(measure: Measure) -> str:
    """The field that holds a measure in tantivy."""
    match measure:
        case Column(name):
            return name
        case Price():
            return "price_now"
        case UnitCost():
            return "cpm_now"
        case Blend():
            return "blend_now"
