"""Waves of refunds: the orders of a campaign that were refunded completely in a day, against its days before. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

FORMULA = "refund_wave@1"
DAY_H, PAST_DAYS = 24, 30
LEAST = 20
FACTOR = 5
ORDERS_PERCENT = 30
"""A campaign without a past of refunds: so large a part of its orders of the last 30 days is a wave."""


@dataclass(frozen=True, slots=True)
class Hour:
    """Complete refunds, and orders, of one hour since 1970 (UTC)."""

    hour: int
    refunds: int
    orders: int


@dataclass(frozen=True, slots=True)
class Wave:
    """`refunds` in the day that ends with `until_hour`, where at most `expected_max` are usual."""

    until_hour: int
    refunds: int
    expected_max: int


def wave(hours: Sequence[Hour], until_hour: int) -> Wave | None:
    """Of one campaign's hours: whether its last day is a wave. Days before count since the campaign's first order."""
    day = [one for one in hours if until_hour - DAY_H < one.hour <= until_hour]
    refunds = sum(one.refunds for one in day)
    if refunds < LEAST:
        return None
    earliest = until_hour - DAY_H * (PAST_DAYS + 1)
    before = [one for one in hours if earliest < one.hour <= until_hour - DAY_H]
    past_h = max(until_hour - DAY_H - min((one.hour for one in before), default=until_hour), DAY_H)
    usual = FACTOR * DAY_H * sum(one.refunds for one in before) // past_h
    orders = sum(one.orders for one in (*before, *day))
    expected_max = max(usual, ORDERS_PERCENT * orders // 100)
    return Wave(until_hour, refunds, expected_max) if refunds > expected_max else None
