"""What callers send: rows and columns of JSON, lines of CSV."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.core.faults import Invalid
from services.metrics.domain.engagement import Kind, Metric, Provenance, Traffic
from services.metrics.domain.intake import (
    MAX_REPORTED,
    MAX_ROWS,
    Rejected,
    checked_times,
    from_columns,
    from_csv,
    from_rows,
)
from tests.unit.metrics.batches import CONTENTS, as_rows

A, B = CONTENTS[:2]
AT = "2026-06-01T12:00:00Z"
AT_MS = 1_780_315_200_000
ROW: dict[str, Any] = {"content_id": A, "metric": "likes", "value": 3, "observed_at": AT}
LIKES = (A, Metric.LIKES, Kind.INCREMENT, Traffic.ORGANIC, Provenance.PLATFORM, AT_MS, 3)
HEADER = "content_id,metric,value,observed_at\n"


def test_rows_say_what_they_are_or_get_the_defaults() -> None:
    full = {**ROW, "content_id": B, "kind": "snapshot", "traffic": "paid", "provenance": "manual", "value": 0}
    found = as_rows(from_rows([ROW, full]))
    assert found == [LIKES, (B, Metric.LIKES, Kind.SNAPSHOT, Traffic.PAID, Provenance.MANUAL, AT_MS, 0)]


def test_rows_and_columns_say_the_same() -> None:
    columns: dict[str, Any] = {
        "content_id": [A, B],
        "metric": ["likes", "reads"],
        "value": [3, 4],
        "observed_at": [AT, AT],
    }
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert as_rows(from_rows(rows)) == as_rows(from_columns(columns))
    assert as_rows(from_columns({**columns, "traffic": "paid"}))[1][3] == Traffic.PAID


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        (AT, AT_MS),
        ("2026-06-01T20:00:00+08:00", AT_MS),
        ("2026-06-01T12:00:00.250Z", AT_MS + 250),
    ],
)
def test_times_are_utc_milliseconds(text: str, at_ms: int) -> None:
    assert as_rows(from_rows([{**ROW, "observed_at": text}]))[0][5] == at_ms
    assert [r[5] for r in as_rows(from_rows([{**ROW, "observed_at": text}, ROW]))] == [at_ms, AT_MS]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"content_id": "7"}, "observation.content_id_malformed"),
        ({"content_id": A.upper()}, "observation.content_id_malformed"),
        ({"content_id": None}, "observation.content_id_malformed"),
        ({"content_id": [A]}, "observation.content_id_malformed"),
        ({"content_id": 7}, "observation.content_id_malformed"),
        ({"metric": "LIKES"}, "observation.metric_unknown"),
        ({"metric": 4}, "observation.metric_unknown"),
        ({"metric": {}}, "observation.metric_unknown"),
        ({"value": -1}, "observation.value_not_a_count"),
        ({"value": 10**11 + 1}, "observation.value_not_a_count"),
        ({"value": 10**40}, "observation.value_not_a_count"),
        ({"value": 1.0}, "observation.value_not_a_count"),
        ({"value": True}, "observation.value_not_a_count"),
        ({"value": "3"}, "observation.value_not_a_count"),
        ({"value": None}, "observation.value_not_a_count"),
        ({"observed_at": "2026-06-01T12:00:00"}, "observation.time_malformed"),
        ({"observed_at": "2026-06-31T12:00:00Z"}, "observation.time_malformed"),
        ({"observed_at": "2026-06-01T12:00+05Z"}, "observation.time_malformed"),
        ({"observed_at": "1970-01-01T00:00:00Z"}, "observation.time_malformed"),
        ({"observed_at": "9999-01-01T00:00:00Z"}, "observation.time_malformed"),
        ({"observed_at": 1_780_315_200}, "observation.time_malformed"),
        ({"observed_at": None}, "observation.time_malformed"),
        ({"kind": "total"}, "observation.kind_unknown"),
        ({"traffic": "both"}, "observation.traffic_unknown"),
        ({"provenance": "rumour"}, "observation.provenance_unknown"),
        ({"likes": 3}, "observation.fields_wrong"),
    ],
)
def test_a_bad_row_names_itself_and_refuses_the_batch(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as fault:
        from_rows([ROW, {**ROW, **wrong}, ROW])
    assert fault.value.code == code
    assert fault.value.facts["row"] == 1


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({}, "observation.fields_wrong"),
        ({**ROW}, "observation.columns_not_lists"),
        ({name: [value] for name, value in ROW.items()} | {"value": [1, 2]}, "observation.columns_of_different_length"),
        ({name: [value] for name, value in ROW.items()} | {"kind": 3}, "observation.columns_of_different_length"),
        ({name: [] for name in ROW}, "batch.rows_out_of_range"),
        ({name: [value] * (MAX_ROWS + 1) for name, value in ROW.items()}, "batch.rows_out_of_range"),
    ],
)
def test_columns_of_a_wrong_shape(columns: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as fault:
        from_columns(columns)
    assert fault.value.code == code


def test_rows_that_are_no_objects() -> None:
    with pytest.raises(Invalid, match=r"observation\.fields_wrong"):
        from_rows([ROW, ["likes"]])  # type: ignore[list-item]


def test_csv_keeps_the_good_rows_and_names_the_bad() -> None:
    text = HEADER + f"{A},likes,3,{AT}\n{A},like,3,{AT}\n\n{B},reads,1_0,{AT}\n{A},likes\n{B},reads,5,{AT}\n"
    taken = from_csv(text)
    assert [(r[0], r[6]) for r in as_rows(taken.batch)] == [(A, 3), (B, 5)]
    assert taken.rejected == (
        Rejected(3, "metric", "observation.metric_unknown"),
        Rejected(5, "value", "observation.value_not_a_count"),
        Rejected(6, "", "csv.fields_missing"),
    )
    assert taken.rejected_count == 3


def test_csv_of_bad_rows_only_reports_a_bounded_number() -> None:
    taken = from_csv(HEADER + f"{A},likes,-3,{AT}\n" * (MAX_REPORTED + 1))
    assert (len(taken.batch), len(taken.rejected), taken.rejected_count) == (0, MAX_REPORTED, MAX_REPORTED + 1)


def test_csv_of_short_rows_only() -> None:
    assert from_csv(HEADER + "a\n").rejected == (Rejected(2, "", "csv.fields_missing"),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "csv.header_wrong"),
        ("content_id,metric,value\n", "csv.header_wrong"),
        (HEADER.strip() + ",platform_id\n", "csv.header_wrong"),
        (HEADER.strip() + ",value\n", "csv.header_wrong"),
        (HEADER, "batch.rows_out_of_range"),
        (HEADER + '"', "csv.malformed"),
        (HEADER + "a\x00,b", "csv.fields_missing"),
    ],
)
def test_a_file_that_is_no_table(text: str, code: str) -> None:
    try:
        reasons = [each.reason for each in from_csv(text).rejected]
    except Invalid as fault:
        reasons = [fault.code]
    assert reasons == [code]


@given(st.text(max_size=200))
def test_any_text_is_taken_or_refused_by_a_typed_error(text: str) -> None:
    with suppress(Invalid):
        from_csv(HEADER + text)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=25),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(ROW)), json, max_size=4))
def test_any_values_are_taken_or_refused_by_a_typed_error(wrong: dict[str, Any]) -> None:
    with suppress(Invalid):
        from_rows([ROW, {**ROW, **wrong}])
    with suppress(Invalid):
        from_columns({**ROW, **wrong})


def test_the_future_refuses_the_batch() -> None:
    found = from_rows([ROW, {**ROW, "observed_at": "2026-06-01T12:05:01Z"}])
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert checked_times(found, noon + timedelta(seconds=1)) is found
    with pytest.raises(Invalid, match=r"observation\.in_the_future") as fault:
        checked_times(found, noon)
    assert fault.value.facts["row"] == 1
