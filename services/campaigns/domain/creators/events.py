"""The event of what is known of a creator. Stored for ever; docs/change-an-event.md says how one changes."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CreatorHeard:
    """Everything that decides whether a creator may take a new job, as it stands now; `max_parallel_jobs` 0: any number."""

    creator_id: str
    open: bool = True
    max_parallel_jobs: int = 0
    suspended: bool = False
    suspended_until: datetime | None = None
    forgotten: bool = False
