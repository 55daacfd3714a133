"""What the index is asked: filters that are ANDed, measures to bound and sort by, facets. Moments are seconds since 1970."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A number of the creator."""

    name: str


@dataclass(frozen=True, slots=True)
class Price:
    """What is asked for one piece at the moment of the question: the column `next` from the moment in column `since` on."""

    base: str
    next: str
    since: str


@dataclass(frozen=True, slots=True)
class UnitCost:
    """`price * factor / per`, rounded down; none where `per` is unknown or nothing."""

    price: Price
    per: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Blend:
    """The sum of weight times column; an unknown one counts nothing, and none at all is unknown."""

    parts: tuple[tuple[str, float], ...]


Measure = Column | Price | UnitCost | Blend


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of these labels of a column; with `negated`, none of them."""

    column: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Within:
    """A measure from `low` to `high`, both included, None for no bound: then it is known. `negated`: not so, or unknown."""

    measure: Measure
    low: float | None = None
    high: float | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Says:
    """All parts of a text (search/words.py `asked`) in one of the creator's texts each."""

    parts: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Among:
    """One of these creators; with `negated`, none of them."""

    ids: frozenset[str]
    negated: bool = False


Filter = AnyOf | Within | Says | Among


@dataclass(frozen=True, slots=True)
class Order:
    """By a measure, then by creator id upwards; only creators that have the measure are listed."""

    measure: Measure
    falling: bool = True


@dataclass(frozen=True, slots=True)
class Behind:
    """Where the page before ended."""

    value: float
    creator_id: str


@dataclass(frozen=True, slots=True)
class Facet:
    """The labels of a column, and which of the question's filters are its own (their places), left out while it is counted."""

    column: str
    own: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Filters by their place, the order, the page, and at what moment."""

    filters: Sequence[Filter]
    order: Order
    at: float
    size: int = 20
    behind: Behind | None = None
    facets: Sequence[Facet] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """`hits` are ids with the value they are sorted by, `more` whether others follow; `facets` in the order asked."""

    hits: tuple[tuple[str, float], ...]
    more: bool
    total: int
    facets: tuple[tuple[tuple[str, int], ...], ...] = ()
