"""What happened to a creator. Stored for ever; changed only by a new version with an upcast in codec.py."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from kernel.core.personal import PersonalData
from services.discovery.domain.audience import Audience
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.guardians.events import GuardianEvent
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
    replaces: Annotated[str, PersonalData()]


@dataclass(frozen=True, slots=True)
class AccountRenamed:
    """The same account of the platform has another handle: its followers and its verification stay. `replaces` is free again.

    `verified`: the account was verified before; events of 0.1.0 leave it to who holds the former handle.
    `taken_from` is the creator that was verified for the handle until then, "" for none: it says so when the handle is erased.
    `taken_digest` is the digest of that creator's account by the handle.
    """

    account: Account
    replaces: Annotated[str, PersonalData()]
    verified: bool = False
    taken_from: str = ""
    taken_digest: str = ""


@dataclass(frozen=True, slots=True)
class AccountIdentified:
    """The platform's own id of the creator's account, "" where another account was linked; `replaces` is the id before."""

    platform: Platform
    account_id: Annotated[str, PersonalData()]
    replaces: Annotated[str, PersonalData()]
    digest: str = ""


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


@dataclass(frozen=True, slots=True)
class CreatorForgotten:
    """The person was erased: what was personal is gone, figures stay. The accounts are free again; they are never stored."""

    accounts: Annotated[tuple[Account, ...], PersonalData((), stored=False)] = ()
    account_ids: Annotated[tuple[tuple[Platform, str], ...], PersonalData((), stored=False)] = ()


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
    | CreatorForgotten
    | GuardianEvent
)
