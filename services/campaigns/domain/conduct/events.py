"""Events of conduct: what counts against a creator, and the sanction that follows from repeats."""

from dataclasses import dataclass
from datetime import datetime

from services.campaigns.domain.shared.requests import RequestRefused


@dataclass(frozen=True, slots=True)
class StrikeCounted:
    """A breach of a paid post was not cured."""

    deliverable_id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SanctionRequested:
    """discovery.SuspendCreator: out of search and of new agreements until then."""

    creator_id: str
    reason: str
    until: datetime
    strikes: int


ConductEvent = StrikeCounted | SanctionRequested | RequestRefused
