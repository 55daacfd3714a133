"""Money: amounts are integers in minor units, with their ISO 4217 currency beside them. No floats."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from iso4217 import Currency

from kernel.core.faults import Invalid

LATELY_WITHDRAWN: Mapping[str, int] = {"ANG": 2, "BGN": 2, "ZWL": 2}
"""Digits of currencies that ISO 4217 withdrew in 2024 to 2026: older orders and settlements still come in them."""
DIGITS: Mapping[str, int] = MappingProxyType(
    {**LATELY_WITHDRAWN, **{one.code: one.exponent for one in Currency if one.exponent is not None}}
)
"""Digits of the minor unit by currency, 0 to 4: all of ISO 4217's list but metals, units of account and test codes, which
have no minor unit."""
CURRENCIES = frozenset(DIGITS)
"""Currencies of the platform (ISO 4217)."""
LIMIT_MINOR = 10**15
"""Limit of a single amount (ten trillion yuan): a larger one is a mistake of units."""
BASIS_POINTS = 10_000


def checked_currency(currency: str) -> str:
    """`currency` itself; raises Invalid `money.unknown_currency` unless the platform knows it."""
    if currency not in CURRENCIES:
        raise Invalid("money.unknown_currency", currency=currency[:8])
    return currency


def written(amount_minor: int, currency: str) -> str:
    """An amount as people write it: `1,234.50` of CNY, `1,234` of JPY, `-1.234` of KWD. Two digits where no currency is known."""
    digits = DIGITS.get(currency, 2)
    whole, part = divmod(abs(amount_minor), 10**digits)
    return f"{'-' if amount_minor < 0 else ''}{whole:,}{f'.{part:0{digits}d}' if digits else ''}"


def share_down(amount_minor: int, basis_points: int) -> int:
    """Share of `basis_points` of the amount, rounded down: the remainder stays with whoever takes the rest."""
    return amount_minor * basis_points // BASIS_POINTS


def split_by_weights(amount_minor: int, weights: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Splits the amount by the largest remainder method: the parts sum to the amount exactly, and ties go to the smaller key."""
    total = sum(weight for _, weight in weights)
    if total <= 0 or any(weight < 0 for _, weight in weights):
        raise Invalid("money.weights_not_positive")
    parts = {key: amount_minor * weight // total for key, weight in weights}
    by_remainder = sorted(weights, key=lambda item: (-(amount_minor * item[1] % total), item[0]))
    for key, _ in by_remainder[: amount_minor - sum(parts.values())]:
        parts[key] += 1
    return parts
