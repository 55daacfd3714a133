"""Days of a creators file as times: a day that has begun somewhere on earth has begun."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from services.discovery.domain.audience import Audience, checked_audience
from services.discovery.domain.commands import Command, ReportAudience, ReportFollowers, ReportPerformance
from services.discovery.domain.figures import Followers, Performance
from services.discovery.domain.state import State

FIRST_ZONE = timedelta(hours=14)
"""UTC+14: where each day begins first."""


def dated(change: Command, state: State, at: datetime) -> Command:
    """A change of an import whose figures are of a day (midnight UTC), with the time at which they were observed.

    Today's figures from a zone ahead of UTC are of now at the latest. What is known of that very day is not said again.
    """
    match change:
        case ReportFollowers(followers=count):
            return ReportFollowers(_observed(count, state.followers_on(count.platform), at))
        case ReportPerformance(performance=figures):
            known = state.performance_of(figures.format, figures.window_days)
            return ReportPerformance(_observed(figures, known, at))
        case ReportAudience(audience=audience):
            before = state.audience_of(audience.kind)
            as_stored = audience if before is None else checked_audience(audience, audience.observed_at)
            return ReportAudience(_observed(as_stored, before, at))
        case _:
            return change


R = TypeVar("R", Audience, Followers, Performance)


def _observed(report: R, known: R | None, at: datetime) -> R:
    day = report.observed_at
    if known is not None and day - FIRST_ZONE <= known.observed_at < day and replace(known, observed_at=day) == report:
        return known
    return replace(report, observed_at=at) if at < day <= at + FIRST_ZONE else report
