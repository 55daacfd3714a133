"""What an order may be worth: a bound of commerce's size, by currency.

A larger order is a mistake of units, or meant to spoil sums. The bound is `limit_major` major units (yuan, euros); WEAKER
multiplies the bound for currencies with a smaller major unit, so that the bound buys about as much everywhere.
"""

from collections.abc import Mapping

from kernel.core.faults import Invalid
from kernel.core.money import DIGITS

ORDER_LIMIT_MAJOR = 10_000_000
WEAKER: Mapping[str, int] = {
    "AFN": 20, "ALL": 20, "AMD": 100, "ARS": 200, "BDT": 20, "BIF": 500, "CDF": 500, "CLP": 200, "COP": 1_000, "CRC": 100,
    "DJF": 50, "DZD": 50, "ETB": 20, "GNF": 2_000, "HUF": 100, "IDR": 5_000, "INR": 20, "IQD": 500, "IRR": 20_000, "ISK": 50,
    "JMD": 50, "JPY": 50, "KES": 50, "KHR": 1_000, "KMF": 100, "KRW": 500, "KZT": 100, "LAK": 5_000, "LBP": 20_000, "LKR": 100,
    "LRD": 50, "MGA": 1_000, "MMK": 1_000, "MNT": 1_000, "MWK": 500, "NGN": 500, "NPR": 50, "PKR": 100, "PYG": 2_000,
    "RSD": 50, "RUB": 50, "RWF": 500, "SDG": 200, "SLE": 10, "SOS": 200, "SSP": 1_000, "SYP": 5_000, "TRY": 10, "TZS": 1_000,
    "UAH": 20, "UGX": 1_000, "UZS": 5_000, "VES": 100, "VND": 10_000, "XAF": 200, "XOF": 200, "XPF": 50, "YER": 200, "ZWL": 100,
}  # fmt: skip
"""Currencies of which a major unit is worth less than a tenth of a yuan or so, and by how much the bound is wider."""


def limit_minor(currency: str, limit_major: int = ORDER_LIMIT_MAJOR) -> int:
    """The most that one order may be worth, in minor units of the currency."""
    return int(limit_major * WEAKER.get(currency, 1) * 10 ** DIGITS[currency])


WIDEST_MINOR = max(map(limit_minor, DIGITS))


def check_amount(amount_minor: int, currency: str, limit_major: int = ORDER_LIMIT_MAJOR) -> None:
    """Raises Invalid `order.amount_out_of_range`; an order may be free. Currency "" is not known yet."""
    limit = limit_minor(currency, limit_major) if currency else WIDEST_MINOR
    if not 0 <= amount_minor <= limit:
        raise Invalid(
            "order.amount_out_of_range", amount_minor=amount_minor, limit_minor=limit,
            do="send minor units (fen, cents); an order that is worth more is told in several",
        )  # fmt: skip
