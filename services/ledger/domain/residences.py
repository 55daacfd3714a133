"""Where payees are resident for tax, as finance has verified it, and the rates at which foreign pay is taxed in China."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kernel.core.bounds import limits
from kernel.core.decider import Context, DecidedEvent, Decider, InlineTable, Key, Rows
from kernel.core.faults import Invalid
from kernel.core.ids import checked_id, derived_id, stream_id
from kernel.core.money import checked_currency
from kernel.core.world.iso_codes import countries
from services.ledger.domain.deposits import check_text
from services.ledger.domain.four_eyes import check_two_people
from services.ledger.domain.set_by_hand import ReferenceRateSet, SetReferenceRate, SetTaxResidence, TaxResidenceVerified
from services.ledger.domain.tax import CN_CURRENCY, ReferenceRate, checked_month, rate_month

RESIDENCE, RATE = "residence", "rate"


@dataclass(frozen=True, slots=True)
class TaxResidence:
    """One row of the inline table `tax_residences`."""

    payee_id: str
    country: str
    reference: str


def residence_stream(payee_id: str) -> str:
    return stream_id(RESIDENCE, payee_id)


def rate_stream(currency: str, month: str) -> str:
    return stream_id(RATE, derived_id(RATE, currency, month))


def residence_stands(command: SetTaxResidence, rows: Rows) -> bool:
    row = rows.get(RESIDENCES, (command.payee_id,))
    return row is not None and (row.country, row.reference) == (command.country, command.reference)


def rate_stands(command: SetReferenceRate, rows: Rows) -> bool:
    row = rows.get(RATES, (command.currency, command.month))
    return row is not None and (row.cny_minor, row.per_minor) == (command.cny_minor, command.per_minor)


def check_residence(command: SetTaxResidence) -> None:
    """Raises Invalid `tax.country_unknown`, `text.malformed` or `id.malformed`."""
    check_text(command, "reference")
    if command.country not in countries():
        do = "name a country of ISO 3166-1, such as CN or GB"
        raise Invalid("tax.country_unknown", country=command.country[:8], do=do)
    checked_id(command.payee_id)


def check_rate(command: SetReferenceRate, at: datetime) -> None:
    """Raises Invalid `money.unknown_currency` or `tax.*`: a month has its rate on its last day, in China Standard Time."""
    if checked_currency(command.currency) == CN_CURRENCY:
        raise Invalid("tax.rate_of_itself", currency=command.currency)
    latest = rate_month(at + timedelta(days=1))
    if checked_month(command.month) > latest:
        do = "set the rate of a month on its last day or later"
        raise Invalid("tax.month_not_over", month=command.month, latest=latest, do=do)
    for name in ("cny_minor", "per_minor"):
        low, high = limits(command, name)
        if not low <= getattr(command, name) <= high:
            raise Invalid("tax.rate_out_of_range", field=name, limit=high)


def _decide(command: SetTaxResidence, state: None, context: Context) -> Sequence[TaxResidenceVerified]:
    context.actor.require("finance")
    check_residence(command)
    if residence_stands(command, context.rows):
        return []
    check_two_people(command, context)
    return [TaxResidenceVerified(command.payee_id, command.country, command.reference)]


def _fold(fact: DecidedEvent[TaxResidenceVerified], rows: Rows) -> Iterable[tuple[Key, TaxResidence]]:
    event = fact.event
    yield (event.payee_id,), TaxResidence(event.payee_id, event.country, event.reference)


def _reads(command: SetTaxResidence, state: None) -> Iterable[tuple[InlineTable[Any], Key]]:
    yield RESIDENCES, (command.payee_id,)


def _decide_rate(command: SetReferenceRate, state: None, context: Context) -> Sequence[ReferenceRateSet]:
    context.actor.require("finance")
    check_rate(command, context.at)
    if rate_stands(command, context.rows):
        return []
    check_two_people(command, context)
    return [ReferenceRateSet(command.currency, command.month, command.cny_minor, command.per_minor)]


def _fold_rate(fact: DecidedEvent[ReferenceRateSet], rows: Rows) -> Iterable[tuple[Key, ReferenceRate]]:
    event = fact.event
    yield (event.currency, event.month), ReferenceRate(event.currency, event.month, event.cny_minor, event.per_minor)


def _reads_rate(command: SetReferenceRate, state: None) -> Iterable[tuple[InlineTable[Any], Key]]:
    yield RATES, (command.currency, command.month)


RESIDENCES: InlineTable[TaxResidence] = InlineTable(
    "tax_residences", TaxResidence, ("payee_id",), (TaxResidenceVerified,), _fold
)
RATES: InlineTable[ReferenceRate] = InlineTable(
    "reference_rates", ReferenceRate, ("currency", "month"), (ReferenceRateSet,), _fold_rate
)
RESIDENCE_DECIDER: Decider[SetTaxResidence, None, TaxResidenceVerified] = Decider(
    RESIDENCE, None, _decide, lambda state, _: state, published=False, reads=_reads
)
RATE_DECIDER: Decider[SetReferenceRate, None, ReferenceRateSet] = Decider(
    RATE, None, _decide_rate, lambda state, _: state, published=False, reads=_reads_rate
)
