"""What a brand asks of a mix: a budget, a goal, and what the set must look like. Money is minor units of one currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from kernel.core.money import BASIS_POINTS, LIMIT_MINOR, checked_currency
from services.discovery.domain.categories import FIRST_LEVEL
from services.discovery.domain.profile import Platform
from services.discovery.domain.rate_card import Format
from services.discovery.domain.tiers import Tier

CREATORS_LIMIT = 500
QUOTAS_LIMIT = 100
IDS_LIMIT = 200
COMPETITORS_LIMIT = 50
DAYS_LIMIT = 3_650
SCORE_LIMIT = 100


class Goal(StrEnum):
    """What the set is to bring most of. Sales are orders; reach counts a person once, however many creators reach it."""

    EXPOSURES = "exposures"
    READS = "reads"
    ENGAGEMENTS = "engagements"
    SALES = "sales"
    REACH = "reach"


class QuotaKind(StrEnum):
    """What a quota counts creators by."""

    TIER = "tier"
    CATEGORY = "category"
    PLACE = "place"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Quota:
    """Bounds on the chosen creators that are `value` in `kind`: how many, and which part of the spending. 0: no bound.

    `value` is a tier, a first-level category, a place (`CN`, `CN/浙江`, `CN/浙江/杭州`) or a platform.
    """

    kind: QuotaKind
    value: str
    creators_min: int = 0
    creators_max: int = 0
    spend_min_bps: int = 0
    spend_max_bps: int = 0


@dataclass(frozen=True, slots=True)
class MixAsked:
    """One piece of `format` of each chosen creator. `industry` is the brand's first-level category, for prices of its own.

    A creator that worked for one of `competitors` within `competitor_days` is left out; so is one whose authenticity is known to
    be under `authenticity_min` (0..100). `must` are in, `never` are out. 0 or empty: no bound.
    """

    goal: Goal
    format: Format
    currency: str
    budget_minor: int
    industry: str = ""
    creators_min: int = 0
    creators_max: int = 0
    quotas: tuple[Quota, ...] = ()
    authenticity_min: int = 0
    competitors: tuple[str, ...] = ()
    competitor_days: int = 0
    must: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def checked_mix(asked: MixAsked) -> MixAsked:
    """The same question; raises Invalid naming the field and the rule that it breaks."""
    checked_currency(asked.currency)
    _within("budget_minor", asked.budget_minor, 1, LIMIT_MINOR)
    if asked.industry and asked.industry not in FIRST_LEVEL:
        raise Invalid("category.unknown", field="industry", category=asked.industry[:40])
    _range("creators", asked.creators_min, asked.creators_max, CREATORS_LIMIT)
    _within("authenticity_min", asked.authenticity_min, 0, SCORE_LIMIT)
    _within("competitor_days", asked.competitor_days, 0, DAYS_LIMIT)
    _few("quotas", asked.quotas, QUOTAS_LIMIT)
    for quota in asked.quotas:
        _check_quota(quota)
    _ids("competitors", asked.competitors, COMPETITORS_LIMIT)
    _ids("must", asked.must, IDS_LIMIT)
    _ids("never", asked.never, IDS_LIMIT)
    if not set(asked.must).isdisjoint(asked.never):
        raise Invalid("mix.must_and_never", field="never")
    if len(set(asked.must)) > (asked.creators_max or CREATORS_LIMIT):
        raise Invalid("mix.bound_out_of_range", field="must", limit=asked.creators_max or CREATORS_LIMIT)
    return asked


def _check_quota(quota: Quota) -> None:
    known: dict[QuotaKind, Sequence[str]] = {
        QuotaKind.TIER: [one.value for one in Tier],
        QuotaKind.PLATFORM: [one.value for one in Platform],
        QuotaKind.CATEGORY: list(FIRST_LEVEL),
    }
    if quota.kind in known and quota.value not in known[quota.kind]:
        raise Invalid("mix.quota_unknown", field="quotas", kind=quota.kind, value=quota.value[:40])
    if quota.kind is QuotaKind.PLACE and not (0 < len(quota.value) <= 200 and all(quota.value.split("/"))):
        raise Invalid("mix.quota_unknown", field="quotas", kind=quota.kind, value=quota.value[:40])
    _range("quotas", quota.creators_min, quota.creators_max, CREATORS_LIMIT)
    _range("quotas", quota.spend_min_bps, quota.spend_max_bps, BASIS_POINTS)


def _range(field: str, low: int, high: int, limit: int) -> None:
    _within(field, low, 0, limit)
    _within(field, high, 0, limit)
    if high and low > high:
        raise Invalid("mix.range_empty", field=field, low=low, high=high)


def _within(field: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise Invalid("mix.bound_out_of_range", field=field, limit=high if value > high else low)


def _few(field: str, values: Sequence[object], limit: int) -> None:
    if len(values) > limit:
        raise Invalid("mix.too_many", field=field, limit=limit)


def _ids(field: str, values: Sequence[str], limit: int) -> None:
    _few(field, values, limit)
    for one in values:
        checked_id(one)
