"""Anomalies: what was found that people hardly do, by campaign and kind, in words that say what was measured against what."""

from collections.abc import Mapping
from typing import Annotated

from dandelion.metrics.v1.events_pb2 import AnomalyDetected, Metric
from dandelion.metrics.v1.queries_pb2 import ListAnomaliesRequest
from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.look.menu import BRANDS, CREATORS, STAFF
from console.page import Cursor, Page, SignedIn, needs
from console.pages.performance.payable import METRICS
from console.words import mark

router = APIRouter(prefix="/anomalies", dependencies=[needs(*BRANDS, *CREATORS, *STAFF)])
SHOWN = 25
KINDS: Mapping[str, tuple[str, str]] = {
    "burst": (mark("Burst"), mark("in a minute, where the half hour before it makes {expected} usual at most")),
    "follower_jump": (
        mark("Jump of followers"),
        mark("in a minute, where the half hour before it makes {expected} usual at most"),
    ),
    "plateau": (mark("Plateau"), mark("times as steady as counts by chance; beyond {expected} it is delivered")),
    "coordinated": (mark("Coordinated"), mark("in one second, where {expected} of the minute are usual at most")),
    "refund_wave": (mark("Wave of refunds"), mark("in a day, where {expected} are usual at most")),
}
"""By kind its name, and what stands after what was observed."""
STEADINESS = "plateau"
THOUSANDTHS = 1_000
Name = Annotated[str, Query(max_length=40)]
OfId = Annotated[str, Query(pattern=r"^[0-9a-f-]{0,36}$")]


@router.get("")
async def anomalies(page: Page, kind: Name = "", campaign_id: OfId = "", cursor: Cursor = "") -> Response:
    """The newest first."""
    kinds = [kind] if kind in KINDS else []
    request = ListAnomaliesRequest(kinds=kinds, campaign_id=campaign_id, page_size=SHOWN, page_token=cursor)
    answer = await page.ask(page.services.metrics.ListAnomalies, request)
    return page.show(
        "anomalies/list.html",
        anomalies=[(one, *_told(page, one)) for one in answer.anomalies],
        titles=await page.titles({one.campaign_id for one in answer.anomalies if one.campaign_id}),
        names=await page.creators({one.creator_id for one in answer.anomalies if one.creator_id}),
        info=answer.page,
        kinds=[(name, page.words(told)) for name, (told, _) in KINDS.items()],
        kind=kind,
        campaign_id=campaign_id,
    )


def _told(page: SignedIn, one: AnomalyDetected) -> tuple[str, str, str]:
    """(kind, what was counted, what was observed) in the reader's words."""
    name, against = KINDS.get(one.kind, (one.kind, ""))
    metric = METRICS.get(Metric.Name(one.metric).removeprefix("METRIC_").lower())
    what = page.words(metric) if metric else page.words(mark("Refunded orders"))
    observed, expected = (_written(page, one.kind, value) for value in (one.observed, one.expected_max))
    return page.words(name), what, f"{observed} {page.words(against).replace('{expected}', expected)}"


def _written(page: SignedIn, kind: str, value: int) -> str:
    """A count, or how many times."""
    return page.formats.number(value / THOUSANDTHS, 1) if kind == STEADINESS else page.formats.number(value)
