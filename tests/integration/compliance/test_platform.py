"""The platform's port against the sandbox platform: what is published there is seen here."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.app import make_sandbox
from sandbox.settings import SandboxSettings
from services.compliance.ports import HttpPlatform, Seen


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    sandbox = make_sandbox(SandboxSettings(platform_busy_bps=0, stripped_bps=0))
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test") as made:
        yield made


async def test_a_post_is_seen_as_it_stands(client: httpx.AsyncClient) -> None:
    platform = HttpPlatform("", client)
    post = {"post_id": "p-1", "author": "cleo", "text": "广告 好用", "title": "周末", "label": "广告"}
    assert (await client.post("/platform/posts", json=post)).status_code == 201
    assert await platform.look("xiaohongshu", "p-1", "look-1") == Seen("广告 好用", "周末", "广告", author_id="cleo")
    await client.patch("/platform/posts/p-1", json={"text": "好用", "label": ""})
    assert await platform.look("xiaohongshu", "p-1", "look-2") == Seen("好用", "周末", "", author_id="cleo")
    await client.delete("/platform/posts/p-1")
    assert await platform.look("xiaohongshu", "p-1", "look-3") is None


async def test_a_post_that_never_was_is_gone(client: httpx.AsyncClient) -> None:
    assert await HttpPlatform("", client).look("xiaohongshu", "nobody's", "look-1") is None
