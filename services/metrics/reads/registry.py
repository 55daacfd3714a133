"""What belongs to whom, for the edges that take commands: contents by id, links by code.

Contents never change owner, so what was read once is kept; one that is not known yet may be on its way here from
campaigns, and is waited for a bounded time.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.adapters.database import Database
from kernel.core.decider import Actor
from kernel.core.faults import Invalid, NotFound
from kernel.core.ids import checked_id
from kernel.runtime.wakeup import Wakeup, wait
from services.metrics.domain.attribution import Placement
from services.metrics.domain.link.link import LinkCode
from services.metrics.domain.order.events import Why
from services.metrics.tables import CONTENTS

KEPT = 100_000
ASKED_AT_ONCE = 1_000
WAIT_LIMIT_S = 3.0
LINK_KEPT_S = 5.0
"""A link that has ended sends nobody on any longer than this."""
STAFF = frozenset({"operator", "system"})


@dataclass(frozen=True, slots=True)
class Known:
    """A content's place in the market; `platform` as a word."""

    placement: Placement
    brand_id: str
    platform: str

    def concerns(self, tenant: str) -> bool:
        return tenant in (self.brand_id, self.placement.creator_id)


@dataclass(slots=True)
class Registry:
    """Contents and links, cached (bounded). `progress` wakes who waits for a content to become known."""

    database: Database
    progress: Wakeup
    contents: dict[str, Known] = field(default_factory=dict)
    links: dict[str, tuple[LinkCode, float]] = field(default_factory=dict)

    async def placement(self, content_id: str, brand_id: str) -> Placement:
        """Of a brand's own content; raises NotFound `deliverable.not_found` for any other."""
        known = (await self._waited({content_id}, brand_id)).get(content_id)
        if known is None or known.brand_id != brand_id:
            raise NotFound("deliverable.not_found", deliverable_id=content_id)
        return known.placement

    async def reported(self, value: str, brand_id: str) -> tuple[Placement | None, Why | None]:
        """The placement of a deliverable that a store reports, or why it is none: evidence, whatever it looks like."""
        try:
            return await self.placement(checked_id(value.strip().lower()), brand_id), None
        except Invalid:
            return None, Why.MALFORMED
        except NotFound:
            return None, Why.UNKNOWN

    async def observed(self, content_ids: Iterable[str], actor: Actor) -> dict[str, Known]:
        """Contents whose numbers the actor may send: staff any, also unknown ones; a brand or creator its own.

        Raises NotFound `content.not_found` naming the first that is not the actor's.
        """
        wanted = set(content_ids)
        if actor.roles & STAFF:
            return await self._load(wanted)
        found = await self._waited(wanted, actor.tenant)
        for content_id in sorted(wanted):
            if content_id not in found:
                raise NotFound("content.not_found", content_id=content_id)
        return found

    async def link(self, code: str) -> LinkCode:
        """As of some seconds ago at most. Raises NotFound `link.unknown_code`, or `link.ended` for one that leads nowhere."""
        link, until = self.links.get(code, (None, 0.0))
        now = asyncio.get_running_loop().time()
        if link is None or now >= until:
            _trim(self.links)
            link = await self._read_link(code)
            self.links[code] = link, now + LINK_KEPT_S
        if not link.target_url:
            raise NotFound("link.ended")
        return link

    async def _read_link(self, code: str) -> LinkCode:
        table = self.database.metadata.tables["link_codes"]
        async with self.database.reading() as connection:
            row = (await connection.execute(sa.select(table).where(table.c.code == code))).mappings().first()
        if row is None:
            raise NotFound("link.unknown_code")
        return LinkCode(**row)

    async def newest_click(self, link_id: str, click_ids: Sequence[str], since: datetime) -> str:
        """The newest of these clicks that was on the link, at `since` or later; "" when none was."""
        clicks = self.database.metadata.tables["clicks"].c
        wanted = clicks.click_id.in_(click_ids) & (clicks.link_id == link_id) & (clicks.clicked_at >= since)
        query = sa.select(clicks.click_id).where(wanted).order_by(clicks.clicked_at.desc()).limit(1)
        async with self.database.reading() as connection:
            return (await connection.execute(query)).scalar() or ""

    async def _waited(self, wanted: set[str], tenant: str) -> dict[str, Known]:
        """The tenant's own contents among `wanted`, as far as they are known within the time limit.

        `wanted` is read in parts of ASKED_AT_ONCE, and the first part with a content that is not the tenant's is the last: a
        batch of 100,000 unknown contents costs one part. A content of others is read and waited for like one that is not
        there, and is served from no cache: neither the time nor the queries tell the two apart.
        """
        ordered, found = sorted(wanted), dict[str, Known]()
        until = asyncio.get_running_loop().time() + WAIT_LIMIT_S
        for start in range(0, len(ordered), ASKED_AT_ONCE):
            asked = set(ordered[start : start + ASKED_AT_ONCE])
            owned = await self._waited_for(asked, tenant, until)
            found |= owned
            if len(owned) < len(asked):
                break
        return found

    async def _waited_for(self, wanted: set[str], tenant: str, until: float) -> dict[str, Known]:
        woken = self.progress.listen()
        loop = asyncio.get_running_loop()
        try:
            while True:
                woken.clear()
                found = await self._owned(wanted, tenant)
                if len(found) == len(wanted) or loop.time() >= until:
                    return found
                await wait(woken, min(0.1, until - loop.time()))
        finally:
            self.progress.leave(woken)

    async def _owned(self, wanted: set[str], tenant: str) -> dict[str, Known]:
        mine = {one for one in wanted if one in self.contents and self.contents[one].concerns(tenant)}
        await self._read_all(sorted(wanted - mine))
        known = {one: self.contents[one] for one in wanted if one in self.contents}
        return {content_id: one for content_id, one in known.items() if one.concerns(tenant)}

    async def _load(self, wanted: set[str]) -> dict[str, Known]:
        await self._read_all(sorted(wanted - self.contents.keys()))
        return {content_id: self.contents[content_id] for content_id in wanted if content_id in self.contents}

    async def _read_all(self, content_ids: list[str]) -> None:
        for start in range(0, len(content_ids), ASKED_AT_ONCE):
            await self._read(content_ids[start : start + ASKED_AT_ONCE])

    async def _read(self, content_ids: list[str]) -> None:
        _trim(self.contents)
        async with self.database.reading() as connection:
            rows = await connection.execute(sa.select(CONTENTS).where(CONTENTS.c.content_id.in_(content_ids)))
            for row in rows:
                placement = Placement(row.campaign_id, row.collaboration_id, row.content_id, row.creator_id)
                self.contents[row.content_id] = Known(placement, row.brand_id, row.platform)


def _trim(kept: dict[str, Any]) -> None:
    """Starts anew when full: simpler than an order of use, and as rare."""
    if len(kept) >= KEPT:
        kept.clear()
