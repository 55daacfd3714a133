"""Discovery's search index: questions against PostgreSQL and tantivy in the same run; its build, memory and lag.

`DANDELION_BENCH_CREATORS` says over how many creators, 100,000 without it.
"""

import asyncio
import os
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from bench.discovery.asked import AT, CPM, PRICE, WOMEN, questions
from bench.discovery.baselines import Postgres, Tantivy, field_of
from bench.discovery.people import People, people
from bench.measure import Row, percentile, say
from bench.place import Place
from services.discovery.search.index import measures, stored
from services.discovery.search.index.filters import Words
from services.discovery.search.index.questions import Answer, Column, Order, Question
from services.discovery.search.index.rows import rows_of, words
from services.discovery.search.index.segment import Rows, packed_ids
from services.discovery.search.index.snapshot import Snapshot
from services.discovery.search.index.stored import Head

CREATORS = int(os.environ.get("DANDELION_BENCH_CREATORS", "100000"))
ROUNDS = 5
A_SECOND, CHANGES, BATCHES = 10_000, 2_500, 40
"""Changes come in batches of a quarter of a second's, as the index looks for them."""
Asked = Callable[[Question], Awaitable[Any]]
Times = list[float]


def rows_from(known: Words, some: People) -> Rows:
    """Creators as the index takes them."""
    numbers = {name: (there, column[there]) for name, column in some.numbers.items() for there in [_known(column)]}
    texts = [text for both in zip(some.names, some.bios, strict=True) for text in both]
    return rows_of(known, packed_ids(some.ids), numbers, some.labels, texts)


def _known(column: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.flatnonzero(~np.isnan(column)).astype(np.int32)


async def bench(place: Place) -> list[Row]:
    """Rows: p50 and p99 against both baselines; how long the build takes; memory; a batch of changes."""
    say(f"{CREATORS:,} creators")
    some = people(CREATORS)
    known, began = words(some.labels), time.perf_counter()
    snapshot = Snapshot(known).changed(rows_from(known, some))
    built_s = time.perf_counter() - began
    listed = list(questions(_phrases(some)))
    asked = await _asked(place, some, snapshot, listed)
    return [*asked, *_own(snapshot, built_s), _stored(place, snapshot), *await _changes(snapshot, listed)]


async def _asked(place: Place, some: People, snapshot: Snapshot, listed: Sequence[Question]) -> list[Row]:
    connection = await asyncpg.connect(place.postgres.dsn())
    database = Postgres(connection)
    say("filling PostgreSQL")
    await database.fill(some)
    say("filling tantivy")
    folder = place.folder / "tantivy"
    folder.mkdir()
    tantivy = Tantivy(folder, some, _reckoned(snapshot, some))

    async def here(question: Question) -> Answer:
        return snapshot.answer(question)

    async def there(question: Question) -> Any:
        return tantivy.answer(question)

    for question in listed:
        _same(question, snapshot.answer(question), await database.answer(question), tantivy.answer(question))
    times = await _measured(listed, (here, database.answer, there))
    await connection.close()
    return [row for name, other in (("PostgreSQL", 1), ("tantivy", 2)) for row in _rows(name, times[0], times[other])]


def _phrases(some: People) -> tuple[str, ...]:
    """What bios say, the most frequent first."""
    said = Counter(phrase for bio in some.bios[:20_000] for phrase in bio.split(",")[1:])
    return tuple(phrase for phrase, _ in said.most_common())


def _reckoned(snapshot: Snapshot, some: People) -> dict[str, NDArray[np.float64]]:
    """Measures of the moment by field, in the order of the people: what tantivy cannot reckon."""
    segment = snapshot.parts[0].segment
    docs = segment.doc_of[np.searchsorted(segment.sorted_ids, packed_ids(some.ids))]
    return {field_of(one): measures.values(segment, one, AT, docs) for one in (PRICE, CPM, WOMEN)}


def _same(
    question: Question, here: Answer, there: tuple[list[str], int, list[dict[str, int]]], other: tuple[int, int]
) -> None:
    """The same answer everywhere, but that tantivy breaks ties by itself."""
    found = ([one for one, _ in here.hits], here.total, [dict(facet) for facet in here.facets])
    if found != there or (len(here.hits), here.total) != other:
        raise AssertionError(f"other answers to {question}")


async def _measured(listed: Sequence[Question], engines: Sequence[Asked]) -> list[Times]:
    """Milliseconds by engine; question by question in turn, after one round that does not count."""
    times: list[Times] = [[] for _ in engines]
    for number in range(ROUNDS):
        say(f"  round {number + 1} of {ROUNDS}")
        for question in listed:
            for engine, held in zip(engines, times, strict=True):
                began = time.perf_counter()
                await engine(question)
                held.append((time.perf_counter() - began) * 1e3)
    return [held[len(listed) :] for held in times]


def _rows(name: str, mine: Times, others: Times) -> list[Row]:
    floors = {"PostgreSQL": ((8, 15), (8, 20)), "tantivy": ((1, 3), (1, 3))}[name]
    made = []
    for word, share, (floor, goal) in (("p50", 0.5, floors[0]), ("p99", 0.99, floors[1])):
        here, there = percentile(mine, share), percentile(others, share)
        made.append(
            Row(
                f"discovery, {CREATORS:,} creators, {word}", f"{here:.1f} ms", f"{name}: {there:.1f} ms", there / here,
                floor, goal, note="24 questions with total, four facets, first 20",
            )
        )  # fmt: skip
    return made


def _own(snapshot: Snapshot, built_s: float) -> list[Row]:
    mib, each = snapshot.nbytes / 2**20, snapshot.nbytes / snapshot.size
    return [
        Row(f"discovery, building the index of {CREATORS:,}", f"{built_s:.1f} s", "-", built_s * 1e6 / CREATORS, 60, 20,
            " s a million", lower=True, note="from columns in memory"),
        Row(f"discovery, the index of {CREATORS:,} in memory", f"{mib:.0f} MiB", "-", each, 2_000, 600,
            " bytes a creator", lower=True),
    ]  # fmt: skip


def _stored(place: Place, snapshot: Snapshot) -> Row:
    """Written, read back, and the first question answered."""
    path, head, key = place.folder / "index", Head("bench", "bench"), bytes(32)
    say("the file")
    size = stored.write(path, head, key, snapshot, 0)
    began = time.perf_counter()
    read, _ = stored.read(path, head, key)
    read.answer(Question((), Order(Column("followers")), AT))
    spent_s = time.perf_counter() - began
    return Row(
        f"discovery, restoring the index of {CREATORS:,} from its file", f"{spent_s:.2f} s", "-",
        spent_s * 1e6 / CREATORS, 10, 3, " s a million", lower=True, note=f"{size / 2**20:.0f} MiB, sealed",
    )  # fmt: skip


async def _changes(snapshot: Snapshot, listed: Sequence[Question]) -> list[Row]:
    """Batches of changed creators, 10,000 a second, merged in a thread while questions go on being asked."""
    say("changes")
    lags, waits, chance = Times(), Times(), np.random.default_rng(5)
    held = snapshot.parts[0].segment
    batches = [np.sort(chance.choice(held.size, CHANGES, replace=False)).astype(np.int32) for _ in range(BATCHES)]
    told, due_s, number = [held.rows(docs) for docs in batches], time.perf_counter(), 0
    for rows in told:
        due_s += CHANGES / A_SECOND
        changing = asyncio.create_task(asyncio.to_thread(snapshot.changed, rows))
        while not changing.done() or time.perf_counter() < due_s:
            began = time.perf_counter()
            snapshot.answer(listed[number % len(listed)])
            waits.append((time.perf_counter() - began) * 1e3)
            number += 1
            await asyncio.sleep(0)
        snapshot = await changing
        lags.append(time.perf_counter() - due_s + CHANGES / A_SECOND)
    return [
        Row(f"discovery, changed to found, {A_SECOND:,} changes/s into {CREATORS:,}", f"{max(lags):.2f} s at most", "-",
            statistics.median(lags), 1, 0.5, " s", lower=True, note=f"median of {BATCHES} batches, merges included"),
        Row("discovery, a question meanwhile, p99", f"{percentile(waits, 0.5):.1f} ms in the middle", "-",
            percentile(waits, 0.99), 250, 50, " ms", lower=True, note=f"{len(waits):,} questions in the same process"),
    ]  # fmt: skip
