"""Performance of a campaign: live totals, the curve over time, the funnel, by creator."""

import asyncio

from dandelion.campaigns.v1.queries_pb2 import GetCampaignRequest
from dandelion.metrics.v1.queries_pb2 import (
    PERFORMANCE_GROUP_MINUTE,
    Counts,
    GetCampaignRoiRequest,
    ListCampaignPerformanceRequest,
    PerformanceRow,
    WatchCampaignPerformanceRequest,
    WatchCampaignPerformanceResponse,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.live import live
from console.look.charts import Chart, Series, funnel, lines
from console.look.menu import BRANDS, STAFF
from console.page import Id, Page, SignedIn, needs

router = APIRouter(prefix="/performance", dependencies=[needs(*BRANDS, *STAFF)])
MINUTES_SHOWN = 1_000


@router.get("/{campaign_id}")
async def performance(page: Page, campaign_id: Id) -> Response:
    metrics, by_minute = page.services.metrics, PERFORMANCE_GROUP_MINUTE
    minutes = ListCampaignPerformanceRequest(campaign_id=campaign_id, group_by=by_minute, page_size=MINUTES_SHOWN)
    campaign, roi, curve = await asyncio.gather(
        page.ask(page.services.campaigns.GetCampaign, GetCampaignRequest(campaign_id=campaign_id)),
        page.ask(metrics.GetCampaignRoi, GetCampaignRoiRequest(campaign_id=campaign_id)),
        page.ask(metrics.ListCampaignPerformance, minutes),
    )
    creators = await page.creators(one.creator_id for one in roi.creators)
    return page.show(
        "performance/campaign.html",
        campaign=campaign.campaign,
        counts=roi.counts,
        roi=roi,
        creators=creators,
        curve=_curve(page, list(curve.rows)),
        funnel=_funnel(page, roi.counts),
    )


@router.get("/{campaign_id}/live")
async def totals(page: Page, campaign_id: Id) -> Response:
    def part(answer: WatchCampaignPerformanceResponse) -> str:
        return page.part("performance/totals.html", counts=answer.total.counts, roi=answer, at=answer.total.fresh_at)

    watch = page.services.metrics.WatchCampaignPerformance
    return live(page, watch, WatchCampaignPerformanceRequest(campaign_id=campaign_id), part)


def _curve(page: SignedIn, rows: list[PerformanceRow]) -> Chart:
    """Exposures and engagements by minute, in the reader's zone."""
    series = [
        Series(page.words("Exposures"), [float(one.counts.exposures) for one in rows]),
        Series(page.words("Engagements"), [float(one.counts.engagements) for one in rows]),
    ]
    places = [page.formats.exact(one.minute) for one in rows]
    return lines(
        page.words("Over time"), page.words("Minute"), places, series, page.words("a minute"), page.formats.number
    )


def _funnel(page: SignedIn, counts: Counts) -> Chart:
    steps = [
        (page.words("Exposures"), counts.exposures),
        (page.words("Reads"), counts.reads),
        (page.words("Clicks"), counts.clicks),
        (page.words("Orders"), counts.orders),
    ]
    told = [(name, float(value)) for name, value in steps]
    return funnel(
        page.words("From seeing to buying"), page.words("Step"), page.words("Count"), told, page.formats.number
    )
