"""Whether brand and creator are two: an organisation makes no deal with itself, nor with one that it is tied to.

Certain ties refuse a deal: the same organisation, an agency and its own, an account that both use. What is no more than a sign
of a tie marks the deal, for staff to look at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kernel.core.decider import Actor, Context, DecidedEvent, InlineTable, Key, Rows
from kernel.core.faults import Refused
from kernel.core.ids import derived_id
from services.campaigns.domain.parties.events import ClearedHeard, PartyHeard
from services.campaigns.domain.shared.creators import CREATORS

SAME_PERSON, SAME_AGENCY, TIE_CLEARED = "party.same_person", "party.same_agency", "party.tie_cleared"
"""Signs of a tie: one person made and accepted the offer; both name one agency; a tie of the two was cleared by finance."""


@dataclass(frozen=True, slots=True)
class Party:
    """One row of the inline table `parties`, as in PartyHeard."""

    owner_id: str
    account_ids: tuple[str, ...]
    cleared: tuple[ClearedHeard, ...]


def check_apart(brand_id: str, creator_id: str, context: Context) -> None:
    """Raises Refused `application.own_organisation` or `application.linked_organisation`."""
    if brand_id == creator_id:
        raise Refused("application.own_organisation", do="work with a creator of another organisation")
    agency, other = _agency_of(creator_id, context), _agency_of(brand_id, context)
    payees = [creator_id, agency] if agency else [creator_id]
    if agency == brand_id or other == creator_id or any(_uncleared(brand_id, one, context) for one in payees):
        raise Refused(
            "application.linked_organisation",
            do="work with a party that is neither your agency nor under your agency, and that uses no account of yours",
        )


def signs(brand_id: str, creator_id: str, offered_by: str, context: Context) -> tuple[str, ...]:
    """What makes a deal of the two look like one party's, where it is accepted now; `offered_by` is `person_of` the offer."""
    agencies = {_agency_of(creator_id, context), _agency_of(brand_id, context)}
    row = context.rows.get(PARTIES, (brand_id,))
    payees = (creator_id, _agency_of(creator_id, context))
    found = {
        SAME_PERSON: bool(offered_by) and offered_by == person_of(context.actor),
        SAME_AGENCY: len(agencies) == 1 and "" not in agencies,
        TIE_CLEARED: row is not None and any(one.payee_id in payees for one in row.cleared),
    }
    return tuple(name for name, is_so in found.items() if is_so)


def person_of(actor: Actor) -> str:
    """A person by an id of ours, which tells nothing of the one in its token."""
    return derived_id("person", actor.id)


def _agency_of(organisation_id: str, context: Context) -> str:
    """The agency of an organisation that is registered as a creator; "" for every other."""
    row = context.rows.get(CREATORS, (organisation_id,))
    return row.agency_id if row else ""


def _uncleared(brand_id: str, payee_id: str, context: Context) -> set[str]:
    """The accounts that both use and that finance has not cleared."""
    brand, payee = (context.rows.get(PARTIES, (one,)) for one in (brand_id, payee_id))
    if brand is None or payee is None:
        return set()
    cleared = {account for one in brand.cleared if one.payee_id == payee_id for account in one.account_ids}
    return set(brand.account_ids) & set(payee.account_ids) - cleared


def keys_of(brand_id: str, creator_id: str) -> list[tuple[InlineTable[Any], Key]]:
    """Rows that the checks above read, but for those of an agency."""
    return [(CREATORS, (brand_id,)), (PARTIES, (brand_id,)), (PARTIES, (creator_id,))]


def _fold(fact: DecidedEvent[PartyHeard], rows: Rows) -> Iterable[tuple[Key, Party]]:
    event = fact.event
    yield (event.owner_id,), Party(event.owner_id, event.account_ids, event.cleared)


PARTIES: InlineTable[Party] = InlineTable("parties", Party, ("owner_id",), (PartyHeard,), _fold)
