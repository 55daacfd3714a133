"""Cause of a fee policy from the ledger; subscribe.py makes it of a public message."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FeePolicyChanged:
    """ledger: from `since` on these are the platform's fees."""

    name: str
    since: datetime
    brand_fee_bps: int
    creator_fee_bps: int
