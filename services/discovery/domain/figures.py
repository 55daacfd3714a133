"""Followers and performance medians as reported for an account, each with its date and provenance."""

from dataclasses import dataclass, replace
from datetime import datetime

from kernel.core.faults import Invalid
from services.discovery.domain.checks import Provenance, checked_count, checked_observed
from services.discovery.domain.profile import Platform
from services.discovery.domain.rate_card import Format

WINDOWS_DAYS = (30, 90)


@dataclass(frozen=True, slots=True)
class Followers:
    """How many followers the creator's account on `platform` had at `observed_at` (UTC)."""

    platform: Platform
    count: int
    provenance: Provenance
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Performance:
    """Medians per content of one format over the `window_days` (30 or 90) before `observed_at`, all traffic.

    Engagements are likes + saves + comments + shares + follows. Nobody reads what was not shown: reads <= exposures.
    """

    format: Format
    window_days: int
    exposures: int
    reads: int
    engagements: int
    provenance: Provenance
    observed_at: datetime


def checked_followers(followers: Followers, at: datetime) -> Followers:
    checked_count("followers", followers.count)
    return replace(followers, observed_at=checked_observed(followers.observed_at, at))


def checked_performance(performance: Performance, at: datetime) -> Performance:
    """The report; raises Invalid `performance.window_unknown` or `.reads_over_exposures`, or `count.out_of_range`."""
    for field in ("exposures", "reads", "engagements"):
        checked_count(field, getattr(performance, field))
    if performance.window_days not in WINDOWS_DAYS:
        raise Invalid("performance.window_unknown", field="window_days", value=performance.window_days)
    if performance.reads > performance.exposures:
        raise Invalid("performance.reads_over_exposures", reads=performance.reads, exposures=performance.exposures)
    return replace(performance, observed_at=checked_observed(performance.observed_at, at))
