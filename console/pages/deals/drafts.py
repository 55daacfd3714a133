"""A brief between a form and a command: what was typed as the command's body, and a brief as a form has it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from dandelion.campaigns.v1.events_pb2 import Product, RecruitMode
from dandelion.campaigns.v1.queries_pb2 import BriefVersion, Campaign, DeliverableSpec
from dandelion.common.v1.common_pb2 import CampaignType, CompensationKind, Format, Platform
from dandelion_contracts.words import word

from console.forms import Form
from console.look.formats import Formats, at
from console.pages.deals.words import DEFAULT_ZONE, zone_of
from console.words import mark

HOUR_S, DAY_S = 3_600, 86_400
PAYABLE = (("fixed", mark("A fixed fee for each deliverable")), ("gift", mark("The product itself")))
"""How a campaign may pay: pay by performance or by sales is not reckoned yet."""
MONEY = ("CNY", "USD", "EUR", "GBP", "JPY", "HKD", "SGD")
"""Currencies offered first; any other of ISO 4217 may be typed."""
CLOCKS: Mapping[str, tuple[int, int]] = {
    "draft_s": (14, DAY_S),
    "brand_review_s": (5, DAY_S),
    "revision_s": (7, DAY_S),
    "publish_s": (30, DAY_S),
    "live_check_after_s": (1, HOUR_S),
    "protection_s": (30, DAY_S),
    "settlement_delay_s": (3, DAY_S),
}
"""Clocks of the editor: how many are usual, of how many seconds each; the other clocks are the platform's own."""
LISTS = ("key_messages", "must", "must_not")
SPEC, PRODUCT = "brief.deliverables", "brief.products"
ROWS = 24


def rows_of(form: Form, values: Mapping[str, Any], prefix: str, more: bool) -> int:
    """How many rows of a list the form shows: those that are filled in, one more where that was asked for."""
    names = form.values if form.values else values
    numbers = [
        int(name.split(".")[2]) for name in names if name.startswith(f"{prefix}.") and name.split(".")[2].isdigit()
    ]
    least = 1 if prefix == SPEC else 0
    return min(max([least, *(number + 1 for number in numbers)]) + more, ROWS)


def brief_body(form: Form) -> dict[str, Any]:
    """The brief that was typed. The posting window is whole days of its zone."""
    currency, zone = form.text("brief.currency").upper(), form.text("brief.timezone") or DEFAULT_ZONE
    return {
        "title": form.needed("brief.title"),
        **{name: form.first(f"brief.{name}") for name in ("campaign_type", "mode", "objective", "creative_freedom")},
        **{name: form.needed(f"brief.{name}") for name in ("product_category", "jurisdiction")},
        "currency": currency,
        "budget_minor": form.minor("brief.budget_minor", currency),
        "compensation": {"kind": form.first("brief.compensation.kind", "fixed")},
        "timezone": zone,
        "posting_from": _day(form, "brief.posting_from", zone),
        "posting_until": _day(form, "brief.posting_until", zone, "T12:00"),
        **{name: form.many(f"brief.{name}") for name in LISTS},
        "exclusivity_days": form.whole("brief.exclusivity_days", 0),
        "usage_days": form.whole("brief.usage_days", 365),
        "deliverables": [
            _spec(form, f"{SPEC}.{number}") for number in range(ROWS) if form.first(f"{SPEC}.{number}.platform")
        ],
        "products": [
            _product(form, f"{PRODUCT}.{number}", number, currency)
            for number in range(ROWS)
            if form.text(f"{PRODUCT}.{number}.name")
        ],
    }


def _day(form: Form, name: str, zone: str, moment: str = "T00:00") -> str:
    """A day of the campaign's zone, as a moment within it."""
    known = zone if _is_zone(zone) else DEFAULT_ZONE
    return form.moment(name, known, moment)


def _is_zone(zone: str) -> bool:
    try:
        return bool(ZoneInfo(zone))
    except (ValueError, KeyError, OSError):
        return False


def _spec(form: Form, prefix: str) -> dict[str, Any]:
    times = form.whole(f"{prefix}.occurrences", 1)
    days = form.decimal(f"{prefix}.every_s", None) if times > 1 else 0
    return {
        "platform": form.first(f"{prefix}.platform"),
        "format": form.first(f"{prefix}.format"),
        "outline_required": form.is_set(f"{prefix}.outline_required"),
        "occurrences": times,
        "every_s": int(days * DAY_S),
    }


def _product(form: Form, prefix: str, number: int, currency: str) -> dict[str, Any]:
    return {
        "product_id": form.text(f"{prefix}.product_id") or f"product-{number + 1}",
        "name": form.text(f"{prefix}.name"),
        "category": form.text("brief.product_category"),
        "value_minor": form.minor(f"{prefix}.value_minor", currency, 0),
        "brand_name": form.text(f"{prefix}.brand_name"),
        "approval_number": form.text(f"{prefix}.approval_number"),
        "shipped": form.is_set(f"{prefix}.shipped"),
    }


def terms_body(form: Form) -> dict[str, Any]:
    """The terms that were typed; a clock is written in days or hours, also in parts of one, down to the whole second."""
    clocks = {
        name: int(form.decimal(f"terms.clocks.{name}", Decimal(usual)) * unit_s)
        for name, (usual, unit_s) in CLOCKS.items()
    }
    return {
        "clocks": clocks,
        "max_revisions": form.whole("terms.max_revisions", 2),
        "claw_back_bps": form.basis_points("terms.claw_back_bps", 0),
    }


def as_typed(found: Campaign | BriefVersion, formats: Formats) -> dict[str, Any]:
    """A brief as its form has it, by field."""
    brief, detail, zone = found.brief, found.detail, ZoneInfo(zone_of(found.brief))
    values: dict[str, Any] = {
        "brief.campaign_type": word(CampaignType, brief.type),
        "brief.mode": word(RecruitMode, brief.mode),
        "brief.compensation.kind": word(CompensationKind, brief.compensation.kind),
        "brief.budget_minor": formats.amount(brief.budget_minor, brief.currency),
        "brief.posting_from": at(brief.posting_from).astimezone(zone).date().isoformat(),
        "brief.posting_until": at(brief.posting_until).astimezone(zone).date().isoformat(),
        "brief.timezone": str(zone),
        "brief.creative_freedom": detail.creative_freedom,
        "brief.exclusivity_days": brief.terms.exclusivity_days,
        "brief.usage_days": brief.terms.usage_rights_days,
    }
    for name in ("title", "objective", "product_category", "jurisdiction", "currency"):
        values[f"brief.{name}"] = getattr(brief, name)
    values |= {f"brief.{name}": "\n".join(getattr(brief, name)) for name in LISTS}
    for number, spec in enumerate(detail.deliverables):
        values |= _spec_typed(f"{SPEC}.{number}", spec)
    for number, product in enumerate(brief.products):
        shipped = detail.products_shipped[number]
        values |= _product_typed(f"{PRODUCT}.{number}", product, shipped, formats, brief.currency)
    return values


def _spec_typed(prefix: str, spec: DeliverableSpec) -> dict[str, Any]:
    days = spec.every_s / DAY_S
    return {
        f"{prefix}.platform": word(Platform, spec.platform),
        f"{prefix}.format": word(Format, spec.format),
        f"{prefix}.outline_required": spec.outline_required,
        f"{prefix}.occurrences": spec.occurrences,
        f"{prefix}.every_s": f"{days:.9f}".rstrip("0").rstrip(".") if spec.every_s else "",
    }


def _product_typed(prefix: str, product: Product, shipped: bool, formats: Formats, currency: str) -> dict[str, Any]:
    names = ("product_id", "name", "brand_name", "approval_number")
    return {
        **{f"{prefix}.{name}": getattr(product, name) for name in names},
        f"{prefix}.value_minor": formats.amount(product.value_minor, currency),
        f"{prefix}.shipped": shipped,
    }
