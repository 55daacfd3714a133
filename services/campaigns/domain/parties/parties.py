"""Organisations as campaigns hears of them from the ledger: which accounts they use, and which ties were cleared.

One stream per organisation; the ledger keeps the order of each.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kernel.core.decider import Context, Decider
from kernel.core.events import Delivered
from services.campaigns.domain.parties.causes import AccountNamed, TieCleared
from services.campaigns.domain.parties.events import ClearedHeard, PartyHeard

CATEGORY = "party"
ACCOUNTS_KEPT, CLEARED_KEPT = 20, 200
"""So many are kept of one organisation, the newest; the ledger looks again before it pays."""


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per organisation; what was cleared is the brand's."""
    match incoming.event:
        case AccountNamed(owner_id):
            return f"{CATEGORY}-{owner_id}"
        case TieCleared(brand_id):
            return f"{CATEGORY}-{brand_id}"
        case _:
            return None


def decide(incoming: Delivered[Any], state: PartyHeard | None, context: Context) -> Sequence[PartyHeard]:
    """What is known of the organisation, where it is new."""
    match incoming.event:
        case AccountNamed(owner_id, account_id):
            known = state or PartyHeard(owner_id)
            others = tuple(one for one in known.account_ids if one != account_id)
            after = replace(known, account_ids=(*others, account_id)[-ACCOUNTS_KEPT:])
        case TieCleared(brand_id, payee_id, account_ids):
            known = state or PartyHeard(brand_id)
            cleared = (*known.cleared, ClearedHeard(payee_id, account_ids))
            after = replace(known, cleared=tuple(dict.fromkeys(cleared))[-CLEARED_KEPT:])
        case _:
            return []
    return [] if after == state else [after]


PARTIES: Decider[Delivered[Any], PartyHeard | None, PartyHeard] = Decider(
    CATEGORY, None, decide, lambda _, event: event, published=False
)
