"""What the platform itself knows of a creator: its measured followers through time, its engagement among peers, its audience.

What a creator reports by hand is no evidence: only what the platform measured or a model estimated counts.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from kernel.core.codec import adapter, incoming_of
from kernel.core.faults import NotFound
from kernel.core.ids import checked_id, stream_id
from kernel.core.world.iso_codes import countries
from kernel.eventlog.log import StreamSpan
from kernel.host.app import App
from services.discovery.authenticity.bands import Band, band_of
from services.discovery.authenticity.growth import growth_of
from services.discovery.domain.audience import Audience
from services.discovery.domain.authenticity.evidence import Engagement, Evidence, Geography
from services.discovery.domain.checks import Provenance
from services.discovery.domain.events import AccountLinked, FollowersReported
from services.discovery.domain.figures import Followers
from services.discovery.domain.state import State
from services.discovery.domain.tiers import tier_of
from services.discovery.tables.creators import CREATORS

EVENTS = 500
"""The newest events of a creator that are looked through for counts of followers."""
SAMPLE = 100
"""Fewer followers of a known country say nothing of where they are."""
WINDOW_DAYS = 30


class Gathering:
    """Reads evidence from the log and the read model of creators."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def evidence(self, creator_id: str) -> Evidence:
        """What is known; raises NotFound `creator.not_found`, Invalid `id.malformed`."""
        state, band = await self._known(checked_id(creator_id))
        return Evidence(
            growth=growth_of(await self._followers(creator_id)),
            engagement=_engagement(state, band),
            geography=_geography(state),
        )

    async def _known(self, creator_id: str) -> tuple[State, Band | None]:
        async with self._app.database.reading() as connection:
            found = await connection.execute(sa.select(CREATORS.c.state).where(CREATORS.c.creator_id == creator_id))
            stored = found.scalar_one_or_none()
            if stored is None:
                raise NotFound("creator.not_found")
            state = adapter(State).validate_json(stored)
            categories = state.profile.categories if state.profile else ()
            tier = tier_of(state.largest_followers()).value
            return state, await band_of(connection, creator_id, tier, categories)

    async def _followers(self, creator_id: str) -> Sequence[tuple[datetime, int]]:
        """Measured counts of the account that has most followers now, each day's last, in order."""
        newest = StreamSpan(EVENTS, falling=True)
        stored = await self._app.log.read_stream(stream_id("creator", creator_id), newest, opened=False)
        service = self._app.service
        events = [incoming_of(service.name, one, service.codec).event for one in reversed(stored)]
        counts: list[Followers] = []
        for event in events:
            if isinstance(event, AccountLinked):
                counts = [one for one in counts if one.platform is not event.account.platform]
            elif isinstance(event, FollowersReported) and event.followers.provenance is not Provenance.MANUAL:
                counts.append(event.followers)
        if not counts:
            return ()
        largest = max({one.platform: one for one in counts}.values(), key=lambda one: (one.count, one.platform))
        of_account = {one.observed_at.date(): one for one in counts if one.platform is largest.platform}
        return sorted((one.observed_at, one.count) for one in of_account.values())


def _engagement(state: State, band: Band | None) -> Engagement | None:
    """The most read measured cell of 30 days, as in the search."""
    measured = [one for one in state.performance if one.provenance is not Provenance.MANUAL and one.reads > 0]
    cells = [one for one in measured if one.window_days == WINDOW_DAYS]
    if band is None or not cells:
        return None
    best = max(cells, key=lambda one: (one.reads, one.format))
    return Engagement(best.engagements * 10_000 // best.reads, band.low_bps, band.high_bps, band.peers, band.name)


def _geography(state: State) -> Geography | None:
    """By the audience report with the largest sample that names countries."""
    country = state.profile.country if state.profile else ""
    reports = [one for one in state.audiences if one.provenance is not Provenance.MANUAL]
    for report in sorted(reports, key=lambda one: -one.sample_size):
        told = _countries(report)
        known = sum(told.values())
        sample = report.sample_size * known // 10_000
        if country and sample >= SAMPLE:
            return Geography(sample, 10_000 * (known - told.get(country, 0)) // known, country)
    return None


def _countries(report: Audience) -> dict[str, int]:
    """Shares by country, of places that are written as a country or begin with one."""
    found: dict[str, int] = {}
    for share in report.locations:
        country = share.name.partition("/")[0]
        if country in countries():
            found[country] = found.get(country, 0) + share.bps
    return found
