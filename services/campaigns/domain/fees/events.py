"""The event of a fee policy that the ledger announced. Stored for ever; docs/change-an-event.md says how one changes."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FeePolicyHeard:
    """In force from `since` until the next policy: shares of the creator's fee that brand and creator pay the platform."""

    name: str
    since: datetime
    brand_fee_bps: int
    creator_fee_bps: int
