"""Envelopes carry every row once; totals do not care how rows came."""

from collections import Counter
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.faults import Invalid
from kernel.core.ids import derived_id, partition_of
from services.metrics.domain.engagement import (
    ENVELOPE_ROWS,
    Batch,
    Kind,
    Metric,
    Provenance,
    Traffic,
    checked,
    empty,
    joined,
    split,
)
from services.metrics.domain.totals import (
    Cell,
    Standing,
    cell_of,
    cell_parts,
    cells_of,
    content_number,
    increments,
    merged_minutes,
    merged_snapshots,
    snapshots,
    standings,
    sums_from,
)
from tests.unit.metrics.batches import CONTENTS, START_MS, Row, as_rows, batch, row, rows, snapshot

TENANT, BATCH_ID = derived_id("test", "tenant"), derived_id("test", "batch")
LIKES = cell_of(Metric.LIKES, Traffic.ORGANIC, Provenance.PLATFORM)
FIRST = (content_number(CONTENTS[0]), LIKES)


@given(rows)
def test_envelopes_carry_every_row_once(found: list[Row]) -> None:
    whole = batch(*found)
    envelopes = list(split(whole, TENANT, BATCH_ID))
    assert Counter(r for each in envelopes for r in as_rows(each.rows)) == Counter(as_rows(whole))
    assert all(0 < len(each.rows) <= ENVELOPE_ROWS for each in envelopes)
    for each in envelopes:
        assert {partition_of(content, 12) for content in each.rows.contents} == {each.partition}
        assert len(set(each.rows.contents)) == len(each.rows.contents) == len(np.unique(each.rows.content))


def test_a_large_batch_becomes_envelopes_of_500_rows() -> None:
    whole = batch(*(row(n) for n in range(1_201)))
    envelopes = list(split(whole, TENANT, BATCH_ID))
    assert [len(each.rows) for each in envelopes] == [500, 500, 201]
    assert [value for each in envelopes for value in each.rows.value.tolist()] == list(range(1_201))


def test_the_same_batch_makes_the_same_envelopes() -> None:
    whole = batch(*(row(n, content=n % 6) for n in range(1_000)))
    first, second = (list(split(whole, TENANT, BATCH_ID)) for _ in range(2))
    assert [each.id for each in first] == [each.id for each in second]
    assert len({each.id for each in first}) == len(first)
    elsewhere = split(whole, derived_id("test", "other tenant"), BATCH_ID)
    assert {each.id for each in elsewhere}.isdisjoint(each.id for each in first)


def test_no_rows_make_no_envelope() -> None:
    assert list(split(empty(), TENANT, BATCH_ID)) == []


@given(st.lists(rows, max_size=4))
def test_joined_batches_keep_their_rows_in_order(parts: list[list[Row]]) -> None:
    found = joined([batch(*part) for part in parts])
    assert as_rows(found) == [r for part in parts for r in as_rows(batch(*part))]


@given(st.lists(rows, max_size=4), st.randoms(use_true_random=False))
def test_totals_are_blind_to_order_and_split(parts: list[list[Row]], random: st.DrawFn) -> None:
    """One batch of all rows, or any pieces of it in any order: the same minute rows, byte for byte."""
    every = [each for part in parts for each in part]
    shuffled = list(every)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    whole = batch(*shuffled)
    pieces = [batch(*part) for part in reversed(parts)]
    minutes = reduce(merged_minutes, map(increments, pieces), increments(empty()))
    latest = reduce(merged_snapshots, map(snapshots, pieces), snapshots(empty()))
    assert minutes.rows() == increments(whole).rows()
    assert latest.rows() == snapshots(whole).rows()
    assert standings(minutes, latest) == oracle(every)


def oracle(found: list[Row]) -> dict[Cell, Standing]:
    """The definition, row by row."""
    latest: dict[Cell, tuple[int, int]] = {}
    cells: dict[Cell, list[Row]] = {}
    for row_ in found:
        content, metric, kind, traffic, provenance, at, value = row_
        key = (content_number(CONTENTS[content]), cell_of(metric, traffic, provenance))
        cells.setdefault(key, []).append(row_)
        if kind == Kind.SNAPSHOT:
            latest[key] = max(latest.get(key, (-1, 0)), (at, value))
    standing = {}
    for key, of_cell in sorted(cells.items()):
        at, value = latest.get(key, (-1, 0))
        on_top = (r[6] for r in of_cell if r[2] == Kind.INCREMENT and r[5] // 60_000 * 60_000 >= at)
        standing[key] = Standing(at, value, sum(on_top))
    return standing


@pytest.mark.parametrize(
    ("found", "standing"),
    [
        pytest.param([row(3), row(4, 600)], Standing(-1, 0, 7), id="increments_add"),
        pytest.param([snapshot(10), snapshot(12, 5)], Standing(START_MS + 5000, 12, 0), id="the_later_snapshot_holds"),
        pytest.param([snapshot(12, 5), snapshot(10)], Standing(START_MS + 5000, 12, 0), id="also_when_it_comes_first"),
        pytest.param([snapshot(12), snapshot(9, 5)], Standing(START_MS + 5000, 9, 0), id="a_counter_may_fall"),
        pytest.param([snapshot(9), snapshot(12)], Standing(START_MS, 12, 0), id="of_one_time_the_larger"),
        pytest.param(
            [row(5), snapshot(100, 90), row(7, 30), row(3, 120), row(2, 121)],
            Standing(START_MS + 90_000, 100, 5),
            id="increments_after_a_snapshot_are_on_top",
        ),
        pytest.param(
            [snapshot(100, 30), row(7, 45)], Standing(START_MS + 30_000, 100, 0), id="of_the_same_minute_are_in_it"
        ),
        pytest.param([snapshot(100), row(7)], Standing(START_MS, 100, 7), id="a_snapshot_at_the_full_minute"),
        pytest.param([row(7), snapshot(0, 60)], Standing(START_MS + 60_000, 0, 0), id="a_snapshot_of_nothing"),
    ],
)
def test_what_a_counter_stands_at(found: list[Row], standing: Standing) -> None:
    for rows_ in (found, list(reversed(found))):
        whole = batch(*rows_)
        assert standings(increments(whole), snapshots(whole)) == {FIRST: standing}
    assert standing.total == standing.snapshot + standing.after


def test_sources_and_traffic_are_kept_apart() -> None:
    found = increments(
        batch(row(1), row(2, provenance=Provenance.MANUAL), row(4, traffic=Traffic.PAID), row(8, metric=Metric.SAVES))
    )
    assert sorted(found.added.tolist()) == [1, 2, 4, 8]
    assert {cell_parts(cell)[2] for cell in found.cell.tolist()} == {Provenance.PLATFORM, Provenance.MANUAL}


@given(st.sampled_from(Metric), st.sampled_from(Traffic), st.sampled_from(Provenance))
def test_a_cells_number_says_its_parts(metric: Metric, traffic: Traffic, provenance: Provenance) -> None:
    cell = cell_of(metric, traffic, provenance)
    assert cell_parts(cell) == (metric, traffic, provenance)
    assert 0 < cell < 1 << 12


GOOD = row(1)


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        ((6, *GOOD[1:]), "content"),
        ((-1, *GOOD[1:]), "content"),
        ((*GOOD[:1], 11, *GOOD[2:]), "metric"),
        ((*GOOD[:2], 0, *GOOD[3:]), "kind"),
        ((*GOOD[:3], 3, *GOOD[4:]), "traffic"),
        ((*GOOD[:4], Provenance.LINK, *GOOD[5:]), "provenance"),
        ((*GOOD[:5], START_MS // 1000, GOOD[6]), "observed_at"),
        ((*GOOD[:5], START_MS * 1000, GOOD[6]), "observed_at"),
        ((*GOOD[:6], -1), "value"),
        ((*GOOD[:6], 10**11 + 1), "value"),
    ],
)
def test_columns_from_outside_are_checked(bad: Row, column: str) -> None:
    assert checked(batch(GOOD)).value.tolist() == [1]
    with pytest.raises(Invalid, match=r"engagement\.out_of_range") as fault:
        checked(batch(GOOD, bad))
    assert fault.value.facts["column"] == column


def test_columns_from_outside_are_of_one_length() -> None:
    good = batch(GOOD, GOOD)
    with pytest.raises(Invalid, match=r"engagement\.columns_of_different_length"):
        checked(Batch(good.contents, *good.columns[:-1], good.value[:1]))
    assert len(checked(empty())) == 0


@given(rows, st.integers(0, 5))
def test_sums_by_cell_are_the_sums_of_its_minutes(found: list[Row], later: int) -> None:
    minutes = increments(batch(*found))
    cells, first = cells_of(minutes)
    start = START_MS // 60_000 + later
    expected: dict[Cell, tuple[int, int]] = {}
    for content, cell, minute, added in minutes.rows():
        whole, on_top = expected.get((content, cell), (0, 0))
        expected[content, cell] = whole + added, on_top + added * (minute >= start)
    assert dict(zip(cells, sums_from(minutes, first, [start] * len(cells)), strict=True)) == expected
