"""A body takes what it says and nothing near it."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from kernel.core.money import LIMIT_MINOR
from kernel.edge.fields import (
    AmountMinor,
    Body,
    Bps,
    Currency,
    Label,
    LongText,
    ShortText,
    UtcDatetime,
    Uuid,
)


class Kind(StrEnum):
    FLAT = "flat"


class Line(Body):
    count: int
    note: str = ""


class Draft(Body):
    id: Uuid
    title: ShortText
    brief: LongText
    kind: Kind
    category: Label
    budget_minor: AmountMinor
    currency: Currency
    fee_bps: Bps
    starts_at: UtcDatetime
    open: bool
    weight: float
    lines: tuple[Line, ...]
    parent: Uuid | None = None


GOOD: dict[str, Any] = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "title": "夏日 launch",
    "brief": "two\nlines",
    "kind": "flat",
    "category": "food_and_drink",
    "budget_minor": 100,
    "currency": "CNY",
    "fee_bps": 1000,
    "starts_at": "2026-03-01T08:00:00+08:00",
    "open": True,
    "weight": 0.5,
    "lines": [{"count": 1}],
}


def test_a_good_body_is_taken_with_times_in_utc() -> None:
    body = TypeAdapter(Draft).validate_python(GOOD)
    assert body.starts_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert body.starts_at.tzinfo is UTC
    assert body.kind is Kind.FLAT


def test_a_whole_number_may_be_written_with_a_point() -> None:
    body = TypeAdapter(Draft).validate_python({**GOOD, "budget_minor": 100.0, "lines": [{"count": 2.0}]})
    assert (repr(body.budget_minor), repr(body.lines[0].count)) == ("100", "2")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "01890A5D-AC96-774B-BCCE-B302099A8057"),
        ("id", "01890a5dac96774bbcceb302099a8057"),
        ("id", "01890a5d-ac96-774b-bcce-b302099a8057\n"),
        ("title", ""),
        ("title", " "),
        ("title", "x" * 201),
        ("title", "two\nlines"),
        ("title", "nul\x00"),
        ("title", "half \ud800"),
        ("title", 5),
        ("brief", "\ud800"),
        ("brief", "bell\x07"),
        ("brief", "x" * 20_001),
        ("kind", "FLAT"),
        ("category", "Food"),
        ("budget_minor", "100"),
        ("budget_minor", 100.5),
        ("budget_minor", 1e300),
        ("budget_minor", float("inf")),
        ("budget_minor", True),
        ("budget_minor", -1),
        ("budget_minor", LIMIT_MINOR + 1),
        ("budget_minor", 10**400),
        ("currency", "XXX"),
        ("currency", "cny"),
        ("fee_bps", 10_001),
        ("starts_at", "2026-03-01T08:00:00"),
        ("starts_at", 1_700_000_000),
        ("starts_at", "2026-03-01"),
        ("starts_at", "0001-01-01T00:00:00+23:00"),
        ("open", 1),
        ("open", "true"),
        ("weight", "0.5"),
        ("weight", float("nan")),
        ("lines", [{"count": "1"}]),
        ("lines", [{"count": 1, "note": "nul\x00"}]),
        ("lines", [{"count": 1, "note": "\udfff"}]),
        ("lines", [{"count": 1, "note": "x" * 20_001}]),
        ("lines", [{"count": 1, "more": 1}]),
        ("parent", "x"),
        ("tenant", "acme"),
        ("fee_minor", 1),
    ],
)
def test_what_is_only_near_is_refused_by_its_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Draft).validate_python({**GOOD, field: value})
    assert {error["loc"][0] for error in refused.value.errors()} == {field}


def test_a_body_does_not_change() -> None:
    body = Line(count=1)
    with pytest.raises(ValidationError):
        body.count = 2  # type: ignore[misc]


def test_the_schema_tells_callers_the_rules() -> None:
    fields = Draft.model_json_schema()["properties"]
    assert fields["budget_minor"] == {
        "maximum": LIMIT_MINOR,
        "minimum": 0,
        "title": "Budget Minor",
        "type": "integer",
    }
    assert "CNY" in fields["currency"]["enum"]
    assert fields["starts_at"]["format"] == "date-time"
    assert "pattern" in fields["id"]
    assert Line.model_json_schema()["properties"]["note"]["maxLength"] == 20_000
