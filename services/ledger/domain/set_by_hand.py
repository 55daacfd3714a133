"""What may be set there and back: a payee's residence for tax, a reference rate, the account that payouts go to, and what is
cleared of ties."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from annotated_types import Interval

from kernel.core.bounds import Asked
from kernel.core.money import LIMIT_MINOR
from services.ledger.domain.commands import Text


@dataclass(frozen=True, slots=True)
class SetTaxResidence:
    """By finance, who has seen the proof that `reference` names: a certificate of residence, an identity document."""

    payee_id: str
    country: str
    reference: Text


@dataclass(frozen=True, slots=True)
class TaxResidenceVerified:
    """From now on the payee's income is taxed as that of a resident of `country` (ISO 3166-1 alpha-2)."""

    payee_id: str
    country: str
    reference: str


@dataclass(frozen=True, slots=True)
class SetReferenceRate:
    """By finance: the central parity rate of the month's last day, `cny_minor` fen for `per_minor` minor units."""

    currency: str
    month: str
    cny_minor: Annotated[int, Asked(Interval(ge=1, le=LIMIT_MINOR))]
    per_minor: Annotated[int, Asked(Interval(ge=1, le=LIMIT_MINOR))]


@dataclass(frozen=True, slots=True)
class ReferenceRateSet:
    """Pay in `currency` is taxed in China at this rate in the month after `month`."""

    currency: str
    month: str
    cny_minor: int
    per_minor: int


@dataclass(frozen=True, slots=True)
class ChangePayoutAccount:
    """`instrument` is the provider's token of the account. Naming the account of now again takes the place of one that waits."""

    owner: str
    currency: str
    instrument: Text


@dataclass(frozen=True, slots=True)
class PayoutAccountChanged:
    """Payouts may go there from `usable_at` on."""

    owner: str
    currency: str
    instrument: str
    usable_at: datetime


@dataclass(frozen=True, slots=True)
class ClearTie:
    """By finance, who has seen why it is right that the payee is paid by a brand that it is tied to."""

    brand_id: str
    payee_id: str
    reason: Text


@dataclass(frozen=True, slots=True)
class TieCleared:
    """The brand's money for the payee waits no more for what ties them now: `account_ids` that both use."""

    brand_id: str
    payee_id: str
    reason: str
    account_ids: tuple[str, ...]


Set = TaxResidenceVerified | ReferenceRateSet | PayoutAccountChanged | TieCleared
Setter = SetTaxResidence | SetReferenceRate | ChangePayoutAccount | ClearTie


def setter_of(event: Set) -> Setter:
    """The command that the event carried out."""
    match event:
        case TaxResidenceVerified():
            return SetTaxResidence(event.payee_id, event.country, event.reference)
        case ReferenceRateSet():
            return SetReferenceRate(event.currency, event.month, event.cny_minor, event.per_minor)
        case PayoutAccountChanged():
            return ChangePayoutAccount(event.owner, event.currency, event.instrument)
        case TieCleared():
            return ClearTie(event.brand_id, event.payee_id, event.reason)
