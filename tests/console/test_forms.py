"""Typed values become a command's body, or a sentence at their field."""

import pytest

from console.calls.problems import Problem
from console.forms import Form, body


def form(**values: str) -> Form:
    return Form({name: [value] for name, value in values.items()})


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("1,234.50", "CNY", 123450),
        ("1，000", "JPY", 1000),
        ("-1.5", "USD", -150),
        ("0.001", "KWD", 1),
        (" 7 ", "CNY", 700),
    ],
)
def test_an_amount_is_read_in_the_currency_s_minor_units(typed: str, currency: str, minor: int) -> None:
    assert form(fee=typed).minor("fee", currency) == minor


@pytest.mark.parametrize("typed", ["", "12a", "1e9", "NaN", "∞", "1.005", "9" * 40, "<script>", "٣"])
def test_what_is_no_amount_is_said_at_its_field(typed: str) -> None:
    read = form(fee=typed)
    read.minor("fee", "CNY")
    with pytest.raises(Problem) as refused:
        read.check()
    assert list(refused.value.fields) == ["fee"]


def test_a_local_time_is_sent_in_utc() -> None:
    assert form(at="2027-03-01T08:00").moment("at", "Asia/Shanghai") == "2027-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("typed", "zone"),
    [("0001-01-01T00:00", "Asia/Shanghai"), ("9999-12-31T23:59", "America/New_York"), ("soon", "UTC")],
)
def test_a_moment_that_is_none_is_said_at_its_field(typed: str, zone: str) -> None:
    read = form(at=typed)
    assert read.moment("at", zone) == ""
    assert list(read.wrong) == ["at"]


def test_a_day_is_sent_as_a_time_of_it() -> None:
    assert form(at="2027-03-01").moment("at", "Asia/Shanghai", "T12:00") == "2027-03-01T04:00:00Z"
    assert form(at="0001-01-01T00:00").moment("at", "America/New_York") == "0001-01-01T04:56:02Z"


def test_a_share_finer_than_a_basis_point_is_said_so() -> None:
    read = form(share="0.005")
    read.basis_points("share")
    assert read.wrong == {"share": "At most two digits after the point."}


def test_dotted_names_are_nested() -> None:
    flat = {
        "brief.title": "x",
        "brief.deliverables.1.format": "b",
        "brief.deliverables.0.format": "a",
        "fees_minor.0": 3,
    }
    assert body(flat) == {
        "brief": {"title": "x", "deliverables": [{"format": "a"}, {"format": "b"}]},
        "fees_minor": [3],
    }


def test_a_key_that_is_none_is_made_anew() -> None:
    assert len(form(_key="a b").key) == 36
    assert form(_key="12345678-key").key == "12345678-key"
