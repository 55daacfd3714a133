"""Gauges of campaigns: agreements that wait for the platform's own answer past its time. Alert PlatformSilent reads them."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kernel.runtime import telemetry
from services.campaigns.domain.shared.work_events import Awaited
from services.campaigns.tables import COLLABORATIONS


async def platform_silent(connection: AsyncConnection) -> None:
    """Counts collaborations by whom they wait for; a number that falls to none is set to 0."""
    awaits = COLLABORATIONS.c.awaits
    query = sa.select(awaits, sa.func.count()).where(awaits.in_(list(Awaited))).group_by(awaits)
    found = {row[0]: row[1] for row in (await connection.execute(query)).all()}
    for awaited in Awaited:
        telemetry.gauge("platform_silent", found.get(awaited.value, 0), awaits=awaited.value)


GAUGES = (platform_silent,)
