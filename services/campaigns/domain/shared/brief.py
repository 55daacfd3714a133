"""The brief: what the brand asks for. A value; its versions are kept by the campaign."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, assert_never
from zoneinfo import ZoneInfo, available_timezones

from annotated_types import Interval, Len

from kernel.core.bounds import Asked
from kernel.core.canonical import Hashed
from kernel.core.money import LIMIT_MINOR, checked_currency
from services.campaigns.domain.shared.checks import check_count, check_number, check_text, check_texts, valid
from services.campaigns.domain.shared.compensation import (
    Compensation,
    CompensationKind,
    check_compensation,
    check_payable,
)

MAX_DELIVERABLES = 24
SHANGHAI = "Asia/Shanghai"
zone_names = cache(available_timezones)
Named = Annotated[str, Asked(Len(1, 120))]
Days = Annotated[int, Asked(Interval(ge=0, le=3_650))]
Sentences = Annotated[tuple[str, ...], Asked(Len(0, 20), each=Len(1, 200))]


class CampaignType(StrEnum):
    """What the campaign is; each type has one rule of its own (check_brief)."""

    SEEDING = "seeding"
    BRANDED_CONTENT = "branded_content"
    LIVE_STREAM = "live_stream"
    AMBASSADOR = "ambassador"


class Mode(StrEnum):
    """Who may open an application: the brand may invite in every mode, and any creator may apply but in `invite`. In
    `co_creation` the brief is still being shaped."""

    INVITE = "invite"
    OPEN = "open"
    CO_CREATION = "co_creation"


class Platform(StrEnum):
    """Where the content appears."""

    XIAOHONGSHU = "xiaohongshu"
    DOUYIN = "douyin"
    WEIBO = "weibo"
    BILIBILI = "bilibili"
    TIKTOK = "tiktok"
    INSTAGRAM = "instagram"
    YOUTUBE = "youtube"


class Format(StrEnum):
    """The form of a deliverable and the unit of its price."""

    IMAGE_NOTE = "image_note"
    VIDEO = "video"
    LIVE_HOUR = "live_hour"
    STORY = "story"


FORMATS: Mapping[Platform, tuple[Format, ...]] = {
    Platform.XIAOHONGSHU: (Format.IMAGE_NOTE, Format.VIDEO, Format.LIVE_HOUR),
    Platform.DOUYIN: (Format.IMAGE_NOTE, Format.VIDEO, Format.LIVE_HOUR, Format.STORY),
    Platform.WEIBO: (Format.IMAGE_NOTE, Format.VIDEO, Format.LIVE_HOUR),
    Platform.BILIBILI: (Format.IMAGE_NOTE, Format.VIDEO, Format.LIVE_HOUR),
    Platform.TIKTOK: (Format.IMAGE_NOTE, Format.VIDEO, Format.LIVE_HOUR, Format.STORY),
    Platform.INSTAGRAM: (Format.IMAGE_NOTE, Format.VIDEO, Format.LIVE_HOUR, Format.STORY),
    Platform.YOUTUBE: (Format.VIDEO, Format.LIVE_HOUR),
}
"""What can be posted where; a story is what is gone after a day."""


class Objective(StrEnum):
    """What the campaign is to bring."""

    EXPOSURE = "exposure"
    READS = "reads"
    ENGAGEMENT = "engagement"
    SALES = "sales"


class Freedom(StrEnum):
    """How much the creator decides about form and words."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Jurisdiction(StrEnum):
    """Whose advertising law applies."""

    CN = "CN"
    US = "US"
    UK = "UK"
    EU = "EU"
    FR = "FR"


@dataclass(frozen=True, slots=True)
class Product:
    """A product the content is about. `value_minor` is its retail price in the campaign's currency.

    `approval_number` belongs to goods that need prior review by the state; `shipped` to those sent to the creator.
    """

    product_id: Named
    name: Named
    category: Named
    value_minor: int
    brand_name: Annotated[str, Asked(Len(0, 120))] = ""
    approval_number: Annotated[str, Asked(Len(0, 120))] = ""
    shipped: bool = True


@dataclass(frozen=True, slots=True)
class DeliverableSpec:
    """Content each creator makes; it recurs `occurrences` times, every `every_s` seconds (ambassadors)."""

    platform: Platform
    format: Format
    outline_required: bool = False
    occurrences: Annotated[int, Asked(Interval(ge=1, le=MAX_DELIVERABLES))] = 1
    every_s: Annotated[int, Asked(Interval(ge=0, le=366 * 86_400))] = 0


@dataclass(frozen=True, slots=True)
class Brief:
    """Everything a creator needs to know before saying yes. Money is in minor units of `currency`, times are UTC.

    `budget_minor` bounds the sum over all creators of what they can cost, the brand's fee included.
    `exclusivity_days` and `usage_days` count from publication; `timezone` is the IANA name of the place whose days the
    posting window is made of.
    """

    title: Annotated[str, Asked(Len(1, 120))]
    campaign_type: CampaignType
    mode: Mode
    objective: Objective
    product_category: Annotated[str, Asked(Len(1, 60))]
    jurisdiction: Jurisdiction
    deliverables: Annotated[tuple[DeliverableSpec, ...], Asked(Len(1, MAX_DELIVERABLES))]
    posting_from: datetime
    posting_until: datetime
    budget_minor: int
    currency: str
    compensation: Compensation
    key_messages: Sentences = ()
    must: Sentences = ()
    must_not: Sentences = ()
    products: Annotated[tuple[Product, ...], Asked(Len(0, 50))] = ()
    creative_freedom: Freedom = Freedom.MEDIUM
    exclusivity_days: Days = 0
    usage_days: Days = 365
    timezone: str = SHANGHAI


def shared(brief: Hashed[Brief]) -> Hashed[Brief]:
    """The brief without its budget, which is the brand's own: what contracts hold and public hashes cover."""
    return brief.with_parts(budget_minor=0)


def check_brief(brief: Brief) -> None:
    """Raises Invalid `campaign.*` or `compensation.*` with the rule that the brief breaks."""
    check_text(brief, "title", "campaign.title_malformed")
    check_text(brief, "product_category", "campaign.product_category_malformed")
    for texts in ("key_messages", "must", "must_not"):
        check_texts(brief, texts, "campaign.messages_malformed")
    checked_currency(brief.currency)
    valid(brief.budget_minor > 0, "campaign.budget_not_positive", budget_minor=brief.budget_minor)
    valid(brief.budget_minor <= LIMIT_MINOR, "campaign.budget_too_large", limit_minor=LIMIT_MINOR)
    for days in ("exclusivity_days", "usage_days"):
        check_number(brief, days, "campaign.days_out_of_range", "limit_days")
    _check_window(brief)
    _check_products(brief)
    _check_deliverables(brief)
    check_payable(brief.compensation)
    check_compensation(brief.compensation)
    _check_type(brief)


def _check_window(brief: Brief) -> None:
    for moment in (brief.posting_from, brief.posting_until):
        valid(moment.utcoffset() == timedelta(0), "campaign.time_not_utc")
    valid(brief.posting_from < brief.posting_until, "campaign.posting_window_empty")
    known = brief.timezone in zone_names()
    valid(
        known, "campaign.timezone_unknown", do="name a zone of the IANA database, such as Asia/Shanghai or Europe/Paris"
    )


def posting_window(brief: Brief) -> tuple[datetime, datetime]:
    """The posting window in UTC: whole local days of `timezone`, from that of `posting_from` to that of `posting_until`.

    The window ends where the day after its last day begins: content may be posted before that moment.
    """
    zone = ZoneInfo(brief.timezone)
    return _day(brief.posting_from, zone), _day(brief.posting_until, zone, later=1)


def local_day(brief: Brief, moment: datetime) -> date:
    """The date of a moment in `timezone`."""
    return moment.astimezone(ZoneInfo(brief.timezone)).date()


def _day(moment: datetime, zone: ZoneInfo, later: int = 0) -> datetime:
    """The beginning of the local day of a moment, or of a later one; the moment itself where the calendar ends."""
    try:
        day = moment.astimezone(zone).date() + timedelta(days=later)
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError:
        return moment


def _check_products(brief: Brief) -> None:
    check_count(brief, "products", "campaign.too_many_products")
    for product in brief.products:
        for text in ("product_id", "name", "category", "brand_name", "approval_number"):
            check_text(product, text, "campaign.product_malformed")
        valid(0 <= product.value_minor <= LIMIT_MINOR, "campaign.product_value_out_of_range", limit_minor=LIMIT_MINOR)


def _check_deliverables(brief: Brief) -> None:
    valid(bool(brief.deliverables), "campaign.no_deliverables")
    for spec in brief.deliverables:
        check_number(spec, "occurrences", "campaign.occurrences_out_of_range")
        valid((spec.occurrences > 1) == (spec.every_s > 0), "campaign.recurrence_incomplete")
        check_number(spec, "every_s", "campaign.recurrence_too_long", "limit_s")
        _check_format(spec)
    count = sum(spec.occurrences for spec in brief.deliverables)
    valid(count <= MAX_DELIVERABLES, "campaign.too_many_deliverables", limit=MAX_DELIVERABLES)


def _check_format(spec: DeliverableSpec) -> None:
    formats = FORMATS[spec.platform]
    valid(
        spec.format in formats, "campaign.format_not_on_platform", platform=spec.platform.value, format=spec.format.value,
        do=f"ask for one of {', '.join(formats)}",
    )  # fmt: skip


def _check_type(brief: Brief) -> None:
    match brief.campaign_type:
        case CampaignType.SEEDING:
            valid(bool(brief.products), "campaign.seeding_needs_a_product")
        case CampaignType.LIVE_STREAM:
            live = any(spec.format is Format.LIVE_HOUR for spec in brief.deliverables)
            valid(live, "campaign.live_stream_needs_a_live_deliverable")
        case CampaignType.AMBASSADOR:
            recurs = any(spec.occurrences > 1 for spec in brief.deliverables)
            valid(recurs, "campaign.ambassador_needs_recurring_deliverables")
        case CampaignType.BRANDED_CONTENT:
            paid = brief.compensation.kind is not CompensationKind.GIFT
            valid(paid, "campaign.branded_content_is_paid")
        case _:
            assert_never(brief.campaign_type)


def expand(brief: Brief) -> Iterator[tuple[DeliverableSpec, int]]:
    """Each deliverable of one creator in order, with the seconds by which its clock starts later than the first's."""
    for spec in brief.deliverables:
        for occurrence in range(spec.occurrences):
            yield spec, occurrence * spec.every_s


def ships(brief: Brief) -> bool:
    """Whether a product has to be sent before work begins."""
    return any(product.shipped for product in brief.products)
