"""Fee policies as campaigns hears of them: two people of finance have approved each, for a date to come."""

from collections.abc import Sequence
from typing import Any

from kernel.core.decider import Context, Decider
from kernel.core.events import Delivered
from kernel.core.ids import derived_id
from services.campaigns.domain.fees.causes import FeePolicyChanged
from services.campaigns.domain.fees.events import FeePolicyHeard

CATEGORY = "fee"


def route(incoming: Delivered[Any]) -> str | None:
    """One stream per policy."""
    match incoming.event:
        case FeePolicyChanged(name):
            return f"{CATEGORY}-{derived_id(CATEGORY, name)}"
        case _:
            return None


def decide(incoming: Delivered[Any], state: FeePolicyHeard | None, context: Context) -> Sequence[FeePolicyHeard]:
    """A policy is heard of once; it never changes."""
    match incoming.event:
        case FeePolicyChanged(name, since, brand_fee_bps, creator_fee_bps) if state is None:
            return [FeePolicyHeard(name, since, brand_fee_bps, creator_fee_bps)]
        case _:
            return []


FEES: Decider[Delivered[Any], FeePolicyHeard | None, FeePolicyHeard] = Decider(
    CATEGORY, None, decide, lambda _, event: event, published=False
)
