"""The event of what is known of a creator. Stored for ever; docs/change-an-event.md says how one changes."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AccountHeard:
    """An account on a platform by the digests of its handle and of the platform's own id ("": not known)."""

    platform: str
    handle_sha256: str
    id_sha256: str = ""
    verified: bool = False

    @property
    def author_sha256(self) -> str:
        """What a post of this account is known by: a handle may change hands, an id does not."""
        return self.id_sha256 or self.handle_sha256


@dataclass(frozen=True, slots=True)
class CreatorHeard:
    """Everything that decides whether a creator may take a new job, as it stands now; `max_parallel_jobs` 0: any number."""

    creator_id: str
    open: bool = True
    max_parallel_jobs: int = 0
    suspended: bool = False
    suspended_until: datetime | None = None
    forgotten: bool = False
    accounts: tuple[AccountHeard, ...] = ()
    agency_id: str = ""
    offers_held: bool = False
    """Discovery holds new offers: its judgement of the creator's figures is fraud."""
    barred: bool = False
    """No new work may be agreed: the creator has something to settle with discovery first."""
    virtual_human: bool = False
    """What the creator makes is made by AI, and has to say so."""
