"""Work that waits for a person, on a platform that has told its story: a review that no rule decides, an agreement in dispute."""

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from cli.commands.demo import address_of
from cli.layout import Layout
from cli.story.market import Market, Unexpected, Who
from cli.story.plan import SEEDING
from kernel.core.ids import new_id
from tests.kit.until import until

DOUBTFUL = "广告 这是首选的精华"
"""Blocked by no rule, but a person has to look."""


@dataclass(frozen=True)
class Work:
    """A gift that is agreed, sent and received; its one deliverable is open."""

    collaboration_id: str
    deliverable_id: str
    brand: Who
    creator: Who


async def agreed(layout: Layout) -> Work:
    """A new campaign of the first brand, and a creator of its first one who is in it."""
    creator = Who(
        "chen", _one(layout, "SELECT creator_id FROM collaborations WHERE campaign_id = ?", SEEDING.id), "creator"
    )
    deal = replace(SEEDING, name="waiting", story=(new_id(),))
    async with Market(address_of(layout)) as market:
        body = {"brief": deal.brief, "terms": {"clocks": deal.clocks}}
        await market.do("campaigns", "PUT", f"/campaigns/{deal.id}", deal.brand, body)
        await market.do("campaigns", "POST", f"/campaigns/{deal.id}/publish", deal.brand)
        fees = {"fees_minor": [0]}
        receipt = await market.do("campaigns", "POST", f"/campaigns/{deal.id}/apply", creator, fees)
        id_ = str(receipt["stream"]).partition("-")[2]
        await market.do("campaigns", "POST", f"/applications/{id_}/accept", deal.brand, {"brief_version": 1})
        path, sent = f"/collaborations/{id_}", {"carrier": "SF Express", "tracking": "SF1"}
        await once(lambda: market.do("campaigns", "POST", f"{path}/send-product", deal.brand, sent))
        await once(lambda: market.do("campaigns", "POST", f"{path}/receive-product", creator))
    return Work(
        id_,
        _one(layout, "SELECT deliverable_id FROM deliverables WHERE collaboration_id = ?", id_),
        deal.brand,
        creator,
    )


async def waiting_review(layout: Layout) -> str:
    """Id of a review that waits for a reviewer."""
    work, id_ = await agreed(layout), new_id()
    async with Market(address_of(layout)) as market:
        content = {"title": "精华", "text": DOUBTFUL, "tags": ["护肤"], "links": [], "evidence": []}
        body = {"deliverable_id": work.deliverable_id, "submission_id": id_, "stage": "draft", "content": content}
        await market.do("campaigns", "POST", f"/collaborations/{work.collaboration_id}/submit", work.creator, body)

    async def waits() -> bool:
        with sqlite3.connect(layout.folder / "compliance.db") as database:
            found = database.execute("SELECT verdict FROM reviews WHERE review_id = ?", (id_,)).fetchone()
        return bool(found) and found[0] == "needs_human"

    await until(waits)
    return id_


async def disputed(layout: Layout) -> str:
    """Id of a collaboration whose brand has opened a dispute."""
    work = await agreed(layout)
    async with Market(address_of(layout)) as market:
        path = f"/collaborations/{work.collaboration_id}/open-dispute"
        await market.do("campaigns", "POST", path, work.brand, {"reason": "content.late"})
    return work.collaboration_id


async def once(act: Callable[[], Awaitable[object]]) -> None:
    """Does it as soon as what comes before has happened."""

    async def done() -> bool:
        try:
            await act()
        except Unexpected:
            return False
        return True

    await until(done)


def _one(layout: Layout, query: str, key: str) -> str:
    with sqlite3.connect(layout.folder / "campaigns.db") as database:
        return str(database.execute(query, (key,)).fetchone()[0])
