"""Looks for waves of refunds: campaigns with refunds in the last day, against their days before, set-wise.

It runs in the role `stream`. A wave is raised once for the day of its hour, whichever replica sees it first.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from kernel.adapters.bus import PARTITIONS, Message, TopicPartition
from kernel.core.faults import Fault
from kernel.core.ids import partition_of
from kernel.host.app import App
from kernel.runtime import telemetry
from services.metrics.domain.anomaly.refunds import DAY_H, LEAST, PAST_DAYS, Hour, wave
from services.metrics.publish.anomalies import Whose, wave_request
from services.metrics.tables import CAMPAIGNS, ORDER_HOURS

COMMANDS = "metrics.commands.v1"
SEND_DEADLINE_S = 15.0
CAMPAIGNS_LIMIT = 1_000
"""Of one look, those with most refunds first."""
HOUR_S = 3_600
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Waves:
    """`interval_s`: seconds from one look to the next."""

    app: App
    interval_s: int

    async def run(self, stop: asyncio.Event) -> None:
        """Looks until `stop`, the first one at once."""
        while not stop.is_set():
            try:
                await self.once(await self.app.log.now())
                telemetry.count("refund_looks_total", outcome="done")
            except (Fault, TimeoutError) as fault:
                telemetry.count("refund_looks_total", outcome="failed")
                logger.warning("look at refunds failed; the next one looks at all again", exc_info=fault)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.interval_s)

    async def once(self, now: datetime) -> int:
        """One look; how many waves were reported."""
        until_hour, batches = int(now.timestamp()) // HOUR_S, dict[TopicPartition, list[Message]]()
        for (campaign_id, brand_id), rows in groupby(await self._hours(until_hour), lambda row: (row[0], row[1])):
            found = wave([Hour(row.hour, row.refunds, row.orders) for row in rows], until_hour)
            if found is not None:
                message = wave_request(found, Whose(campaign_id, "", brand_id), now)
                where = (COMMANDS, partition_of(message.key.decode(), PARTITIONS))
                batches.setdefault(where, []).append(message)
        if batches:
            producer = await self.app.bus.producer()
            try:
                await producer.send(batches, SEND_DEADLINE_S)
            finally:
                await producer.close()
        return sum(map(len, batches.values()))

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
