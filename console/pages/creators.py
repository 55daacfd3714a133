"""Creators: the search with its facets, and one of them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from babel import Locale, UnknownLocaleError
from dandelion.campaigns.v1.queries_pb2 import (
    CAMPAIGN_STATUS_PUBLISHED,
    ListCampaignsRequest,
    ListCampaignsResponse,
)
from dandelion.common.v1.common_pb2 import Format, Platform, Tier
from dandelion.discovery.v1.authenticity_pb2 import GetAuthenticityRequest
from dandelion.discovery.v1.events_pb2 import Availability
from dandelion.discovery.v1.measured_pb2 import GetCreatorFiguresRequest
from dandelion.discovery.v1.queries_pb2 import (
    CountCreatorsRequest,
    CountCreatorsResponse,
    CreatorHit,
    Facet,
    GetCreatorRequest,
    SearchCreatorsRequest,
    SearchCreatorsResponse,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.creator_figures import audience_charts, followers_chart
from console.creator_grid import grid_of, lines_of
from console.forms import Form
from console.look.menu import BRANDS, STAFF
from console.page import Id, Page, SignedIn, needs
from console.pages import finding
from console.words import mark
from console.words.enums import label

router = APIRouter(prefix="/creators", dependencies=[needs(*BRANDS, *STAFF)])
SHOWN = 25
CAMPAIGNS_SHOWN = 100
TEXTS = ("categories", "tags", "languages", "locations")
ENUMS: dict[str, Any] = {"tiers": Tier, "platforms": Platform, "availability": Availability}
NAMES = {
    "tiers": mark("Tier"),
    "platforms": mark("Platform"),
    "categories": mark("Category"),
    "locations": mark("Place"),
    "languages": mark("Language"),
    "availability": mark("Availability"),
    "tags": mark("Tag"),
}
"""Facets in the order of the page."""
REASONS = {
    "text": mark("Text"),
    "category": mark("Category"),
    "language": mark("Language"),
    "tag": mark("Tag"),
    "platform": mark("Platform"),
    "location": mark("Place"),
    "tier": mark("Tier"),
    "followers": mark("Followers"),
    "engagement rate": mark("Engagement rate"),
}
"""What discovery calls the filters in its reasons."""
NAMED = {**NAMES, **finding.FACETS}
COUNTED = (*NAMES, *finding.FACETS)
PICKED_LIMIT, COMPARED = 50, 5


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a facet: what the address says, what people read, how many creators, whether it is chosen."""

    value: str
    told: str
    creators: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """One facet with its values."""

    name: str
    label: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Chip:
    """A chosen value, and the address without it."""

    told: str
    without: str
    is_value: bool = True
    """Of a facet; the others were typed."""


@router.get("")
async def search(page: Page) -> Response:
    """The first page or the next, with what it may be narrowed to."""
    form = Form({name: page.request.query_params.getlist(name) for name in page.request.query_params})
    listed = ListCampaignsRequest(
        brand_id=page.runs_campaigns_of, statuses=[CAMPAIGN_STATUS_PUBLISHED], page_size=CAMPAIGNS_SHOWN
    )
    campaigns = page.ask(page.services.campaigns.ListCampaigns, listed)
    found, counted, problem = SearchCreatorsResponse(), CountCreatorsResponse(), None
    try:
        request = request_of(form)
        found, counted, running = await asyncio.gather(
            page.ask(page.services.discovery.SearchCreators, request),
            page.ask(page.services.discovery.CountCreators, CountCreatorsRequest(search=request, facets=COUNTED)),
            campaigns,
        )
    except Problem as refused:
        if refused.kind != "invalid":
            raise
        problem, running = refused, ListCampaignsResponse()
        campaigns.close()
    return page.show(
        "creators/search.html",
        422 if problem else 200,
        hits=found.hits,
        total=found.total,
        info=found.page,
        groups=[_group(page, one, form) for one in _ordered(counted.facets)],
        chips=list(_chips(page, form)),
        reasons=lambda hit: list(_reasons(page, hit, form.text("currency").upper())),
        bounds=finding.asked_for(page),
        picked=_picked(form),
        view=finding.kept(form),
        comparable=urlencode([("ids", hit.creator.creator_id) for hit in found.hits[:COMPARED]]),
        running=[("", page.words(mark("nobody"))), *((one.campaign_id, one.brief.title) for one in running.campaigns)],
        formats=[("", page.words(mark("any"))), *_formats(page)],
        orders=[(name, page.words(told)) for name, told in finding.ORDERS.items()],
        chosen_format=_format(form),
        asked=form,
        form=form,
        problem=problem,
    )


def _format(form: Form) -> int:
    """The format that prices are asked for; 0: any."""
    known = Format.DESCRIPTOR.values_by_name.get(form.text("format"))
    return known.number if known else 0


def _formats(page: SignedIn) -> list[tuple[str, str]]:
    values = [value for value in Format.DESCRIPTOR.values if value.number]
    return [(value.name, page.words(label(Format.DESCRIPTOR, value.number))) for value in values]


def request_of(form: Form) -> SearchCreatorsRequest:
    """Raises the Problem of what cannot be read."""
    enums = {name: [kind.Value(one) for one in form.many(name) if one in kind.keys()] for name, kind in ENUMS.items()}  # noqa: SIM118
    currency = form.text("currency").upper()
    asked: dict[str, Any] = {name: form.many(name) for name in TEXTS} | {
        "tiers": enums["tiers"],
        "platforms": enums["platforms"],
        "availability": next(iter(enums["availability"]), 0),
        "format": _format(form),
    }
    made = SearchCreatorsRequest(
        filters=finding.filters_of(form, currency),
        exclude_invited=form.is_set("fresh"),
        exclude_worked_for=finding.rivals_of(form),
        text=form.text("text"),
        followers_min=form.whole("followers_min", 0),
        followers_max=form.whole("followers_max", 0),
        engagement_rate_min_bps=form.basis_points("rate_min", 0),
        exclude_campaign_id=form.text("without"),
        order_by=form.text("order_by") if form.text("order_by") in finding.ORDERS else "",
        page_size=SHOWN,
        page_token=form.text("page"),
        **asked,
    )
    if made.format and currency:
        made.currency = currency
        made.price_min_minor = form.minor("price_min", currency, 0)
        made.price_max_minor = form.minor("price_max", currency, 0)
    elif made.order_by in ("cpm", "cpe"):
        made.order_by = ""
    form.check()
    return made


def _picked(form: Form) -> list[str]:
    """The creators that were ticked, on this page and those before."""
    return list(dict.fromkeys(form.many("pick")))[:PICKED_LIMIT]


def _ordered(facets: Iterable[Facet]) -> list[Facet]:
    places = list(NAMED)
    return sorted((one for one in facets if one.filter in NAMED), key=lambda one: places.index(one.filter))


def _group(page: SignedIn, facet: Facet, form: Form) -> Group:
    """A facet; a chosen value that nobody has stays in it."""
    chosen = form.many(facet.filter)
    known = {one.value: one.creators for one in facet.values}
    counts = {**known, **{one: 0 for one in chosen if one not in known}}
    values = [Value(one, _told(page, facet.filter, one), count, one in chosen) for one, count in counts.items() if one]
    return Group(facet.filter, page.words(NAMED[facet.filter]), values)


def _told(page: SignedIn, name: str, value: str) -> str:
    """A value of a filter in the reader's words."""
    if name in finding.FACETS:
        return finding.told(page, name, value)
    if name in ENUMS:
        known = ENUMS[name].DESCRIPTOR.values_by_name.get(value)
        return page.words(label(known.type, known.number)) if known else value
    if name == "languages":
        return _language(value, page.formats.locale)
    if name == "locations":
        country, slash, rest = value.partition("/")
        return str(page.formats.locale.territories.get(country.upper(), country)) + slash + rest
    return value


def _language(tag: str, locale: Locale) -> str:
    try:
        return Locale.parse(tag.replace("-", "_")).get_display_name(locale) or tag
    except (ValueError, UnknownLocaleError):
        return tag


def _chips(page: SignedIn, form: Form) -> Iterable[Chip]:
    """Every chosen value, with the address that takes it out."""
    given = [(name, value) for name, value in page.request.query_params.multi_items() if name != "page"]
    for chosen in given:
        if chosen[0] in NAMED and chosen[1]:
            left = urlencode([one for one in given if one != chosen])
            told = f"{page.words(NAMED[chosen[0]])}: {_told(page, *chosen)}"
            yield Chip(told, f"/creators?{left}" if left else "/creators")
    for name, told in finding.typed(page, form):
        yield Chip(told, page.with_query(page="", **{name: ""}), is_value=False)


def _reasons(page: SignedIn, hit: CreatorHit, currency: str) -> Iterable[str]:
    """Why a creator was found: by the request's own fields, then by filters."""
    for one in hit.reasons:
        if not one.startswith("price: "):
            yield _reason(page, one)
    if hit.HasField("price"):
        price = page.formats.money(hit.price.price_minor, hit.price.currency)
        yield f"{page.words(finding.PRICE)}: {price} · {page.words(label(Format.DESCRIPTOR, hit.price.format))}"
    for match in hit.matches:
        if told := finding.reason(page, match, currency):
            yield told


def _reason(page: SignedIn, reason: str) -> str:
    """A reason in the reader's words: `text: serum in bio, tags`, `tier: koc`."""
    name, colon, what = reason.partition(": ")
    facet = {"tier": "tiers", "platform": "platforms"}.get(name)
    if facet:
        prefix = facet.removesuffix("s").upper()
        what = ", ".join(_told(page, facet, f"{prefix}_{one.upper()}") for one in what.split(", "))
    elif name == "language":
        what = ", ".join(_language(one, page.formats.locale) for one in what.split(", "))
    elif name == "text":
        words, _, fields = what.rpartition(" in ")
        places = ", ".join(page.words(finding.PLACES.get(one, one)) for one in fields.split(", "))
        return page.words(mark("“{words}” in {places}"), words=words, places=places)
    return f"{page.words(REASONS.get(name, name))}{colon}{what}"


@router.get("/{creator_id}")
async def creator(page: Page, creator_id: Id) -> Response:
    return await show_creator(page, creator_id)


async def show_creator(page: SignedIn, creator_id: str) -> Response:
    """The creator's page."""
    sees_history = page.can("operator", "auditor") or page.person.tenant == creator_id
    discovery = page.services.discovery
    answer, judged, figures = await asyncio.gather(
        page.ask(discovery.GetCreator, GetCreatorRequest(creator_id=creator_id)),
        page.ask(discovery.GetAuthenticity, GetAuthenticityRequest(creator_id=creator_id)),
        page.ask(discovery.GetCreatorFigures, GetCreatorFiguresRequest(creator_id=creator_id)),
    )
    return page.show(
        "creators/creator.html",
        creator=answer.creator,
        judged=judged.authenticity,
        audience=audience_charts(page, answer.creator),
        series=followers_chart(page, figures.followers),
        figures=figures,
        grid=grid_of(page, figures),
        reliability=lines_of(page, figures.reliability) if figures.HasField("reliability") else [],
        spoken=[_language(one, page.formats.locale) for one in answer.creator.profile.languages],
        sees_history=sees_history,
        is_own=page.person.tenant == creator_id,
    )
