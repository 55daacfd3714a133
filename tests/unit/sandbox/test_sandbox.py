"""The stand-ins behave like the world outside: asynchronous, at times unkind, and the same in every run with one seed."""

import asyncio
import base64
import csv
import io
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from sandbox.__main__ import main
from sandbox.app import Sandbox, make_sandbox
from sandbox.bounded import Bounded
from sandbox.chance import Chance
from sandbox.settings import SandboxSettings
from sandbox.store import Store
from sandbox.webhooks import sign

CALM: dict[str, Any] = dict.fromkeys(
    ["busy_bps", "lost_answer_bps", "lost_webhook_bps", "duplicated_bps", "early_bps", "delay_ms", "platform_busy_bps"],
    0,
)
KEY = {"Authorization": "Bearer sandbox"}


class Receiver(httpx.AsyncBaseTransport):
    """Where webhooks go: remembers them, refuses the first `refuse`."""

    def __init__(self, refuse: int = 0) -> None:
        self.refuse, self.got = refuse, list[httpx.Request]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.got.append(request)
        return httpx.Response(500 if len(self.got) <= self.refuse else 200)

    def types(self) -> list[str]:
        return [json.loads(request.content)["type"] for request in self.got]


@asynccontextmanager
async def world(receiver: Receiver | None = None, **changes: Any) -> AsyncIterator[tuple[httpx.AsyncClient, Sandbox]]:
    sandbox = make_sandbox(SandboxSettings(**{**CALM, "seed": "s", **changes}), receiver or Receiver())
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.test", headers=KEY) as client:
        yield client, sandbox
    await sandbox.close()


async def ask(client: httpx.AsyncClient, reference: str, kinds: str = "charges", **changes: Any) -> httpx.Response:
    body = {"reference": reference, "amount_minor": 10_000, "currency": "CNY", "instrument": "tok", **changes}
    return await client.post(f"/psp/{kinds}", json=body, headers={"Idempotency-Key": reference})


async def told(sandbox: Sandbox) -> None:
    await sandbox.psp.decided()
    await sandbox.sender.settled()


@pytest.mark.parametrize(
    ("kinds", "instrument", "status", "fee"),
    [
        ("charges", "tok", "succeeded", 60), ("charges", "tok_declined_1", "failed", 60),
        ("payouts", "acct", "succeeded", 100), ("refunds", "tok", "succeeded", 100),
    ],
)  # fmt: skip
async def test_a_transfer_is_decided_later_and_told(kinds: str, instrument: str, status: str, fee: int) -> None:
    receiver = Receiver()
    async with world(receiver) as (client, sandbox):
        answer = await ask(client, "ref-00001", kinds, instrument=instrument)
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        await told(sandbox)
        found = (await client.get(f"/psp/{kinds}/ref-00001")).json()
        assert (found["status"], found["fee_minor"], found["amount_minor"]) == (status, fee, 10_000)
        assert receiver.types() == [f"{kinds[:-1]}.pending", f"{kinds[:-1]}.{status}"]


async def test_webhooks_are_signed_over_their_raw_body() -> None:
    receiver = Receiver()
    async with world(receiver) as (client, sandbox):
        await ask(client, "ref-00001")
        await told(sandbox)
    for request in receiver.got:
        id_, stamp = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
        expected = sign(SandboxSettings().webhook_secret, id_, stamp, request.content)
        assert request.headers["webhook-signature"] == expected["webhook-signature"]


def test_the_published_test_vector_is_signed_the_same() -> None:
    headers = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert len(base64.b64decode(headers["webhook-signature"][3:])) == 32


async def test_the_same_reference_is_one_transfer() -> None:
    async with world() as (client, sandbox):
        first = await ask(client, "ref-00001")
        again = await asyncio.gather(*[ask(client, "ref-00001") for _ in range(5)])
        assert {answer.json()["provider_ref"] for answer in again} == {first.json()["provider_ref"]}
        assert (await ask(client, "ref-00001", amount_minor=1)).status_code == 409
        await told(sandbox)


async def test_a_busy_provider_did_nothing_and_a_lost_answer_did_it() -> None:
    async with world(busy_bps=10_000) as (client, _):
        assert (await ask(client, "ref-00001")).status_code == 503
        assert (await client.get("/psp/charges/ref-00001")).status_code == 404
        assert (await ask(client, "ref-00001")).status_code == 202
    async with world(lost_answer_bps=10_000) as (client, _):
        assert (await ask(client, "ref-00001")).status_code == 504
        assert (await client.get("/psp/charges/ref-00001")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "types"),
    [
        ({"early_bps": 10_000}, ["charge.succeeded", "charge.pending"]),
        ({"duplicated_bps": 10_000}, ["charge.pending", "charge.succeeded", "charge.succeeded"]),
        ({"lost_webhook_bps": 10_000}, []),
    ],
)
async def test_webhooks_come_out_of_order_twice_or_never(changes: dict[str, int], types: list[str]) -> None:
    receiver = Receiver()
    async with world(receiver, delay_ms=40, **changes) as (client, sandbox):
        await ask(client, "ref-00001")
        await told(sandbox)
    assert receiver.types() == types


async def test_a_receiver_that_fails_is_tried_again_with_the_same_id() -> None:
    receiver = Receiver(refuse=1)
    async with world(receiver) as (client, sandbox):
        await ask(client, "ref-00001")
        await told(sandbox)
    ids = [request.headers["webhook-id"] for request in receiver.got]
    assert len(ids) == 3
    assert len(set(ids)) == 2


async def test_a_settlement_holds_each_succeeded_charge_once() -> None:
    async with world() as (client, sandbox):
        for reference, instrument in [("ref-00001", "tok"), ("ref-00002", "tok_declined"), ("ref-00003", "tok")]:
            await ask(client, reference, instrument=instrument)
        await told(sandbox)
        batch = (await client.post("/psp/settlements")).json()["batch"]
        rows = list(csv.DictReader(io.StringIO((await client.get(f"/psp/settlements/{batch}")).text)))
        assert [(row["line"], row["reference"], row["net_minor"]) for row in rows] == [
            ("1", "ref-00001", "9940"), ("2", "ref-00003", "9940"),
        ]  # fmt: skip
        empty = (await client.post("/psp/settlements")).json()["batch"]
        assert len((await client.get(f"/psp/settlements/{empty}")).text.splitlines()) == 1
        assert (await client.get("/psp/settlements/none")).status_code == 404


async def test_a_settlement_holds_what_went_out_what_came_back_and_every_fee() -> None:
    async with world() as (client, sandbox):
        await ask(client, "ref-00001")
        await ask(client, "ref-00002", instrument="tok_returned")
        await ask(client, "ref-00003", instrument="tok_disputed")
        await ask(client, "pay-00001", kinds="payouts")
        await ask(client, "pay-00002", kinds="payouts", instrument="tok_returned")
        await ask(client, "back-0001", kinds="refunds")
        await ask(client, "back-0002", kinds="refunds", instrument="tok_declined")
        await told(sandbox)
        batch = (await client.post("/psp/settlements")).json()["batch"]
        rows = list(csv.DictReader(io.StringIO((await client.get(f"/psp/settlements/{batch}")).text)))
        said = sorted((row["reference"], int(row["gross_minor"]), int(row["fee_minor"])) for row in rows)
        assert said == [
            ("back-0001", -10_000, 100), ("pay-00001", -10_000, 100), ("pay-00002", -10_000, 100),
            ("pay-00002", 10_000, 0), ("ref-00001", 10_000, 60), ("ref-00002", -10_000, 0), ("ref-00002", 10_000, 60),
            ("ref-00003", -10_000, 1_500), ("ref-00003", 10_000, 60),
        ]  # fmt: skip
        assert len({(row["batch"], row["line"]) for row in rows}) == len(rows)
        empty = (await client.post("/psp/settlements")).json()["batch"]
        assert len((await client.get(f"/psp/settlements/{empty}")).text.splitlines()) == 1


async def test_the_provider_asks_for_its_key_and_for_sense() -> None:
    async with world() as (client, _):
        assert (await client.get("/psp/charges/x", headers={"Authorization": "Bearer no"})).status_code == 401
        for changes in ({"amount_minor": 0}, {"amount_minor": "1"}, {"currency": "cny"}, {"more": 1}):
            assert (await ask(client, "ref-00001", **changes)).status_code == 422
        body = {"reference": "ref-00001", "amount_minor": 1, "currency": "CNY", "instrument": "t"}
        wrong = await client.post("/psp/charges", json=body, headers={"Idempotency-Key": "another-1"})
        assert wrong.status_code == 422


async def test_a_post_lives_changes_and_goes() -> None:
    post = {"post_id": "p-1", "author": "cai", "text": "#ad new cream", "title": "t", "label": "广告"}
    async with world() as (client, _):
        assert (await client.post("/platform/posts", json=post)).status_code == 201
        assert (await client.post("/platform/posts", json=post)).status_code == 201
        assert (await client.post("/platform/posts", json={**post, "text": "x"})).status_code == 409
        seen = (await client.get("/platform/posts/p-1")).json()
        assert (seen["text"], seen["label"], seen["revision"]) == ("#ad new cream", "广告", 1)
        await client.patch("/platform/posts/p-1", json={"text": "new cream", "label": ""})
        seen = (await client.get("/platform/posts/p-1")).json()
        assert (seen["text"], seen["label"], seen["title"], seen["revision"]) == ("new cream", "", "t", 2)
        assert (await client.delete("/platform/posts/p-1")).status_code == 204
        assert (await client.get("/platform/posts/p-1")).status_code == 410
        assert (await client.get("/platform/posts/p-2")).status_code == 404


async def test_a_platform_is_busy_once_and_may_lose_a_label() -> None:
    post = {"post_id": "p-1", "author": "cai", "text": "x", "label": "广告"}
    async with world(platform_busy_bps=10_000, stripped_bps=10_000) as (client, _):
        await client.post("/platform/posts", json=post)
        assert (await client.get("/platform/posts/p-1")).status_code == 503
        assert (await client.get("/platform/posts/p-1")).json()["label"] == ""


def test_fate_follows_from_seed_and_reference_alone() -> None:
    drawn = [Chance("a").hits(f"ref-{n}", "busy", 2_500) for n in range(2_000)]
    assert drawn == [Chance("a").hits(f"ref-{n}", "busy", 2_500) for n in range(2_000)]
    assert drawn != [Chance("b").hits(f"ref-{n}", "busy", 2_500) for n in range(2_000)]
    assert 400 < sum(drawn) < 600


def test_memory_is_bounded() -> None:
    kept: Bounded[int] = Bounded(3)
    for number in range(10):
        kept.put(str(number), number)
    assert kept.values() == [7, 8, 9]
    assert kept.get("6") is None


async def test_transfers_settlements_and_posts_outlive_the_process(tmp_path: Path) -> None:
    post = {"post_id": "p-1", "author": "cai", "text": "#ad", "title": "t", "label": "广告"}
    async with world(store=tmp_path / "sandbox.db") as (client, sandbox):
        await ask(client, "ref-00001")
        await ask(client, "ref-00002", instrument="tok_returned")
        await told(sandbox)
        first = (await client.post("/psp/settlements")).json()["batch"]
        lines = (await client.get(f"/psp/settlements/{first}")).text
        await client.post("/platform/posts", json=post)
        await client.patch("/platform/posts/p-1", json={"text": "new"})
    async with world(store=tmp_path / "sandbox.db") as (client, _):
        found = [(await client.get(f"/psp/charges/{name}")).json()["status"] for name in ("ref-00001", "ref-00002")]
        assert found == ["succeeded", "returned"]
        assert (await ask(client, "ref-00001", amount_minor=1)).status_code == 409
        assert (await client.get(f"/psp/settlements/{first}")).text == lines
        second = (await client.post("/psp/settlements")).json()["batch"]
        assert second > first
        assert len((await client.get(f"/psp/settlements/{second}")).text.splitlines()) == 1
        seen = (await client.get("/platform/posts/p-1")).json()
        assert (seen["text"], seen["label"], seen["revision"]) == ("new", "广告", 2)


async def test_what_was_accepted_and_not_decided_is_decided_after_a_restart(tmp_path: Path) -> None:
    async with world(store=tmp_path / "sandbox.db", delay_ms=60_000) as (client, _):
        assert (await ask(client, "ref-00001")).json()["status"] == "pending"
    receiver = Receiver()
    async with world(receiver, store=tmp_path / "sandbox.db") as (client, sandbox):
        sandbox.resume()
        await told(sandbox)
        assert (await client.get("/psp/charges/ref-00001")).json()["status"] == "succeeded"
        assert "charge.succeeded" in receiver.types()


def test_what_is_forgotten_is_forgotten_on_disk_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "sandbox.db")
    kept = Bounded(3, store.shelf("number", int, int))
    for number in range(10):
        kept.put(str(number), number)
    kept.put("8", 80)
    store.close()
    again = Store(tmp_path / "sandbox.db")
    assert Bounded(3, again.shelf("number", int, int)).values() == [7, 80, 9]
    again.close()


def test_help_lists_every_variable_and_serves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sandbox", "--help"])
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: pytest.fail("it serves"))
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert [name for name in SandboxSettings.model_fields if f"SANDBOX_{name.upper()}" not in told] == []


def test_the_page_names_every_variable_with_its_default() -> None:
    page = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()
    for name, field in SandboxSettings.model_fields.items():
        shown = "" if field.default is None else f"`{field.default}`"
        assert f"| `SANDBOX_{name.upper()}` | {shown} | {field.description} |".replace("|  |", "| |") in page
