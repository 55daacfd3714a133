"""Anomalies on the page: found in the stream of the platform, told in words, seen by the parties alone."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import orjson
import pytest

from cli.commands.demo import address_of
from cli.story.market import OPERATOR, Market
from kernel.core.clock import system_clock
from kernel.core.ids import new_id
from tests.kit.console import OpenConsole
from tests.kit.pages import opened
from tests.kit.until import until

LIKES = 500


@pytest.mark.parametrize("name", ["brand", "creator", "operator", "auditor", "finance", "other-brand"])
async def test_everybody_may_look(console: OpenConsole, name: str) -> None:
    async with console.visitor(name) as visitor:
        assert (await visitor.get("/anomalies")).status_code == 200
        assert (await visitor.get("/anomalies", params={"kind": "boom"})).status_code == 200
        assert "/anomalies" in (await opened(visitor, "/performance")).links


def content_of(console: OpenConsole) -> tuple[str, str]:
    """A content of the brand, and its campaign."""
    with closing(sqlite3.connect(console.layout.folder / "metrics.db")) as database:
        query = "SELECT content_id, campaign_id FROM contents WHERE brand_id = ?"
        content_id, campaign_id = database.execute(query, (console.cast["brand"].tenant,)).fetchone()
    return str(content_id), str(campaign_id)


def liked(content_id: str, at: datetime) -> bytes:
    """Many likes within half a second, each by itself."""
    times = [(at + timedelta(milliseconds=number)).isoformat() for number in range(LIKES)]
    told = {"content_id": [content_id] * LIKES, "metric": ["likes"] * LIKES, "value": [1] * LIKES}
    return orjson.dumps({"columns": told | {"observed_at": times}})


async def test_what_the_stream_finds_is_told_to_its_parties(console: OpenConsole) -> None:
    content_id, campaign_id = content_of(console)
    at = system_clock().replace(second=1, microsecond=0) - timedelta(minutes=1)
    async with Market(address_of(console.layout)) as market:
        body = liked(content_id, at)
        await market.send("metrics", "POST", "/engagement", OPERATOR, body, "application/json", new_id())

    async def told() -> bool:
        async with console.visitor("brand") as brand:
            return "in one second, where" in (await opened(brand, "/anomalies?kind=coordinated")).text

    await until(told, 60)
    async with console.visitor("auditor", "zh-CN") as auditor:
        shown = await opened(auditor, f"/anomalies?campaign_id={campaign_id}")
        assert "集中操作" in shown.text
        assert "coordinated@1" in shown.text
        assert f"/performance/{campaign_id}/contents/{content_id}" in shown.links
        assert "coordinated@1" not in (await opened(auditor, f"/anomalies?campaign_id={new_id()}")).text
    async with console.visitor("other-brand") as stranger:
        assert "coordinated@1" not in (await opened(stranger, "/anomalies")).text
