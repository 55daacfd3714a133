"""What happened to a creator. Stored for ever; changed only by a new version with an upcast in codec.py."""

from dataclasses import dataclass
from datetime import datetime

from services.discovery.domain.audience import Audience
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.profile import Account, Availability, Platform, Profile
from services.discovery.domain.rate_card import RateCard


@dataclass(frozen=True, slots=True)
class CreatorRegistered:
    creator_id: str
    profile: Profile
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class CreatorProfileChanged:
    """The whole profile as it is from now on."""

    profile: Profile


@dataclass(frozen=True, slots=True)
class AccountLinked:
    """`replaces` is the handle that was linked on this platform before, "" for none; it is free again."""

    account: Account
    replaces: str


@dataclass(frozen=True, slots=True)
class AccountRenamed:
    """The same account of the platform has another handle: its followers and its verification stay. `replaces` is free again."""

    account: Account
    replaces: str


@dataclass(frozen=True, slots=True)
class AccountIdentified:
    """The platform's own id of the creator's account, "" where another account was linked; `replaces` is the id before."""

    platform: Platform
    account_id: str
    replaces: str


@dataclass(frozen=True, slots=True)
class AccountVerified:
    account: Account
    method: str


@dataclass(frozen=True, slots=True)
class RateCardChanged:
    """The whole card as it is from now on."""

    card: RateCard


@dataclass(frozen=True, slots=True)
class AudienceReported:
    audience: Audience


@dataclass(frozen=True, slots=True)
class FollowersReported:
    followers: Followers


@dataclass(frozen=True, slots=True)
class PerformanceReported:
    performance: Performance


@dataclass(frozen=True, slots=True)
class AvailabilityChanged:
    availability: Availability
    max_parallel_jobs: int


@dataclass(frozen=True, slots=True)
class CreatorSuspended:
    """Not found by searches and not to be offered work; `until` None means until reinstated."""

    reason: str
    until: datetime | None
    cause: str


@dataclass(frozen=True, slots=True)
class CreatorReinstated:
    reason: str


Event = (
    CreatorRegistered
    | CreatorProfileChanged
    | AccountLinked
    | AccountRenamed
    | AccountIdentified
    | AccountVerified
    | RateCardChanged
    | AudienceReported
    | FollowersReported
    | PerformanceReported
    | AvailabilityChanged
    | CreatorSuspended
    | CreatorReinstated
)
