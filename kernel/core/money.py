"""Money in minor units with its currency. No floats; a sum of two currencies is a programming error and refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.core.faults import Invalid

MINOR_DIGITS = {
    "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "CNY": 2, "DKK": 2, "EUR": 2, "GBP": 2, "HKD": 2, "IDR": 2, "INR": 2,
    "JPY": 0, "KRW": 0, "KWD": 3, "MOP": 2, "MXN": 2, "MYR": 2, "NOK": 2, "NZD": 2, "PHP": 2, "SEK": 2, "SGD": 2,
    "THB": 2, "TWD": 2, "USD": 2, "VND": 0,
}  # fmt: skip
LIMIT_MINOR = 10**15
"""No single amount may exceed this (ten trillion yuan); what is larger is a unit mistake."""
BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units of `currency` (ISO 4217), e.g. Money(1999, "CNY") is 19.99 yuan."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        checked_currency(self.currency)
        if abs(self.minor) > LIMIT_MINOR:
            raise Invalid("money.too_large", limit_minor=LIMIT_MINOR)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + other.minor_in(self.currency), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - other.minor_in(self.currency), self.currency)

    def minor_in(self, currency: str) -> int:
        if currency != self.currency:
            raise Invalid("money.currency_mismatch", expected=currency, got=self.currency)
        return self.minor

    def __str__(self) -> str:
        digits = MINOR_DIGITS[self.currency]
        sign, units = "-" if self.minor < 0 else "", abs(self.minor)
        whole, part = divmod(units, 10**digits)
        return f"{sign}{whole:,}{f'.{part:0{digits}d}' if digits else ''} {self.currency}"


def checked_currency(currency: str) -> str:
    if currency not in MINOR_DIGITS:
        raise Invalid("money.unknown_currency", currency=currency[:8])
    return currency


def share_down(amount_minor: int, basis_points: int) -> int:
    """`basis_points` of the amount, rounded down; the remainder stays with whoever takes the rest."""
    return amount_minor * basis_points // BASIS_POINTS


def split_by_weights(amount_minor: int, weights: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Largest remainder method: parts sum to the amount exactly; ties go to the smaller key."""
    total = sum(weight for _, weight in weights)
    if total <= 0 or any(weight < 0 for _, weight in weights):
        raise Invalid("money.weights_not_positive")
    parts = {key: amount_minor * weight // total for key, weight in weights}
    by_remainder = sorted(weights, key=lambda item: (-(amount_minor * item[1] % total), item[0]))
    for key, _ in by_remainder[: amount_minor - sum(parts.values())]:
        parts[key] += 1
    return parts
