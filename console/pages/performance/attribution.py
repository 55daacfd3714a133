"""Whose the orders are: the models of attribution side by side, by creator or by content, within a window."""

from collections.abc import Mapping
from typing import Annotated, Any

from dandelion.metrics.v1.attribution_pb2 import (
    ATTRIBUTION_UNIT_CONTENT,
    ATTRIBUTION_UNIT_CREATOR,
    AttributionUnit,
    CurrencyAttribution,
    GetAttributionRequest,
)
from dandelion.metrics.v1.queries_pb2 import PERFORMANCE_GROUP_CONTENT, ListCampaignPerformanceRequest
from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.look.charts import Chart, Series, bars
from console.look.menu import BRANDS, STAFF
from console.page import Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/performance", dependencies=[needs(*BRANDS, *STAFF)])
DAY_S = 24 * 3600
WINDOWS_DAYS = (1, 7, 30, 90)
ROWS_SHOWN = 50
CHART_ROWS = 8
UNITS: Mapping[str, "AttributionUnit.ValueType"] = {
    "": ATTRIBUTION_UNIT_CREATOR,
    "content": ATTRIBUTION_UNIT_CONTENT,
}
UNIT_NAMES = {"": mark("By creator"), "content": mark("By content")}
MODELS = {
    "last_click@1": (mark("Last touch"), mark("All to the last touch. This rule counts for money.")),
    "first_click@1": (mark("First touch"), mark("All to the first touch.")),
    "linear@1": (mark("Linear"), mark("Every touch alike.")),
    "time_decay@1": (mark("Time decay"), mark("A touch gets half as much as one that came 7 days later.")),
    "position@1": (
        mark("Position"),
        mark("Two fifths to the first touch, two fifths to the last, one fifth to those between; two touches alike."),
    ),
    "shapley@1": (mark("Shapley"), mark("Everybody who was touched alike, however often: Shapley's value, exact.")),
    "markov@1": (mark("Markov"), mark("By removal effect: the orders that a chain of touches loses without them.")),
}
"""Each model's name and what it does, in the order of the columns."""
Unit = Annotated[str, Query(alias="unit", pattern="^(content)?$")]
Days = Annotated[int, Query(alias="days")]


@router.get("/{campaign_id}/attribution")
async def attribution(page: Page, campaign_id: Id, unit: Unit = "", days: Days = 30) -> Response:
    days = days if days in WINDOWS_DAYS else 30
    request = GetAttributionRequest(campaign_id=campaign_id, unit=UNITS[unit], window_s=days * DAY_S)
    answer = await page.ask(page.services.orders.GetAttribution, request)
    titles = await page.titles([campaign_id])
    names = await _names(page, campaign_id, unit, {row.id for one in answer.currencies for row in _credits(one)})
    return page.show(
        "performance/attribution.html",
        campaign_id=campaign_id,
        title=titles[campaign_id],
        answer=answer,
        tables=[(one, _rows(one), _chart(page, one, names)) for one in answer.currencies],
        names=names,
        models=MODELS,
        units=[(name, page.with_query(unit=name), page.words(told)) for name, told in UNIT_NAMES.items()],
        unit=unit,
        windows=[(one, page.with_query(days=str(one))) for one in WINDOWS_DAYS],
        days=days,
        shown=ROWS_SHOWN,
    )


def _credits(one: CurrencyAttribution) -> list[Any]:
    return [credit for model in one.models for credit in model.credits]


async def _names(page: SignedIn, campaign_id: str, unit: str, ids: set[str]) -> Mapping[str, str]:
    """The name of each row; a content is named by its creator. The empty id stands for the brand's other campaigns."""
    elsewhere = {"": page.words(mark("Other campaigns"))}
    if not unit:
        return {**await page.creators(one for one in ids if one), **elsewhere}
    contents = ListCampaignPerformanceRequest(
        campaign_id=campaign_id, group_by=PERFORMANCE_GROUP_CONTENT, page_size=1_000
    )
    found = await page.ask(page.services.metrics.ListCampaignPerformance, contents)
    makers = {row.content_id: row.creator_id for row in found.rows if row.content_id in ids}
    creators = await page.creators(makers.values())
    return {**{content: creators.get(maker, "") for content, maker in makers.items()}, **elsewhere}


def _rows(one: CurrencyAttribution) -> list[tuple[str, list[Any]]]:
    """(id, its credit under each model or None), by revenue under the rule that counts for money, highest first."""
    by_model = [{credit.id: credit for credit in model.credits} for model in one.models]
    known = dict.fromkeys(credit.id for credit in _credits(one))
    rows = [(row, [found.get(row) for found in by_model]) for row in known]
    return sorted(rows, key=lambda row: [-(credit.revenue_minor if credit else 0) for credit in row[1]])


def _chart(page: SignedIn, one: CurrencyAttribution, names: Mapping[str, str]) -> Chart | None:
    """The shares of revenue of the largest rows under each model; None where there is nothing to compare."""
    rows = _rows(one)[:CHART_ROWS]
    if len(rows) < 2 or not one.revenue_minor:
        return None
    places = [page.words(MODELS[model.model][0]) for model in one.models]
    series = [
        Series(
            names.get(row, "") or row[:8],
            [100 * credit.revenue_minor / one.revenue_minor if credit else 0.0 for credit in credits],
        )
        for row, credits in rows
    ]
    title, axis = page.words(mark("Share of revenue by model")), page.words(mark("Model"))
    return bars(title, axis, places, series, "%", lambda share: page.formats.number(share, 1))
