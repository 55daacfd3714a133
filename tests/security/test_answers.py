"""Answers from outside: done, final or later; and ids that are put into addresses there."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from kernel.core.faults import Invalid, Poison, Unavailable
from kernel.core.ids import path_segment
from services.campaigns.domain.shared.content_events import ContentPublished
from services.compliance.ports import HttpPlatform, Seen, Unreadable
from services.ledger.domain.events import TransferKind
from services.ledger.ports import HttpProvider
from tests.unit.campaigns.working import APPROVED, publish, run


@pytest.mark.parametrize("post_id", [".", "..", "a/b", "%2e", "a?b", "a#b", "a b", "a\\b", "é", "p" * 101, "\u2024"])
def test_an_id_that_is_no_segment_of_an_address_is_no_post(post_id: str) -> None:
    run(APPROVED, publish(post_id), "content.post_id_malformed")


@pytest.mark.parametrize(
    "post_id", ["p1", "7234567890123456789", "64f0c2d3000000001e02b7aa", "post-018f3a10-0000-7000"]
)
def test_an_id_as_platforms_write_them_is_one(post_id: str) -> None:
    run(APPROVED, publish(post_id), [ContentPublished])


def test_a_segment_of_an_address_is_encoded_and_never_a_step() -> None:
    assert path_segment("a/../b?c#d%2e") == "a%2F..%2Fb%3Fc%23d%252e"
    for step in ("", ".", "..", "a\n"):
        with pytest.raises(Invalid):
            path_segment(step)


def asked(respond: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(respond), base_url="http://outside.test")


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        pytest.param(httpx.Response(200, json={"text": "t"}), Seen("t"), id="done"),
        pytest.param(httpx.Response(404), None, id="gone"),
        pytest.param(httpx.Response(405), Unreadable("platform.refused_405"), id="refused"),
        pytest.param(httpx.Response(200, content=b"<html>"), Unreadable("platform.answer_malformed"), id="no_json"),
        pytest.param(httpx.Response(200, json={"text": 5}), Unreadable("platform.answer_malformed"), id="no_text"),
        pytest.param(httpx.Response(204), Unreadable("platform.refused_204"), id="empty"),
        pytest.param(
            httpx.Response(200, content=b" " * 1_000_001), Unreadable("platform.answer_too_large"), id="too_large"
        ),
    ],
)
async def test_an_answer_of_the_platform_is_a_verdict(answer: httpx.Response, seen: object) -> None:
    assert await HttpPlatform("", asked(lambda _: answer)).look("weibo", "p1", "look-1") == seen


@pytest.mark.parametrize("status", [301, 401, 403, 408, 429, 500, 503])
async def test_a_platform_that_cannot_tell_now_is_asked_later(status: int) -> None:
    with pytest.raises(Unavailable):
        await HttpPlatform("", asked(lambda _: httpx.Response(status))).look("weibo", "p1", "look-1")


async def test_a_stored_id_that_is_a_step_asks_for_no_other_address() -> None:
    paths: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        return httpx.Response(404)

    platform = HttpPlatform("", asked(respond))
    for step in (".", "..", ""):
        assert await platform.look("weibo", step, "look-1") == Unreadable("platform.post_id_malformed")
    await platform.look("weibo", "a/../b", "look-1")
    assert paths == ["/platform/posts/a%2F..%2Fb"]


async def test_an_answer_that_is_far_too_large_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 65_536

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless())

    platform = HttpPlatform("", asked(respond))
    assert await platform.look("weibo", "p1", "look-1") == Unreadable("platform.answer_too_large")
    provider = HttpProvider("http://outside.test", lambda: "key", httpx.MockTransport(respond))
    with pytest.raises(Poison, match=r"provider\.nonsense"):
        await provider.find(TransferKind.PAYOUT, "01890a5d-ac96-774b-bcce-b302099a8057")
    assert sent < 40


PAID = {"reference": "01890a5d-ac96-774b-bcce-b302099a8057", "kind": "payout", "status": "succeeded"}
PACKED = gzip.compress(json.dumps(PAID).encode())
"""A verdict that would be taken unpacked: what was asked for was not packed."""


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(httpx.Response(400), Poison, id="refused"),
        pytest.param(httpx.Response(200, content=b"{}"), Poison, id="malformed"),
        pytest.param(httpx.Response(200, content=PACKED, headers={"Content-Encoding": "gzip"}), Poison, id="packed"),
        pytest.param(httpx.Response(503), Unavailable, id="later"),
        pytest.param(httpx.Response(429), Unavailable, id="pace"),
    ],
)
async def test_an_answer_of_the_provider_is_a_verdict(answer: httpx.Response, error: type[Exception]) -> None:
    provider = HttpProvider("http://outside.test", lambda: "key", httpx.MockTransport(lambda _: answer))
    with pytest.raises(error):
        await provider.find(TransferKind.PAYOUT, "01890a5d-ac96-774b-bcce-b302099a8057")
