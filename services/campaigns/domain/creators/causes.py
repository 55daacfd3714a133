"""Facts of other services about creators; subscribe.py makes each of a public message."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AccountLinked:
    """discovery: an account on a platform, as the digest of its handle; it takes the place of the one before."""

    creator_id: str
    platform: str
    author_sha256: str


@dataclass(frozen=True, slots=True)
class AccountRenamed:
    """discovery: the same account has another handle, which `taken_from` was verified for until then ("": nobody); that one's
    account had the digest `taken_sha256` by it."""

    creator_id: str
    platform: str
    author_sha256: str
    taken_from: str = ""
    taken_sha256: str = ""


@dataclass(frozen=True, slots=True)
class AccountIdentified:
    """discovery: the platform's own id of the account, as its digest ("": not known any more)."""

    creator_id: str
    platform: str
    author_sha256: str


@dataclass(frozen=True, slots=True)
class AccountVerified:
    """discovery: staff saw that the creator controls the account with this handle."""

    creator_id: str
    platform: str
    author_sha256: str


@dataclass(frozen=True, slots=True)
class CreatorRegistered:
    """discovery: the creator is there, with its accounts and its agency ("": none)."""

    creator_id: str
    accounts: tuple[AccountLinked, ...] = ()
    agency_id: str = ""
    virtual_human: bool = False


@dataclass(frozen=True, slots=True)
class ProfileTold:
    """discovery: the creator's profile names this agency ("": none), and whether it is a virtual human."""

    creator_id: str
    agency_id: str
    virtual_human: bool = False


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
class OffersHeld:
    """discovery: whether new offers to the creator are held for its figures."""

    creator_id: str
    held: bool


@dataclass(frozen=True, slots=True)
class OffersBarred:
    """discovery: whether no new work may be agreed, for a reason that is the creator's own matter."""

    creator_id: str
    barred: bool


@dataclass(frozen=True, slots=True)
class CreatorReinstated:
    """discovery: the suspension is over."""

    creator_id: str
