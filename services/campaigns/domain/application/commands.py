"""What may be asked of an application: by the brand, the creator, the clock, and the funding process."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class InviteCreator:
    """By the brand: one fee per deliverable of the brief, in order, in minor units of the campaign's currency."""

    campaign_id: str
    creator_id: str
    fees_minor: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Apply:
    """By the creator, for itself."""

    campaign_id: str
    fees_minor: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CounterOffer:
    """`round` is that of the offer that is answered; None where the caller does not say which it has read."""

    fees_minor: tuple[int, ...]
    round: int | None = None


@dataclass(frozen=True, slots=True)
class AcceptApplication:
    """`brief_version` is the version the accepter has read: a later one in force is refused, not slipped in. `round` is that of
    the offer it has read; None where the caller does not say."""

    brief_version: int
    round: int | None = None


@dataclass(frozen=True, slots=True)
class RenewOffer:
    """The creator lets its open offer stand under `brief_version`, the amended brief."""

    brief_version: int


@dataclass(frozen=True, slots=True)
class DeclineApplication:
    reason: str


@dataclass(frozen=True, slots=True)
class WithdrawApplication:
    reason: str


@dataclass(frozen=True, slots=True)
class ExpireInvitation:
    """The clock's: the offer that stood until `due_at` was not answered."""

    due_at: datetime


@dataclass(frozen=True, slots=True)
class ReleaseApplication:
    """The funding process': the contract was refused, so the commitment is given back."""

    reason: str


Command = (
    InviteCreator
    | Apply
    | CounterOffer
    | AcceptApplication
    | RenewOffer
    | DeclineApplication
    | WithdrawApplication
    | ExpireInvitation
    | ReleaseApplication
)
