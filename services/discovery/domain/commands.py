"""What may be asked of a creator's stream; creator.py decides."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import Interval, Len

from kernel.core.bounds import Asked
from services.discovery.domain.audience import Audience
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.guardians.guardian import GuardianCommand
from services.discovery.domain.profile import Account, Availability, Platform, Profile
from services.discovery.domain.rate_card import RateCard

Reason = Annotated[str, Asked(Len(1, 200))]


@dataclass(frozen=True, slots=True)
class RegisterCreator:
    """`creator_id` is the stream's uuid and the tenant that owns it."""

    creator_id: str
    profile: Profile
    accounts: Annotated[tuple[Account, ...], Asked(Len(0, len(Platform)))] = ()


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    profile: Profile


@dataclass(frozen=True, slots=True)
class LinkAccount:
    """Links an account, in place of the one linked on that platform before."""

    account: Account


@dataclass(frozen=True, slots=True)
class IdentifyAccount:
    """The account with the platform's own id `account_id` is this creator's, and has this handle now. Staff only."""

    account: Account
    account_id: str


@dataclass(frozen=True, slots=True)
class VerifyAccount:
    """Staff has seen that the creator controls the account; `method` says how, e.g. `oauth`, `code_in_bio`."""

    account: Account
    method: Annotated[str, Asked(Len(1, 40))]


@dataclass(frozen=True, slots=True)
class ChangeRateCard:
    card: RateCard


@dataclass(frozen=True, slots=True)
class ReportAudience:
    audience: Audience


@dataclass(frozen=True, slots=True)
class ReportFollowers:
    followers: Followers


@dataclass(frozen=True, slots=True)
class ReportPerformance:
    performance: Performance


@dataclass(frozen=True, slots=True)
class ChangeAvailability:
    """`max_parallel_jobs`: how many collaborations may run at once."""

    availability: Availability
    max_parallel_jobs: Annotated[int, Asked(Interval(ge=1, le=1_000))]


@dataclass(frozen=True, slots=True)
class SuspendCreator:
    """`reason` is a code (`sanction.disclosure`), `until` None means until reinstated, `cause` what it follows from."""

    reason: Reason
    until: datetime | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class ReinstateCreator:
    reason: Reason


@dataclass(frozen=True, slots=True)
class ForgetCreator:
    """By the effect of an erasure, in the transaction that deletes the key."""


Change = (
    ChangeProfile
    | LinkAccount
    | ChangeRateCard
    | ReportAudience
    | ReportFollowers
    | ReportPerformance
    | ChangeAvailability
)


@dataclass(frozen=True, slots=True)
class ImportCreator:
    """Registers, or brings an earlier registration up to date; what is known already is not said again. Staff only."""

    registration: RegisterCreator
    changes: tuple[Change, ...]
    account_id: str = ""
    """The platform's own id of the registered account; "" where the file does not say it."""


Command = (
    RegisterCreator
    | Change
    | IdentifyAccount
    | VerifyAccount
    | SuspendCreator
    | ReinstateCreator
    | ImportCreator
    | ForgetCreator
    | GuardianCommand
)
