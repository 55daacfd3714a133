"""Looks for waves of refunds: campaigns with refunds in the last day, against their days before.

A wave is raised once for the day of its hour, whichever replica sees it first.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from kernel.adapters.bus import Message
from kernel.adapters.requests import send
from kernel.host.app import App
from services.metrics.domain.anomaly.refunds import DAY_H, LEAST, PAST_DAYS, Hour, wave
from services.metrics.passes.repeat import repeat
from services.metrics.publish.anomalies import Whose, wave_request
from services.metrics.tables import CAMPAIGNS, ORDER_HOURS

CAMPAIGNS_LIMIT = 1_000
"""Of one look, those with most refunds first."""
HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class Waves:
    """`interval_s`: seconds from one look to the next."""

    app: App
    interval_s: int

    async def run(self, stop: asyncio.Event) -> None:
        await repeat(self.app, self.once, self.interval_s, "refund_looks_total", stop)

    async def once(self, now: datetime) -> int:
        """One look; how many waves were reported."""
        until_hour, found = int(now.timestamp()) // HOUR_S, list[Message]()
        for (campaign_id, brand_id), rows in groupby(await self._hours(until_hour), lambda row: (row[0], row[1])):
            seen = wave([Hour(row.hour, row.refunds, row.orders) for row in rows], until_hour)
            if seen is not None:
                found.append(wave_request(seen, Whose(campaign_id, "", brand_id), now))
        if found:
            producer = await self.app.bus.producer()
            try:
                await send(producer, self.app.service.name, found)
            finally:
                await producer.close()
        return len(found)

    async def _hours(self, until_hour: int) -> Sequence[Any]:
        """Rows (campaign_id, brand_id, hour, refunds, orders), campaign by campaign, of those with enough refunds in a day."""
        hours = ORDER_HOURS.c
        refunds = sa.func.sum(hours.refunds)
        lately = (
            sa.select(hours.campaign_id)
            .where(hours.hour > until_hour - DAY_H, hours.campaign_id != "")
            .group_by(hours.campaign_id)
            .having(refunds >= LEAST)
            .order_by(refunds.desc(), hours.campaign_id)
            .limit(CAMPAIGNS_LIMIT)
        )
        brand = CAMPAIGNS.c.brand_id
        query = (
            sa.select(hours.campaign_id, brand, hours.hour, hours.refunds, hours.orders)
            .join(CAMPAIGNS, CAMPAIGNS.c.campaign_id == hours.campaign_id)
            .where(hours.campaign_id.in_(lately), hours.hour > until_hour - DAY_H * (PAST_DAYS + 1))
            .order_by(hours.campaign_id, hours.hour)
        )
        async with self.app.database.reading() as connection:
            return (await connection.execute(query)).all()
