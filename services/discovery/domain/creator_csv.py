"""Creators from a CSV file (RFC 4180, UTF-8): rows in, good rows and problems out. Pure; columns in csv_columns.py.

A bad row never stops the file. A quote that is not closed costs its own line only: reading goes on with the next one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kernel.core.faults import Invalid
from services.discovery.domain.csv.charset import as_utf8
from services.discovery.domain.csv.formulas import FORMULA
from services.discovery.domain.csv.reasons import REASONS, column_of, sentence
from services.discovery.domain.csv_columns import COLUMNS, REQUIRED, CreatorRow, Values, creator_row

ROWS_LIMIT = 20_000
FIELD_CHARS = 2_000
RECORD_LINES = 20
PROBLEMS_LIMIT = 1_000
"""At most so many problems are listed; all are counted."""

_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^",]*))(,|\Z)', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was left out: `line` counts physical lines from 1, `column` is "" where the whole row is meant."""

    line: int
    column: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """`rows` in the file's order; `bad_rows` of `read_rows` were left out for `problems` (the first 1,000)."""

    rows: tuple[CreatorRow, ...]
    problems: tuple[Problem, ...]
    read_rows: int
    bad_rows: int


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the file; `fields` is None when `rule` says why it could not be split."""

    line: int
    fields: tuple[str, ...] | None
    rule: str = ""


def parse(data: bytes, charset: str = "") -> Parsed:
    """A CSV file; raises Invalid for one that is wrong as a whole: `csv.empty`, `.not_utf8`, `.too_many_rows`, `.column_*`.

    Rows without any value are no rows: spreadsheets write as many as were ever touched.
    """
    return read_records(split_records(as_utf8(data, charset)))


def read_records(told: Iterable[Record]) -> Parsed:
    """Records of a file of any form, the header first."""
    records = (record for record in told if not _is_blank(record))
    header = _checked_header(next(records, None))
    rows: list[CreatorRow] = []
    problems: list[Problem] = []
    bad: set[int] = set()
    first_lines: dict[tuple[str, str], int] = {}
    read = 0
    for record in records:
        read += 1
        if read > ROWS_LIMIT:
            raise Invalid("csv.too_many_rows", limit=ROWS_LIMIT)
        row, found = _read_row(record, header, first_lines)
        if row is not None:
            rows.append(row)
        else:
            bad.add(record.line)
            problems.extend(found[: PROBLEMS_LIMIT - len(problems)])
    return Parsed(tuple(rows), tuple(problems), read, len(bad))


def _is_blank(record: Record) -> bool:
    return record.fields is not None and not any(field.strip() for field in record.fields)


def _checked_header(record: Record | None) -> tuple[str, ...]:
    if record is None:
        raise Invalid("csv.empty")
    if record.fields is None:
        raise Invalid(record.rule, line=record.line)
    names = tuple(name.strip().casefold() for name in _without_blank_end(record.fields))
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise Invalid("csv.separator_not_comma", expected="columns separated by commas", line=record.line)
    for name in names:
        if name not in COLUMNS:
            raise Invalid("csv.column_unknown", column=name[:60], line=record.line)
        if names.count(name) > 1:
            raise Invalid("csv.column_repeated", column=name, line=record.line)
    for name in REQUIRED:
        if name not in names:
            raise Invalid("csv.column_missing", column=name, line=record.line)
    return names


def _read_row(
    record: Record, header: tuple[str, ...], first_lines: dict[tuple[str, str], int]
) -> tuple[CreatorRow | None, list[Problem]]:
    fields = _fitting(record.fields or (), len(header))
    rule = record.rule or _rule_of_shape(fields, header)
    if rule:
        return None, [_problem(record.line, "", Invalid(rule))]
    values, problems = _read_values(record.line, fields, header)
    if not problems:
        try:
            row = creator_row(record.line, values)
        except Invalid as fault:
            return None, [_problem(record.line, column_of(fault), fault)]
        names = [(row.account.platform, row.account.handle), (row.account.platform, f"id {row.account_id}")]
        names = names if row.account_id else names[:1]
        earlier = [first_lines[name] for name in names if name in first_lines]
        if not earlier:
            first_lines.update(dict.fromkeys(names, record.line))
            return row, []
        reason = f"{REASONS['csv.duplicate_row']} ({min(earlier)})"
        problems = [Problem(record.line, "handle", "csv.duplicate_row", reason)]
    return None, problems


def _without_blank_end(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The fields up to the last that says something: spreadsheets write commas for columns that were ever touched."""
    end = len(fields)
    while end and not fields[end - 1].strip():
        end -= 1
    return fields[:end]


def _fitting(fields: tuple[str, ...], columns: int) -> tuple[str, ...]:
    """The row as long as the header: spreadsheets write commas past its end, and leave out those of a row's last blank fields."""
    if any(field.strip() for field in fields[columns:]):
        return fields
    return (*fields[:columns], *[""] * (columns - len(fields)))


def _rule_of_shape(fields: tuple[str, ...], header: tuple[str, ...]) -> str:
    if len(fields) != len(header):
        return "csv.field_count"
    return "csv.field_too_long" if any(len(field) > FIELD_CHARS for field in fields) else ""


def _read_values(line: int, fields: tuple[str, ...], header: tuple[str, ...]) -> tuple[Values, list[Problem]]:
    values: Values = {}
    problems = []
    for name, text in zip(header, fields, strict=True):
        try:
            values[name] = COLUMNS[name].value_of(_said(text.strip()))
        except Invalid as fault:
            problems.append(_problem(line, name, fault))
    return values, problems


def _said(text: str) -> str:
    """Without the apostrophe by which an export keeps a text from being a formula."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _problem(line: int, column: str, fault: Invalid) -> Problem:
    return Problem(line, column, fault.code, sentence(fault))


def split_records(data: bytes) -> Iterator[Record]:
    """The records of the file with the line each begins on; blank lines are left out, a byte order mark too."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Invalid("csv.not_utf8", line=1)
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    at = 0
    while at < len(lines):
        if lines[at].strip():
            record, used = _record_at(lines, at)
            yield record
            at += used
        else:
            at += 1


def _record_at(lines: list[bytes], at: int) -> tuple[Record, int]:
    """The record that begins at `lines[at]`, and how many lines it takes; an unreadable one takes its first only."""
    taken: list[str] = []
    open_quotes = 0
    for text in _decoded(lines[at : at + RECORD_LINES]):
        if text is None:
            return Record(at + 1, None, "csv.quote_not_closed" if taken else "csv.not_utf8"), 1
        taken.append(text.removesuffix("\r"))
        open_quotes += text.count('"')
        if open_quotes % 2 == 0:
            record = _split(at + 1, "\n".join(taken))
            return record, 1 if record.fields is None else len(taken)
    return Record(at + 1, None, "csv.quote_not_closed"), 1


def _decoded(lines: Iterable[bytes]) -> Iterator[str | None]:
    for line in lines:
        try:
            yield line.decode()
        except UnicodeDecodeError:
            yield None


def _split(line: int, text: str) -> Record:
    if _CONTROL.search(text):
        return Record(line, None, "csv.control_character")
    if '"' not in text:
        return Record(line, tuple(text.split(",")))
    fields: list[str] = []
    end, more = 0, True
    while more:
        found = _FIELD.match(text, end)
        if found is None:
            return Record(line, None, "csv.quoting_malformed")
        quoted, plain, separator = found.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        end, more = found.end(), separator == ","
    return Record(line, tuple(fields))
