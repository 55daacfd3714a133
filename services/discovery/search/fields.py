"""Every field that a search filters, counts and sorts by, one line each: read by searches, facets, reasons and the index."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from services.discovery.domain.audience import AudienceKind
from services.discovery.domain.figures import WINDOWS_DAYS
from services.discovery.domain.rate_card import Format
from services.discovery.tables.audience_shares import CREATOR_SHARES
from services.discovery.tables.authenticity import AUTHENTICITY
from services.discovery.tables.contacts import CONTACTS
from services.discovery.tables.creators import CREATOR_LABELS, CREATORS
from services.discovery.tables.measured import (
    CREATOR_ACTIVITY,
    CREATOR_CONDUCT,
    CREATOR_GRID,
    CREATOR_GROWTH,
    CREATOR_LIVE,
    MICROS,
)
from services.discovery.tables.media_kits import MEDIA_KITS
from services.discovery.tables.track_records import CREATOR_BRANDS, CREATOR_RECORDS

YEAR = timedelta(days=365)


class Kind(StrEnum):
    """How a field is asked for: `cost` and `amount` are money and need a currency, `shares` an audience with weights."""

    LABEL = "label"
    FLAG = "flag"
    COUNT = "count"
    RATIO = "ratio"
    AMOUNT = "amount"
    COST = "cost"
    SHARES = "shares"


@dataclass(frozen=True, slots=True)
class Field:
    """`value` is read from the rows of `rows(at)` (creator_id and the value), narrowed by `where`; a flag is a row or none.

    A ratio is kept as `whole` times itself: 10,000 for basis points. `faceted`: its values are counted.
    """

    name: str
    group: str
    kind: Kind
    rows: Callable[[datetime], sa.FromClause]
    value: str
    where: Mapping[str, Any] = field(default_factory=dict)
    faceted: bool = False
    whole: int = 1
    lowest: int = 0

    @property
    def sortable(self) -> bool:
        return self.kind in (Kind.COUNT, Kind.RATIO, Kind.AMOUNT, Kind.COST)

    def select(self, at: datetime) -> sa.Select[Any]:
        """`(creator_id, value)` of all creators that have the field."""
        rows = self.rows(at)
        value = rows.c[self.value] if self.value else sa.literal("yes")
        narrowed = [rows.c[name] == wanted for name, wanted in self.where.items()]
        return sa.select(rows.c.creator_id, value.label("value")).where(*narrowed, value.is_not(None))


def _of(table: sa.FromClause) -> Callable[[datetime], sa.FromClause]:
    return lambda _: table


def _label(name: str, kind: str, group: str) -> Field:
    return Field(name, group, Kind.LABEL, _of(CREATOR_LABELS), "value", {"kind": kind}, faceted=True)


def _flag(name: str, table: sa.FromClause, group: str, **where: Any) -> Field:
    return Field(name, group, Kind.FLAG, _of(table), "", where, faceted=True)


def _count(name: str, table: sa.FromClause, column: str, group: str) -> Field:
    return Field(name, group, Kind.COUNT, _of(table), column)


def _share(part: sa.ColumnElement[bool], whole: sa.ColumnElement[bool]) -> Callable[[datetime], sa.FromClause]:
    """The part of a creator's facts of the last year by the whole of them; none where the whole is 0."""
    conduct = CREATOR_CONDUCT.c
    counted = sa.func.sum(sa.case((whole, 1), else_=0))
    told = sa.func.sum(sa.case((part, MICROS), else_=0)) // sa.func.nullif(counted, 0, type_=sa.BigInteger)

    def rows(at: datetime) -> sa.FromClause:
        recent = sa.select(conduct.creator_id, sa.cast(told, sa.BigInteger).label("value"))
        return (
            recent.where(conduct.at >= at - YEAR, conduct.amount > 0).group_by(conduct.creator_id).subquery("conduct")
        )

    return rows


def _findings(at: datetime) -> sa.FromClause:
    conduct = CREATOR_CONDUCT.c
    counted = sa.select(conduct.creator_id, sa.cast(sa.func.sum(conduct.amount), sa.BigInteger).label("value"))
    found = counted.where(conduct.fact == "finding", conduct.at >= at - YEAR, conduct.amount > 0)
    return found.group_by(conduct.creator_id).subquery("found")


def _grown(months: int) -> Callable[[datetime], sa.FromClause]:
    growth = CREATOR_GROWTH.c
    before = sa.func.nullif(growth[f"before_{months}m"], 0, type_=sa.BigInteger)
    told = (growth.followers - before) * MICROS // before
    return _of(sa.select(growth.creator_id, told.label("value")).subquery(f"grown_{months}m"))


def _grid() -> Iterable[Field]:
    """Each figure of each cell: `read_median.daily.video.30d.all`."""
    cells = [
        (purpose, kind.value, days, traffic)
        for purpose in PURPOSES
        for kind in (Format.IMAGE_NOTE, Format.VIDEO, Format.LIVE_HOUR)
        for days in WINDOWS_DAYS
        for traffic in ("all", "organic")
    ]
    for purpose, kind, days, traffic in cells:
        where = {"purpose": purpose, "format": kind, "window_days": days, "traffic": traffic}
        for name, (column, of) in GRID.items():
            told = f"{name}.{purpose}.{kind}.{days}d.{traffic}"
            yield Field(
                told, "performance", of, _of(CREATOR_GRID), column, where, whole=MICROS if of is Kind.RATIO else 1
            )


PURPOSES = ("cooperation", "daily", "reported")
"""Whose figures a cell holds: of paid work, of the creator's own posts, of what was reported by hand; the surest first."""
GRID: dict[str, tuple[str, Kind]] = {
    "exposure_median": ("exposures", Kind.COUNT),
    "read_median": ("reads", Kind.COUNT),
    "engagement_median": ("engagements", Kind.COUNT),
    "read_ratio": ("read_rate_micros", Kind.RATIO),
    "engagement_read_ratio": ("engagement_rate_micros", Kind.RATIO),
    "engagement_follower_ratio": ("follower_engagement_rate_micros", Kind.RATIO),
    "completion_ratio": ("completion_micros", Kind.RATIO),
    "three_second_ratio": ("three_second_micros", Kind.RATIO),
    "hundred_like_ratio": ("hundred_like_micros", Kind.RATIO),
    "thousand_like_ratio": ("thousand_like_micros", Kind.RATIO),
    "viral_ratio": ("viral_rate_micros", Kind.RATIO),
}
UNIT_COSTS = {
    "cpm": ("exposures", 1_000),
    "cpr": ("reads", 1),
    "cpe": ("engagements", 1),
    "cpuv": ("store_visits", 1),
}
"""What a price is divided by, and for how many of it: the median of 30 days over all traffic, of the surest purpose known."""
DIMENSIONS = (
    "gender", "age_band", "location", "interest", "device", "active_hour", "consumption_level", "life_stage", "quality",
)  # fmt: skip
"""What shares of an audience are told by; `quality` has active, read, engaged, paying."""


def _conduct() -> Iterable[Field]:
    """As measured/conduct.py counts them."""
    fact, good = CREATOR_CONDUCT.c.fact, CREATOR_CONDUCT.c.good
    for name, part, whole in (
        ("reply_48h_ratio", (fact == "reply") & good.is_(True), (fact == "reply") & good.is_not(None)),
        ("on_time_ratio", (fact == "delivery") & good.is_(True), (fact == "delivery") & good.is_not(None)),
        ("revision_ratio", fact == "revision", (fact == "delivery") & good.is_(True)),
        ("cancellation_ratio", fact == "cancelled", fact == "contract"),
        ("dispute_ratio", fact == "dispute", fact == "contract"),
    ):
        yield Field(name, "reliability", Kind.RATIO, _share(part, whole), "value", whole=MICROS)


FIELDS: dict[str, Field] = {
    one.name: one
    for one in (
        _label("platforms", "platform", "profile"),
        Field("tiers", "profile", Kind.LABEL, _of(CREATORS), "tier", faceted=True),
        _label("categories", "category", "profile"),
        _label("scenes", "scene", "profile"),
        _label("themes", "theme", "profile"),
        _label("tags", "tag", "profile"),
        _label("languages", "language", "profile"),
        _label("locations", "location", "profile"),
        _label("genders", "gender", "profile"),
        _label("generations", "generation", "profile"),
        _label("agencies", "agency", "profile"),
        _flag("has_agency", CREATOR_LABELS, "profile", kind="agency"),
        _flag("virtual_human", CREATOR_LABELS, "profile", kind="virtual_human"),
        _flag("verified_account", CREATOR_LABELS, "profile", kind="verified"),
        _flag("contact_verified", CONTACTS, "profile", verified=True),
        _flag("media_kit", MEDIA_KITS, "profile", published=True),
        _count("followers", CREATORS, "followers", "profile"),
        *(
            Field(
                f"follower_growth_ratio.{months}m",
                "growth",
                Kind.RATIO,
                _grown(months),
                "value",
                whole=MICROS,
                lowest=-MICROS,
            )
            for months in range(1, 7)
        ),
        _count("posts_30d", CREATOR_ACTIVITY, "posts_30d", "growth"),
        Field("availability", "offer", Kind.LABEL, _of(CREATORS), "availability", faceted=True),
        _flag("commission_accepted", CREATOR_LABELS, "offer", kind="commission"),
        *(Field(name, "offer", Kind.COST, _of(CREATORS), "") for name in UNIT_COSTS),
        *(
            Field(f"audience.{kind.value}.{dimension}", "audience", Kind.SHARES, _of(CREATOR_SHARES), "share_bps")
            for kind in AudienceKind
            for dimension in DIMENSIONS
        ),
        _count("authenticity_score", AUTHENTICITY, "score", "authenticity"),
        Field("authenticity_states", "authenticity", Kind.LABEL, _of(AUTHENTICITY), "standing", faceted=True),
        Field("engagement_rate", "performance", Kind.RATIO, _of(CREATORS), "engagement_rate_bps", whole=10_000),
        *_grid(),
        *_conduct(),
        _count("jobs_in_progress", CREATOR_RECORDS, "contracted", "reliability"),
        _count("jobs_settled", CREATOR_RECORDS, "settled", "reliability"),
        Field("findings_365d", "reliability", Kind.COUNT, _findings, "value"),
        Field("past_brands", "work", Kind.LABEL, _of(CREATOR_BRANDS), "brand_id"),
        Field("past_industries", "work", Kind.LABEL, _of(CREATOR_BRANDS), "industry", faceted=True),
        _count("live_sessions_30d", CREATOR_LIVE, "sessions_30d", "live"),
        _count("live_average_viewers", CREATOR_LIVE, "average_viewers", "live"),
        Field("live_average_gmv_90d", "live", Kind.AMOUNT, _of(CREATOR_LIVE), "average_gmv_90d_minor"),
    )
}
"""By name. A name of the grid is `figure.purpose.format.days.traffic`, of an audience `audience.population.dimension`."""
