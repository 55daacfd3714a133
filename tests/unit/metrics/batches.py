"""Batches of observations for tests, and a strategy that makes them."""

import numpy as np
from hypothesis import strategies as st

from kernel.core.ids import derived_id
from services.metrics.domain.engagement import Batch, Kind, Metric, Provenance, Traffic

CONTENTS = tuple(derived_id("content", str(n)) for n in range(6))
START_MS = 1_780_000_020_000
"""A whole minute in 2026."""
Row = tuple[int, int, int, int, int, int, int]


def batch(*rows: Row, contents: tuple[str, ...] = CONTENTS) -> Batch:
    """From (content, metric, kind, traffic, provenance, at, value)."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 7).T
    return Batch(contents, *columns)


def row(
    value: int,
    at_s: float = 0,
    *,
    content: int = 0,
    metric: Metric = Metric.LIKES,
    kind: Kind = Kind.INCREMENT,
    traffic: Traffic = Traffic.ORGANIC,
    provenance: Provenance = Provenance.PLATFORM,
) -> Row:
    """One observation, `at_s` seconds after the start."""
    return content, metric, kind, traffic, provenance, START_MS + round(at_s * 1000), value


def snapshot(value: int, at_s: float = 0) -> Row:
    return row(value, at_s, kind=Kind.SNAPSHOT)


rows = st.lists(
    st.tuples(
        st.integers(0, len(CONTENTS) - 1),
        st.sampled_from([Metric.LIKES, Metric.READS]),
        st.sampled_from(Kind).map(int),
        st.sampled_from(Traffic).map(int),
        st.sampled_from([1, 2]),
        st.integers(0, 5 * 60 * 1000).map(lambda offset: START_MS + offset),
        st.integers(0, 1000),
    ),
    max_size=60,
)


def as_rows(found: Batch) -> list[tuple[str, int, int, int, int, int, int]]:
    """Rows with their content ids, in order."""
    columns = [column.tolist() for column in found.columns]
    return [(found.contents[content], *rest) for content, *rest in zip(*columns, strict=True)]
