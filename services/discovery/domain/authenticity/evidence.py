"""What is known of how a creator's figures came about. Every part may be missing; shares are basis points."""

from dataclasses import dataclass, fields, replace
from datetime import date

from kernel.core.faults import Invalid
from kernel.core.money import BASIS_POINTS

JUMPS_LIMIT = 10
COUNT_LIMIT = 10**11


@dataclass(frozen=True, slots=True)
class FollowerSample:
    """Share of fakes among followers, estimated by the scorecard `model` from a sample, with its interval of 95 %."""

    sample_size: int
    fake_bps: int
    low_bps: int
    high_bps: int
    model: str


@dataclass(frozen=True, slots=True)
class Jump:
    """Followers gained up to `day` (UTC) that nothing before explains: `gained` in place of at most `expected_max`."""

    day: date
    gained: int
    expected_max: int


@dataclass(frozen=True, slots=True)
class Growth:
    """`jump_bps`: the part of today's followers that came in jumps, of `points` counts over `days` days."""

    points: int
    days: int
    jump_bps: int
    jumps: tuple[Jump, ...] = ()


@dataclass(frozen=True, slots=True)
class Engagement:
    """Engagements by reads against the middle nine tenths of `peers` creators; `band` is their tier, or tier/category."""

    rate_bps: int
    low_bps: int
    high_bps: int
    peers: int
    band: str


@dataclass(frozen=True, slots=True)
class Likes:
    """`odd_bps`: the part of `posts` with far more likes than their comments go with, less those with far fewer."""

    posts: int
    odd_bps: int


@dataclass(frozen=True, slots=True)
class Comments:
    """`same_bps`: the part that repeats another's words. `circle_bps`: the part by those who comment on most of the `posts`."""

    comments: int
    posts: int
    same_bps: int
    circle_bps: int


@dataclass(frozen=True, slots=True)
class Geography:
    """`elsewhere_bps`: followers in countries that are not the creator's, of those whose country is known."""

    sample_size: int
    elsewhere_bps: int
    country: str


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """What the scorecard says of the creator's own profile: `chance_bps` to be fake, and points of the five-point rule."""

    chance_bps: int
    rule_points: int
    model: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known; None: not known."""

    followers: FollowerSample | None = None
    growth: Growth | None = None
    engagement: Engagement | None = None
    likes: Likes | None = None
    comments: Comments | None = None
    geography: Geography | None = None
    account: OwnAccount | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) is not None for one in fields(self))

    def updated(self, newer: "Evidence") -> "Evidence":
        """This evidence, with every part that `newer` knows taken from it."""
        told = {one.name: getattr(newer, one.name) for one in fields(newer)}
        return replace(self, **{name: part for name, part in told.items() if part is not None})


def checked_evidence(evidence: Evidence) -> Evidence:
    """Raises Invalid `authenticity.nothing_known`, `.figure_out_of_range`."""
    if not evidence:
        raise Invalid("authenticity.nothing_known", do="send at least one part of the evidence")
    for one in fields(evidence):
        part = getattr(evidence, one.name)
        for field in fields(part) if part is not None else ():
            value = getattr(part, field.name)
            limit = BASIS_POINTS if field.name.endswith("_bps") and one.name != "engagement" else COUNT_LIMIT
            if isinstance(value, int) and not 0 <= value <= limit:
                raise Invalid("authenticity.figure_out_of_range", field=f"{one.name}.{field.name}", limit=limit)
    return evidence
