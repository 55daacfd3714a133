"""Facts put into a language's phrases: a fact's unit is the end of its name, as everywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum

from kernel.core.money import written
from services.campaigns.domain.shared.terms import DAY_S, HOUR_S

MINUTE_S = 60
UNITS = ((DAY_S, "days"), (HOUR_S, "hours"), (MINUTE_S, "minutes"), (1, "seconds"))
Fact = str | int | Enum | date


@dataclass(frozen=True, slots=True)
class Saying:
    """Phrases of one language by key; a key `word/<value>` is what a value of an enum is called."""

    words: Mapping[str, str]
    currency: str

    def say(self, key: str, **facts: Fact) -> str:
        """The phrase with its facts: `_minor` as money, `_s` as a duration, `_bps` as per cent, `_days` as days."""
        return self.words[key].format(**{name: self._said(name, value) for name, value in facts.items()})

    def _said(self, name: str, value: Fact) -> str:
        if isinstance(value, Enum):
            return self.words[f"word/{value.value}"]
        if not isinstance(value, int):
            return str(value)
        if name.endswith("_minor"):
            return f"{written(value, self.currency)} {self.currency}"
        if name.endswith("_bps"):
            return f"{percent(value)}%"
        if name.endswith("_days"):
            return self._counted("days", value)
        return self._lasting(value) if name.endswith("_s") else str(value)

    def _lasting(self, seconds: int) -> str:
        """In the largest unit that divides it."""
        size, unit = next(each for each in UNITS if seconds % each[0] == 0)
        return self._counted(unit, seconds // size)

    def _counted(self, unit: str, count: int) -> str:
        return self.words[f"unit/{unit}/one" if count == 1 else f"unit/{unit}"].format(count=count)


def percent(basis_points: int) -> str:
    """`10` of 1,000 basis points, `2.5` of 250."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02d}".rstrip("0") if part else str(whole)
