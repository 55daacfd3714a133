"""Who may be in a mix, with what it costs and what it is expected to bring; and why somebody may not. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Out(StrEnum):
    """Why a creator cannot be in the mix, whatever the budget."""

    NEVER = "never"
    NO_PRICE = "no_price"
    CLOSED = "closed"
    AUTHENTICITY = "authenticity"
    COMPETITOR = "competitor"
    NO_FORECAST = "no_forecast"


class Source(StrEnum):
    """What a forecast rests on: what was measured, what the creator or a model told, or what its peers bring."""

    MEASURED = "measured"
    TOLD = "told"
    PEERS = "peers"


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of one piece: the median, and the bounds of 80 % (a tenth of pieces is below `low`, a tenth above `high`)."""

    low: float
    median: float
    high: float
    source: Source


@dataclass(frozen=True, slots=True)
class Candidate:
    """One creator for one piece. `labels` are (kind of quota, value) pairs; `cells` are people by part of the audience."""

    creator_id: str
    price_minor: int
    forecast: Forecast
    labels: frozenset[tuple[str, str]]
    cells: Mapping[str, float] = field(default_factory=dict)
