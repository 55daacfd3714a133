"""Tiers by followers, half-open; the one place that knows the borders (Xiaohongshu's Pugongying uses the same four)."""

from enum import StrEnum


class Tier(StrEnum):
    """Size class of a creator, from largest to smallest."""

    HEAD = "head"
    MID = "mid"
    KOC = "koc"
    NANO = "nano"
    UNRANKED = "unranked"


FLOORS: tuple[tuple[Tier, int], ...] = (
    (Tier.HEAD, 500_000),
    (Tier.MID, 50_000),
    (Tier.KOC, 10_000),
    (Tier.NANO, 1_000),
)
"""Smallest number of followers of each tier, largest first; what is below all of them is unranked."""


def tier_of(followers: int) -> Tier:
    """The tier of an account with so many followers (of its largest account, where a creator has several)."""
    return next((tier for tier, floor in FLOORS if followers >= floor), Tier.UNRANKED)
