"""Whom a creator reaches. Viewers, followers and buyers are kept apart; shares are basis points, never floats."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from annotated_types import Len

from kernel.core.bounds import Asked
from kernel.core.faults import Invalid
from kernel.core.money import BASIS_POINTS
from services.discovery.domain.checks import Provenance, checked_count, checked_few, checked_line, checked_observed

AGE_BANDS = ("<18", "18-24", "25-34", "35-44", "45+")
GENDERS = ("female", "male", "other")
DIMENSIONS = {"gender": "gender", "ages": "age_band", "locations": "location", "interests": "interest",
              "devices": "device", "active_hours": "active_hour"}  # fmt: skip
"""Field of a stored report to its public dimension."""
HOURS = tuple(f"{hour:02d}" for hour in range(24))


class AudienceKind(StrEnum):
    """Who was counted."""

    VIEWERS = "viewers"
    FOLLOWERS = "followers"
    BUYERS = "buyers"


@dataclass(frozen=True, slots=True)
class Share:
    """`bps` basis points of the sample are `name`."""

    name: Annotated[str, Asked(Len(1, 60))]
    bps: int


Shares = Annotated[tuple[Share, ...], Asked(Len(0, 60))]


@dataclass(frozen=True, slots=True)
class Audience:
    """One report on one kind of audience, with sample size, date and provenance.

    A dimension's shares sum to at most 10,000 bps (what is missing is unknown), but for what rounding each of them can
    add, which is taken off the largest. `active_hours` are hours of the day in
    Asia/Shanghai, "00".."23". The last four are shares of followers, None where unknown.
    """

    kind: AudienceKind
    provenance: Provenance
    sample_size: int
    observed_at: datetime
    gender: Shares = ()
    ages: Shares = ()
    locations: Shares = ()
    interests: Shares = ()
    devices: Shares = ()
    active_hours: Shares = ()
    active_bps: int | None = None
    read_bps: int | None = None
    engaged_bps: int | None = None
    paying_bps: int | None = None


def checked_audience(audience: Audience, at: datetime) -> Audience:
    """The report in canonical order; raises Invalid naming dimension and rule."""
    checked_count("sample_size", audience.sample_size)
    if audience.sample_size == 0:
        raise Invalid("audience.sample_empty", field="sample_size")
    for field in ("active_bps", "read_bps", "engaged_bps", "paying_bps"):
        _check_bps(field, getattr(audience, field))
    return replace(
        audience,
        observed_at=checked_observed(audience.observed_at, at),
        gender=_checked_shares(audience, "gender", GENDERS),
        ages=_checked_shares(audience, "ages", AGE_BANDS),
        locations=_checked_shares(audience, "locations"),
        interests=_checked_shares(audience, "interests"),
        devices=_checked_shares(audience, "devices"),
        active_hours=_checked_shares(audience, "active_hours", HOURS),
    )


def _checked_shares(audience: Audience, field: str, names: tuple[str, ...] = ()) -> tuple[Share, ...]:
    shares: tuple[Share, ...] = getattr(audience, field)
    checked_few(audience, field, tuple(share.name for share in shares))
    for share in shares:
        _check_bps(field, share.bps)
        if not share.name or (names and share.name not in names):
            raise Invalid("audience.name_unknown", field=field, name=share.name[:40], expected=" ".join(names)[:200])
        checked_line(share, "name")
    return tuple(sorted(_within_the_whole(field, shares), key=lambda share: share.name))


def _within_the_whole(field: str, shares: tuple[Share, ...]) -> tuple[Share, ...]:
    """Each share was rounded by less than half a basis point; the largest gives up what they are too many together."""
    over = sum(share.bps for share in shares) - BASIS_POINTS
    if over <= 0:
        return shares
    if 2 * over >= len(shares):
        raise Invalid("audience.shares_over_one", field=field, total_bps=BASIS_POINTS + over)
    largest = max(shares, key=lambda share: (share.bps, share.name))
    return tuple(replace(share, bps=share.bps - over) if share is largest else share for share in shares)


def _check_bps(field: str, bps: int | None) -> None:
    if bps is not None and not 0 <= bps <= BASIS_POINTS:
        raise Invalid("audience.share_out_of_range", field=field, bps=bps)
