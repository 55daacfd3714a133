"""Every currency of ISO 4217 with a minor unit is one of the platform, with its digits, at every place that takes one."""

from io import StringIO

import pytest
from dandelion.metrics.v1 import queries_pb2 as queries
from iso4217 import Currency as Iso
from pydantic import TypeAdapter
from rich.console import Console

from cli.tables import WIDTH, returns
from kernel.core.faults import Invalid
from kernel.core.money import CURRENCIES, DIGITS, LATELY_WITHDRAWN, checked_currency, written
from kernel.edge.fields import Currency


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        ("CLP", 0), ("ISK", 0), ("JPY", 0), ("XAF", 0), ("AED", 2), ("BGN", 2), ("CNY", 2), ("CZK", 2), ("HUF", 2),
        ("PLN", 2), ("RON", 2), ("TRY", 2), ("XCG", 2), ("ZAR", 2), ("BHD", 3), ("JOD", 3), ("KWD", 3), ("TND", 3),
        ("CLF", 4), ("UYW", 4),
    ],
)  # fmt: skip
def test_a_currency_has_the_digits_of_the_list(currency: str, digits: int) -> None:
    assert checked_currency(currency) == TypeAdapter(Currency).validate_python(currency) == currency
    assert DIGITS[currency] == digits


def test_the_whole_list_is_taken_and_nothing_else() -> None:
    listed = {one.code for one in Iso if one.exponent is not None}
    assert len(listed) > 160
    assert listed | LATELY_WITHDRAWN.keys() == CURRENCIES
    assert set(DIGITS.values()) == {0, 2, 3, 4}


@pytest.mark.parametrize("currency", ["XXX", "XTS", "XAU", "XDR", "DEM", "cny", "CN", "CNYY", "", "¥"])
def test_what_has_no_minor_unit_or_is_not_on_the_list_is_refused(currency: str) -> None:
    with pytest.raises(Invalid, match=r"money\.unknown_currency"):
        checked_currency(currency)
    with pytest.raises(ValueError, match=r"ISO 4217|3 characters"):
        TypeAdapter(Currency).validate_python(currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123_456_789, "CNY", "1,234,567.89"), (5, "USD", "0.05"), (-150, "EUR", "-1.50"), (0, "CNY", "0.00"),
        (123_456, "JPY", "123,456"), (-7, "CLP", "-7"), (1_234_567, "KWD", "1,234.567"), (-5, "BHD", "-0.005"),
        (123_456, "CLF", "12.3456"), (10**15 + 1, "CNY", "10,000,000,000,000.01"),
    ],
)  # fmt: skip
def test_an_amount_is_written_with_the_digits_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert written(minor, currency) == text


def test_tables_write_each_currency_with_its_digits() -> None:
    money = queries.Roi(currency="JPY", cost_minor=123_456, revenue_minor=7, cpe=queries.Ratio(value=2_500))
    out = StringIO()
    answer = queries.GetCampaignRoiResponse(roi=[money])
    returns({"tokyo": answer}, Console(file=out, width=WIDTH))
    assert all(text in out.getvalue() for text in ("123,456 JPY", " 7 ", " 2,500"))
