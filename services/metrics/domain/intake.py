"""From what a caller sends to a batch: columns of JSON values or lines of CSV, checked column by column.

A whole column is checked at once; only when that fails are its rows looked at one by one to name the line and reason.
JSON is taken whole or not at all. CSV keeps its good rows and reports the others, by rules that do not depend on the
clock, so the same file is the same batch however often it is sent; a time in the future refuses the whole batch.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np

from kernel.core.faults import Fault, Invalid
from kernel.core.ids import checked_id
from services.metrics.domain.engagement import CODES, EARLIEST_MS, LATEST_MS, MAX_VALUE, SAID, Batch, Ints, empty

MAX_ROWS = 100_000
MAX_AHEAD = timedelta(minutes=5)
MAX_REPORTED = 1_000
NEEDED = ("content_id", "metric", "value", "observed_at")
DEFAULTS: Mapping[str, str] = {"kind": "increment", "traffic": "organic", "provenance": "platform"}
NAMES = (*NEEDED, *DEFAULTS)
_NAMES_OF: Mapping[str, Mapping[str, int]] = {
    name: {code.name.lower(): int(code) for code in (SAID if name == "provenance" else codes)} for name, codes in CODES
}

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row left out: its line (1 is the header) and why, as a fault's code and the column."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What an intake kept, and which rows it left out (the first 1,000; `rejected_count` counts all)."""

    batch: Batch
    rejected: tuple[Rejected, ...] = ()
    rejected_count: int = 0


def from_rows(rows: Sequence[Mapping[str, Any]], provenance: str = "platform") -> Batch:
    """A batch from JSON objects; raises Invalid naming the row (from 0) and the column.

    `provenance` holds for rows that name none.
    """
    _check_count(len(rows))
    for n, row in enumerate(rows):
        if not isinstance(row, dict) or not row.keys() <= _KNOWN or not row.keys() >= _NEEDED:
            raise Invalid("observation.fields_wrong", row=n, expected=", ".join(NAMES))
    columns = {name: [row[name] for row in rows] for name in NEEDED}
    defaults = {**DEFAULTS, "provenance": provenance}
    columns |= {name: [row.get(name, default) for row in rows] for name, default in defaults.items()}
    return from_columns(columns)


def from_columns(columns: Columns, provenance: str = "platform") -> Batch:
    """A batch from lists of equal length by column name; optional columns may be left out or be one text for all."""
    filled = _filled(columns, provenance)
    try:
        return _parsed(filled)
    except _WRONG:
        bad = _bad_rows(filled, most=1)[0]
        raise Invalid(bad[0].reason, row=bad[0].line, column=bad[0].column) from None


def from_csv(text: str, provenance: str = "platform") -> Taken:
    """Good rows as a batch and bad ones by line; raises Invalid when the header is wrong or there are too many rows."""
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = next(reader, [])
        _check_header(header)
        lines = [(reader.line_num, row) for row in reader if row]
    except csv.Error:
        raise Invalid("csv.malformed", line=reader.line_num) from None
    return _taken(header, lines, provenance)


def checked_times(batch: Batch, now: datetime) -> Batch:
    """`batch` itself; raises Invalid `observation.in_the_future` when a time is more than 5 minutes ahead of `now`."""
    limit = (now + MAX_AHEAD - _EPOCH) // timedelta(milliseconds=1)
    if len(batch) and int(batch.at.max()) > limit:
        row = int(np.argmax(batch.at > limit))
        raise Invalid("observation.in_the_future", row=row, column="observed_at")
    return batch


def checked_values(batch: Batch, limit: int) -> Batch:
    """`batch` itself; raises Invalid `observation.value_too_large` for a counter larger than any content has."""
    if len(batch) and int(batch.value.max()) > limit:
        row = int(np.argmax(batch.value > limit))
        raise Invalid("observation.value_too_large", row=row, column="value", limit=limit)
    return batch


def _check_header(header: Sequence[str]) -> None:
    if len(set(header)) != len(header) or not set(header) <= _KNOWN or not set(header) >= _NEEDED:
        raise Invalid("csv.header_wrong", expected=", ".join(NAMES))


def _taken(header: Sequence[str], lines: Sequence[tuple[int, list[str]]], provenance: str) -> Taken:
    _check_count(len(lines))
    short = [Rejected(line, "", "csv.fields_missing") for line, row in lines if len(row) != len(header)]
    whole = [(line, row) for line, row in lines if len(row) == len(header)]
    columns = dict(zip(header, zip(*(row for _, row in whole), strict=True), strict=True)) if whole else {}
    filled = _filled(columns, provenance) if whole else {}
    if whole:
        filled["value"] = [_number(text) for text in filled["value"]]
    return _sieved(filled, [line for line, _ in whole], short)


def _sieved(filled: dict[str, Sequence[Any]], lines: list[int], rejected: list[Rejected]) -> Taken:
    """The fast way when all rows are good, else without the bad ones."""
    if not lines:
        return Taken(empty(), tuple(rejected[:MAX_REPORTED]), len(rejected))
    try:
        return Taken(_parsed(filled), tuple(rejected[:MAX_REPORTED]), len(rejected))
    except _WRONG:
        bad, good = _bad_rows(filled, most=MAX_ROWS)
    kept = {name: [column[row] for row in good] for name, column in filled.items()}
    found = sorted([*rejected, *(Rejected(lines[b.line], b.column, b.reason) for b in bad)], key=lambda r: r.line)
    batch = _parsed(kept) if good else empty()
    return Taken(batch, tuple(found[:MAX_REPORTED]), len(found))


def _filled(columns: Columns, provenance: str) -> dict[str, Sequence[Any]]:
    if not columns.keys() <= _KNOWN or not columns.keys() >= _NEEDED:
        raise Invalid("observation.fields_wrong", expected=", ".join(NAMES))
    if not all(isinstance(columns[name], list | tuple) for name in NEEDED):
        raise Invalid("observation.columns_not_lists", expected=", ".join(NEEDED))
    rows = len(columns["value"])
    _check_count(rows)
    filled = dict(columns)
    for name, default in {**DEFAULTS, "provenance": provenance}.items():
        given = filled.get(name, default)
        filled[name] = [given] * rows if isinstance(given, str) else given
    if any(not isinstance(column, list | tuple) or len(column) != rows for column in filled.values()):
        raise Invalid("observation.columns_of_different_length")
    return filled


def _check_count(rows: int) -> None:
    if not 1 <= rows <= MAX_ROWS:
        raise Invalid("batch.rows_out_of_range", rows=rows, low=1, high=MAX_ROWS)


def _parsed(columns: Columns) -> Batch:
    """Every column at once; which fault it raises for a bad value does not matter, `_bad_rows` finds the reason."""
    contents = tuple(dict.fromkeys(columns["content_id"]))
    numbers = {checked_id(content): n for n, content in enumerate(contents)}
    content = np.array([numbers[each] for each in columns["content_id"]], dtype=np.int64)
    metric, kind, traffic, provenance = (_coded(columns[name], _NAMES_OF[name]) for name, _ in CODES)
    at, value = _times(columns["observed_at"]), _values(columns["value"])
    return Batch(contents, content, metric, kind, traffic, provenance, at, value)


def _coded(column: Sequence[Any], codes: Mapping[str, int]) -> Ints:
    found = np.array([codes.get(each, 0) for each in column], dtype=np.int64)
    if not found.all():
        raise ValueError("unknown name")
    return found


def _values(column: Sequence[Any]) -> Ints:
    if set(map(type, column)) != {int}:
        raise TypeError("not integers")
    values = np.array(column, dtype=np.int64)
    if values.min() < 0 or values.max() > MAX_VALUE:
        raise ValueError("out of range")
    return values


def _times(column: Sequence[Any]) -> Ints:
    """Milliseconds since 1970; the form `2026-01-31T08:00:00Z` is read by numpy, any other by the standard library."""
    if set(map(len, column)) == {20} and _CANONICAL.fullmatch(",".join(column)):
        times = np.array([each[:19] for each in column], dtype="datetime64[s]").astype(np.int64) * 1000
    else:
        times = np.array([_milliseconds(each) for each in column], dtype=np.int64)
    if times.min() < EARLIEST_MS or times.max() > LATEST_MS:
        raise ValueError("out of range")
    return times


def _milliseconds(text: Any) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _number(text: str) -> int | str:
    """The integer a CSV field says, or the text itself, for the check that follows to refuse."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else text


def _bad_rows(columns: Columns, most: int) -> tuple[list[Rejected], list[int]]:
    """Rows that fail by themselves (`line` is the row's number), at most `most` of them, and the good rows before."""
    bad: list[Rejected] = []
    good: list[int] = []
    for row in range(len(columns["value"])):
        wrong = next((name for name in NAMES if not _passes(name, columns[name][row])), None)
        if wrong is None:
            good.append(row)
        else:
            bad.append(Rejected(row, wrong, _REASONS[wrong]))
        if len(bad) >= most:
            break
    return bad, good


def _passes(name: str, value: Any) -> bool:
    try:
        _CHECKS[name](value)
    except _WRONG:
        return False
    return True


def _check_code(name: str, value: Any) -> None:
    _coded([value], _NAMES_OF[name])


_KNOWN = frozenset(NAMES)
_NEEDED = frozenset(NEEDED)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CANONICAL = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z,?)+")
_WRONG = (Fault, ValueError, TypeError, OverflowError, AttributeError)
_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "content_id": checked_id,
    "value": lambda value: _values([value]),
    "observed_at": lambda value: _times([value]),
    **{name: partial(_check_code, name) for name, _ in CODES},
}
_REASONS = {
    "content_id": "observation.content_id_malformed",
    "value": "observation.value_not_a_count",
    "observed_at": "observation.time_malformed",
    "metric": "observation.metric_unknown",
    "kind": "observation.kind_unknown",
    "traffic": "observation.traffic_unknown",
    "provenance": "observation.provenance_unknown",
}
