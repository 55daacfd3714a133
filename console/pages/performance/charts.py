"""The charts of a campaign's performance: its minutes as a curve, read anew while they come; the way from seeing to buying."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from dandelion.common.v1.common_pb2 import Traffic
from dandelion.metrics.v1.queries_pb2 import (
    PERFORMANCE_GROUP_MINUTE,
    Counts,
    ListCampaignPerformanceRequest,
    PerformanceRow,
)
from google.protobuf.timestamp_pb2 import Timestamp

from console.look.charts import Chart, Series, funnel, lines
from console.look.formats import at
from console.page import SignedIn
from console.words import mark

CHUNK = timedelta(minutes=900)
"""A query answers at most 1,000 minutes; the parts of a longer window are asked for at once."""
POINTS = 96


class Minutes:
    """The minutes of a campaign within a window that ends now."""

    def __init__(self, page: SignedIn, campaign_id: str, traffic: "Traffic.ValueType", window: timedelta) -> None:
        self._page, self._campaign_id, self._traffic, self._window = page, campaign_id, traffic, window
        self._rows: dict[datetime, PerformanceRow] = {}
        self._known_until: datetime | None = None

    async def read(self, now: datetime) -> list[PerformanceRow]:
        """The minutes in their order. The first time all are asked for, then those of the last CHUNK, which may still change.

        Raises Problem.
        """
        oldest = now - self._window
        begin = oldest if self._known_until is None else max(oldest, self._known_until - CHUNK)
        parts = []
        while begin < now:
            end = min(begin + CHUNK, now)
            parts.append(self._asked(begin, end))
            begin = end
        for found in await asyncio.gather(*parts):
            self._rows |= {at(row.minute): row for row in found}
        self._known_until = now
        self._rows = {minute: row for minute, row in sorted(self._rows.items()) if minute >= oldest}
        return list(self._rows.values())

    async def _asked(self, begin: datetime, end: datetime) -> Sequence[PerformanceRow]:
        request = ListCampaignPerformanceRequest(
            campaign_id=self._campaign_id,
            group_by=PERFORMANCE_GROUP_MINUTE,
            traffic=self._traffic,
            observed_from=_stamp(begin),
            observed_until=_stamp(end),
            page_size=1_000,
        )
        answer = await self._page.ask(self._page.services.metrics.ListCampaignPerformance, request)
        return answer.rows


def _stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def curve(page: SignedIn, rows: Sequence[PerformanceRow], window: timedelta) -> Chart | None:
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


def way_to_buying(page: SignedIn, counts: Counts) -> Chart:
    """What was seen, read, clicked and ordered."""
    steps = [
        (page.words(mark("Exposures")), counts.exposures),
        (page.words(mark("Reads")), counts.reads),
        (page.words(mark("Clicks")), counts.clicks),
        (page.words(mark("Orders")), counts.orders),
    ]
    told = [(name, float(value)) for name, value in steps]
    title, axis, unit = (page.words(one) for one in (mark("From seeing to buying"), mark("Step"), mark("Count")))
    return funnel(title, axis, unit, told, page.formats.number, page.formats.ratio)
