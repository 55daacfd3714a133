"""A stranger's body is not read: who calls is asked before the first byte of it, and refused by the usual problem."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kernel.core.decider import Meta
from kernel.edge.admission import AdmissionLimits
from kernel.edge.limits import Rate
from kernel.edge.tokens.dev_issuer import Issuer
from tests.kit.issuing import ACME
from tests.kit.notes import ENDLESS, GOOD, ID, make_app

PATH = f"/notes/{ID}"


class Sending:
    """A body that counts what is read of it."""

    def __init__(self, body: object = GOOD) -> None:
        self.parts, self.read = (
            [json.dumps(body).encode()[at : at + 20] for at in range(0, len(json.dumps(body)), 20)],
            0,
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            self.read += 1
            yield part


class Client:
    """The app, and a caller with a token or without."""

    def __init__(self, folder: Path, issuer: Issuer, limits: AdmissionLimits | None = None) -> None:
        self.metas: list[Meta] = []
        self.app, self.issuer = make_app(folder, self.metas, limits), issuer

    async def send(self, sending: Sending, token: str, path: str = PATH, method: str = "PUT") -> httpx.Response:
        headers = {"Idempotency-Key": "key-0001", "Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://notes.test") as client:
            return await client.request(method, path, headers=headers, content=sending)


@pytest.fixture
def client(tmp_path: Path, issuer: Issuer) -> Client:
    return Client(tmp_path, issuer)


@pytest.mark.parametrize(("token", "code"), [("", "token.missing"), ("a.b.c", "token.malformed")])
async def test_nothing_of_a_strangers_body_is_read(client: Client, token: str, code: str) -> None:
    sending = Sending()
    answer = await client.send(sending, token)
    assert (answer.status_code, answer.json()["code"], sending.read) == (401, code, 0)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Bearer" in answer.headers["www-authenticate"]


async def test_a_callers_body_is_read_whole_and_the_token_is_taken_once(tmp_path: Path, issuer: Issuer) -> None:
    client = Client(tmp_path, issuer, AdmissionLimits(Rate(0.001, 2), ENDLESS))
    sending = Sending()
    answer = await client.send(sending, issuer.issue("ann", ACME, "brand"))
    assert (answer.status_code, sending.read) == (201, len(sending.parts))
    assert [meta.actor.id for meta in client.metas] == ["ann"]
    assert "r=1;" in answer.headers["ratelimit"], "one request of two, though the token was asked for twice"


async def test_a_caller_over_its_rate_is_refused_before_its_body(tmp_path: Path, issuer: Issuer) -> None:
    client, token = (
        Client(tmp_path, issuer, AdmissionLimits(Rate(0.001, 1), ENDLESS)),
        issuer.issue("ann", ACME, "brand"),
    )
    assert (await client.send(Sending(), token)).status_code == 201
    sending = Sending()
    answer = await client.send(sending, token)
    assert (answer.status_code, answer.json()["code"], sending.read) == (429, "rate.exhausted", 0)
    assert "retry-after" in answer.headers


async def test_a_malformed_body_is_a_strangers_secret(client: Client) -> None:
    """Its fields are judged for callers only."""
    assert (await client.send(Sending({"title": 7}), "")).status_code == 401
    answer = await client.send(Sending({"title": 7}), client.issuer.issue("ann", ACME, "brand"))
    assert answer.status_code == 422


async def test_a_route_without_a_caller_reads_its_body(client: Client) -> None:
    sending: Any = Sending({"a": 1})
    answer = await client.send(sending, "", "/ingest/rows", "POST")
    assert (answer.status_code, sending.read) == (200, len(sending.parts))
