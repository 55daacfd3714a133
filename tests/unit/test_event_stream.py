"""Streaming queries as server-sent events: each message is one, what ends the stream is the last, and places are its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kernel.core.clock import system_clock
from kernel.edge.admission import Admission
from kernel.edge.tokens.claims import Revoked
from kernel.edge.transcoding import event_stream
from tests.kit.creators_over_http import Creators, served
from tests.kit.until import until, within


@pytest.fixture
async def serving(tmp_path: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Creators, Admission]]:
    async with served(tmp_path) as made:
        yield made


@pytest.fixture
def client(serving: tuple[httpx.AsyncClient, Creators, Admission]) -> httpx.AsyncClient:
    return serving[0]


@pytest.fixture
def admission(serving: tuple[httpx.AsyncClient, Creators, Admission]) -> Admission:
    return serving[2]


def events(text: str) -> list[str]:
    return [one for one in text.split("\n\n") if one and not one.startswith(("retry:", ":"))]


async def test_messages_are_events_and_what_ends_the_stream_is_the_last_one(client: httpx.AsyncClient) -> None:
    async with within(30):
        done = await client.get("/watch/creators/ends?fields=creator.version")
        assert done.headers["content-type"].startswith("text/event-stream")
        assert events(done.text) == ['data: {"creator":{"version":"1"}}', 'data: {"creator":{"version":"2"}}']
        failed = events((await client.get("/watch/creators/fails")).text)[-1]
        assert failed.startswith("event: problem\ndata: {")
        assert '"code":"creator.gone"' in failed
        broken = events((await client.get("/watch/creators/breaks")).text)[-1]
        assert '"code":"internal"' in broken
        assert "secret" not in broken
        over = events((await client.get("/watch/creators/waits", headers={"Grpc-Timeout": "200m"})).text)
        assert len(over) == 3
        assert '"code":"deadline.exceeded"' in over[-1]


async def test_what_fails_before_the_first_message_is_a_plain_problem(client: httpx.AsyncClient) -> None:
    async with within(30):
        missing = await client.get("/watch/creators/nobody")
        assert (missing.status_code, missing.json()["code"]) == (404, "creator.unknown")
        assert (await client.get("/watch/creators/x", headers={"Authorization": "Bearer x"})).status_code == 401
        head = await client.head("/watch/creators/waits")
        assert (head.status_code, head.content) == (200, b"")


async def test_a_silent_stream_is_kept_open(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "BEAT_S", 0.02)
    async with within(30):
        told = await client.get("/watch/creators/waits", headers={"Grpc-Timeout": "300m"})
    assert ": nothing new\n\n" in told.text


async def test_a_stream_takes_a_place_of_its_own_and_ends_with_the_server(
    client: httpx.AsyncClient, admission: Admission
) -> None:
    watching = asyncio.create_task(client.get("/watch/creators/waits"))

    async def is_open() -> bool:
        return len(admission.open.open) == 1

    async with within(30):
        await until(is_open)
        assert (admission.streams.count, admission.calls.count) == (1, 0)
        second = await client.get("/watch/creators/waits")
        assert (second.status_code, second.json()["code"]) == (429, "streams.exhausted")
        assert (await client.get("/creators/x")).status_code == 200
        admission.open.end_all()
        assert '"code":"server.stopping"' in events((await watching).text)[-1]
        assert (await client.get("/watch/creators/waits")).json()["code"] == "server.stopping"
    assert admission.streams.count == 0


async def test_a_stream_ends_with_its_token(client: httpx.AsyncClient, admission: Admission) -> None:
    watching = asyncio.create_task(client.get("/watch/creators/waits"))

    async def is_open() -> bool:
        return len(admission.open.open) == 1

    async with within(30):
        await until(is_open)
        admission.verifier.revoke(Revoked(subjects={"ann": system_clock().timestamp() + 1}))
        assert '"code":"token.revoked"' in events((await watching).text)[-1]
    assert (await client.get("/watch/creators/waits")).status_code == 401
