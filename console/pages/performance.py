"""Performance: campaigns by what they brought; of one campaign live totals, the curve, the funnel, by creator and by content."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from dandelion.common.v1.common_pb2 import TRAFFIC_ORGANIC, TRAFFIC_PAID, TRAFFIC_UNSPECIFIED, Traffic
from dandelion.metrics.v1.queries_pb2 import (
    PERFORMANCE_GROUP_CAMPAIGN,
    PERFORMANCE_GROUP_CONTENT,
    PERFORMANCE_GROUP_MINUTE,
    Counts,
    GetCampaignRoiRequest,
    ListCampaignPerformanceRequest,
    PerformanceRow,
    Roi,
    WatchCampaignPerformanceRequest,
    WatchCampaignPerformanceResponse,
)
from fastapi import APIRouter, Query
from fastapi.responses import Response
from google.protobuf.timestamp_pb2 import Timestamp

from console.live import live
from console.look.charts import Chart, Series, funnel, lines
from console.look.formats import at
from console.look.menu import BRANDS, CREATORS, STAFF
from console.page import Cursor, Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/performance", dependencies=[needs(*BRANDS, *CREATORS, *STAFF)])
SHOWN, CONTENTS_SHOWN = 25, 50
WINDOWS_H = {6: mark("6 hours"), 24: mark("24 hours"), 72: mark("3 days"), 168: mark("7 days")}
CHUNK = timedelta(minutes=900)
"""A query answers at most 1,000 minutes; the parts of a longer window are asked for at once."""
POINTS = 96
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
    hours = hours if hours in WINDOWS_H else 24
    contents = ListCampaignPerformanceRequest(
        campaign_id=campaign_id, group_by=PERFORMANCE_GROUP_CONTENT, traffic=traffic, page_size=CONTENTS_SHOWN
    )
    roi, by_content, minutes, titles = await asyncio.gather(
        page.ask(metrics.GetCampaignRoi, GetCampaignRoiRequest(campaign_id=campaign_id, traffic=traffic)),
        page.ask(metrics.ListCampaignPerformance, contents),
        _minutes(page, campaign_id, traffic, timedelta(hours=hours)),
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
        curve=_curve(page, minutes, timedelta(hours=hours)),
        funnel=_funnel(page, roi.counts),
        formulas=FORMULAS,
        cost_of=lambda one, name: _ratio(page, one, name),
        kinds=[(name, page.with_query(traffic=name), page.words(told)) for name, told in TRAFFIC_NAMES.items()],
        windows=[(one, page.with_query(hours=str(one)), page.words(told)) for one, told in WINDOWS_H.items()],
        kind=kind,
        hours=hours,
    )


def _makers(rows: Iterable[PerformanceRow]) -> Iterable[str]:
    return (one.creator_id for one in rows if one.creator_id)


@router.get("/{campaign_id}/live")
async def totals(page: Page, campaign_id: Id, kind: Kind = "") -> Response:
    def part(answer: WatchCampaignPerformanceResponse) -> str:
        return page.part("performance/totals.html", counts=answer.total.counts, roi=answer, at=answer.total.fresh_at)

    watch = page.services.metrics.WatchCampaignPerformance
    return await live(
        page, watch, WatchCampaignPerformanceRequest(campaign_id=campaign_id, traffic=TRAFFICS[kind]), part
    )


async def _minutes(
    page: SignedIn, campaign_id: str, traffic: "Traffic.ValueType", window: timedelta
) -> list[PerformanceRow]:
    """The campaign's minutes until now."""
    begin, parts = page.formats.now - window, []
    while begin < page.formats.now:
        end = min(begin + CHUNK, page.formats.now)
        request = ListCampaignPerformanceRequest(
            campaign_id=campaign_id,
            group_by=PERFORMANCE_GROUP_MINUTE,
            traffic=traffic,
            observed_from=_stamp(begin),
            observed_until=_stamp(end),
            page_size=1_000,
        )
        parts.append(page.ask(page.services.metrics.ListCampaignPerformance, request))
        begin = end
    return [row for answer in await asyncio.gather(*parts) for row in answer.rows]


def _stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def _curve(page: SignedIn, rows: Sequence[PerformanceRow], window: timedelta) -> Chart | None:
    """What was counted in equal steps of the window, in the reader's zone; None where nothing was."""
    if not rows:
        return None
    step = max(timedelta(minutes=1), window / POINTS)
    first, last = at(rows[0].minute), at(rows[-1].minute)
    count = int((last - first) / step) + 1
    sums = {name: [0.0] * count for name in ("exposures", "engagements", "clicks")}
    for row in rows:
        place = int((at(row.minute) - first) / step)
        for name, values in sums.items():
            values[place] += getattr(row.counts, name)
    series = [
        Series(page.words(mark("Exposures")), sums["exposures"]),
        Series(page.words(mark("Engagements")), sums["engagements"]),
        Series(page.words(mark("Clicks")), sums["clicks"]),
    ]
    places = [_place(page, first + step * place, window) for place in range(count)]
    unit = page.words(mark("in {minutes} min"), minutes=page.formats.number(step / timedelta(minutes=1), 1))
    title, axis = page.words(mark("Over time")), page.words(mark("Time"))
    return lines(title, axis, places, series, unit, page.formats.number)


def _place(page: SignedIn, moment: datetime, window: timedelta) -> str:
    local = moment.astimezone(page.formats.timezone)
    return local.strftime("%H:%M" if window <= timedelta(days=1) else "%m-%d %H:%M")


def _funnel(page: SignedIn, counts: Counts) -> Chart:
    steps = [
        (page.words(mark("Exposures")), counts.exposures),
        (page.words(mark("Reads")), counts.reads),
        (page.words(mark("Clicks")), counts.clicks),
        (page.words(mark("Orders")), counts.orders),
    ]
    told = [(name, float(value)) for name, value in steps]
    title, axis, unit = (page.words(one) for one in (mark("From seeing to buying"), mark("Step"), mark("Count")))
    return funnel(title, axis, unit, told, page.formats.number, page.formats.ratio)


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
