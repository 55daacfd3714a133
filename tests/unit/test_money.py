"""Every currency of ISO 4217 with a minor unit is one of the platform, with its digits, at every place that takes one."""

import pytest
from iso4217 import Currency as Iso
from pydantic import TypeAdapter

from kernel.core.faults import Invalid
from kernel.core.money import CURRENCIES, DIGITS, LATELY_WITHDRAWN, checked_currency
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
