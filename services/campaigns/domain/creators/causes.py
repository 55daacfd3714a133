"""Facts of other services about creators; subscribe.py makes each of a public message."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CreatorRegistered:
    """discovery: the creator is there."""

    creator_id: str


@dataclass(frozen=True, slots=True)
class AvailabilityChanged:
    """discovery: the creator takes new jobs (`open`), at most so many at once, or none."""

    creator_id: str
    open: bool
    max_parallel_jobs: int


@dataclass(frozen=True, slots=True)
class CreatorSuspended:
    """discovery: no new jobs before `until`; None: before it is reinstated."""

    creator_id: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class CreatorReinstated:
    """discovery: the suspension is over."""

    creator_id: str


@dataclass(frozen=True, slots=True)
class SubjectErased:
    """compliance: the person is forgotten, a creator or somebody else."""

    subject_id: str
