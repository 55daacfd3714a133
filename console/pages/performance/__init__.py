"""Performance: campaigns by what they brought; of one campaign live totals, the curve, the funnel, by creator and by content."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from dandelion.common.v1.common_pb2 import TRAFFIC_ORGANIC, TRAFFIC_PAID, TRAFFIC_UNSPECIFIED, Traffic
from dandelion.metrics.v1.queries_pb2 import (
    PERFORMANCE_GROUP_CAMPAIGN,
    PERFORMANCE_GROUP_CONTENT,
    GetCampaignRoiRequest,
    ListCampaignPerformanceRequest,
    PerformanceRow,
    Roi,
    WatchCampaignPerformanceRequest,
    WatchCampaignPerformanceResponse,
)
from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.live import live
from console.look.menu import BRANDS, CREATORS, STAFF
from console.page import Cursor, Id, Page, SignedIn, needs
from console.pages.performance.charts import Minutes, curve, way_to_buying
from console.words import mark

router = APIRouter(prefix="/performance", dependencies=[needs(*BRANDS, *CREATORS, *STAFF)])
SHOWN, CONTENTS_SHOWN = 25, 50
WINDOWS_H = {6: mark("6 hours"), 24: mark("24 hours"), 72: mark("3 days"), 168: mark("7 days")}
LIVE_EVERY_MS = 2_000
"""Each live answer asks for the newest minutes once more."""
TRAFFICS: Mapping[str, "Traffic.ValueType"] = {
    "": TRAFFIC_UNSPECIFIED,
    "organic": TRAFFIC_ORGANIC,
    "paid": TRAFFIC_PAID,
}
TRAFFIC_NAMES = {"": mark("All traffic"), "organic": mark("Organic"), "paid": mark("Paid traffic")}
FORMULAS = {
    "roas": (mark("ROAS"), mark("attributed revenue / cost")),
    "roi": (mark("ROI"), mark("(attributed revenue − cost) / cost")),
    "cpm": (mark("CPM"), mark("cost / exposures × 1000")),
    "cpr": (mark("CPR"), mark("cost / reads")),
    "cpe": (mark("CPE"), mark("cost / (likes + saves + comments + shares + follows)")),
    "cpc": (mark("CPC"), mark("cost / clicks")),
    "cac": (mark("CAC"), mark("cost / new customers")),
}
"""Each ratio's name and formula, as metrics defines it by the id that the answer names."""
Kind = Annotated[str, Query(alias="traffic", pattern="^(organic|paid)?$")]
Hours = Annotated[int, Query(alias="hours")]


def _window(hours: int) -> timedelta:
    """The window that was asked for; a day for any that is not offered."""
    return timedelta(hours=hours if hours in WINDOWS_H else 24)


@router.get("")
async def overview(page: Page, cursor: Cursor = "") -> Response:
    """The campaigns that the reader may see, the most engaging first."""
    request = ListCampaignPerformanceRequest(group_by=PERFORMANCE_GROUP_CAMPAIGN, page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.metrics.ListCampaignPerformance, request)
    titles = await page.titles(one.campaign_id for one in answer.rows)
    return page.show("performance/overview.html", rows=answer.rows, titles=titles, info=answer.page)


@router.get("/{campaign_id}")
async def performance(page: Page, campaign_id: Id, kind: Kind = "", hours: Hours = 24) -> Response:
    metrics, traffic = page.services.metrics, TRAFFICS[kind]
    minutes = Minutes(page, campaign_id, traffic, _window(hours))
    contents = ListCampaignPerformanceRequest(
        campaign_id=campaign_id, group_by=PERFORMANCE_GROUP_CONTENT, traffic=traffic, page_size=CONTENTS_SHOWN
    )
    roi, by_content, rows, titles = await asyncio.gather(
        page.ask(metrics.GetCampaignRoi, GetCampaignRoiRequest(campaign_id=campaign_id, traffic=traffic)),
        page.ask(metrics.ListCampaignPerformance, contents),
        minutes.read(page.formats.now),
        page.titles([campaign_id]),
    )
    creators = await page.creators({*(one.creator_id for one in roi.creators), *_makers(by_content.rows)})
    return page.show(
        "performance/campaign.html",
        campaign_id=campaign_id,
        title=titles[campaign_id],
        counts=roi.counts,
        roi=roi,
        contents=by_content,
        creators=creators,
        curve=curve(page, rows, _window(hours)),
        funnel=way_to_buying(page, roi.counts),
        formulas=FORMULAS,
        cost_of=lambda one, name: _ratio(page, one, name),
        kinds=[(name, page.with_query(traffic=name), page.words(told)) for name, told in TRAFFIC_NAMES.items()],
        windows=[(one, page.with_query(hours=str(one)), page.words(told)) for one, told in WINDOWS_H.items()],
        kind=kind,
        hours=_window(hours) // timedelta(hours=1),
    )


def _makers(rows: Iterable[PerformanceRow]) -> Iterable[str]:
    return (one.creator_id for one in rows if one.creator_id)


@router.get("/{campaign_id}/live")
async def totals(page: Page, campaign_id: Id, kind: Kind = "", hours: Hours = 24) -> Response:
    """Totals, curve and funnel as they are now, whenever the numbers move."""
    traffic = TRAFFICS[kind]
    minutes = Minutes(page, campaign_id, traffic, _window(hours))

    async def part(answer: WatchCampaignPerformanceResponse) -> str:
        counts, fresh_at = answer.total.counts, answer.total.fresh_at
        redrawn = {
            "over-time": curve(page, await minutes.read(datetime.now(UTC)), _window(hours)),
            "funnel": way_to_buying(page, counts),
        }
        return page.part("performance/live.html", counts=counts, roi=answer, at=fresh_at, redrawn=redrawn)

    request = WatchCampaignPerformanceRequest(campaign_id=campaign_id, traffic=traffic, interval_ms=LIVE_EVERY_MS)
    return await live(page, page.services.metrics.WatchCampaignPerformance, request, part)


def _ratio(page: SignedIn, roi: Roi, name: str) -> str:
    """A ratio as the reader reads it; a dash where there is nothing to divide by."""
    ratio = getattr(roi, name)
    if not ratio.HasField("value"):
        return "–"
    if name == "roas":
        return page.formats.number(ratio.value, 2)
    if ratio.unit == "ratio":
        return page.formats.ratio(ratio.value)
    return page.formats.money(round(ratio.value), roi.currency)
