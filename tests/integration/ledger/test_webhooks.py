"""The provider's word counts when it is signed, of now and unaltered; the same word twice counts once."""

import base64
import json
import time
from datetime import UTC, datetime

import httpx
import pytest

from kernel.core.faults import Unauthenticated
from kernel.core.ids import new_id
from sandbox.webhooks import sign
from services.ledger.domain.events import ChainKind
from services.ledger.ports import Webhooks
from tests.integration.ledger.client import Ledger, unique

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STAMP = int(NOON.timestamp())
OLD, NEW = b"o" * 24, b"n" * 24
BODY = b'{"type":"charge.succeeded","data":{}}'


def whsec(secret: bytes) -> str:
    return f"whsec_{base64.b64encode(secret).decode()}"


def test_the_published_test_vector_verifies() -> None:
    """Secret, id, time, body and signature of the Standard Webhooks reference libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }  # fmt: skip
    at = datetime.fromtimestamp(1614265330, UTC)
    assert Webhooks(lambda: [secret]).verified(headers, b'{"test": 2432232314}', at) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


@pytest.mark.parametrize("secrets", [[NEW], [NEW, OLD], [OLD, NEW]])
def test_either_secret_counts_while_one_is_rotated(secrets: list[bytes]) -> None:
    both = sign(whsec(NEW), "m1", STAMP, BODY)
    both["webhook-signature"] += " " + sign(whsec(b"x" * 24), "m1", STAMP, BODY)["webhook-signature"]
    assert Webhooks(lambda: secrets).verified(both, BODY, NOON) == "m1"


@pytest.mark.parametrize(
    ("changes", "body", "code"),
    [
        pytest.param({}, b'{"type": "charge.succeeded", "data": {}}', "webhook.forged", id="serialised_again"),
        pytest.param({"webhook-id": "m2"}, BODY, "webhook.forged", id="another_id"),
        pytest.param({"webhook-timestamp": str(STAMP + 1)}, BODY, "webhook.forged", id="another_time"),
        pytest.param({"webhook-timestamp": str(STAMP - 600)}, BODY, "webhook.not_of_now", id="ten_minutes_old"),
        pytest.param({"webhook-timestamp": str(STAMP + 600)}, BODY, "webhook.not_of_now", id="ten_minutes_ahead"),
        pytest.param({"webhook-timestamp": "now"}, BODY, "webhook.unsigned", id="no_time"),
        pytest.param({"webhook-signature": ""}, BODY, "webhook.unsigned", id="no_signature"),
        pytest.param({"webhook-signature": "v1,"}, BODY, "webhook.forged", id="empty_signature"),
        pytest.param({"webhook-signature": "v2,abc"}, BODY, "webhook.forged", id="another_version"),
        pytest.param({"webhook-signature": "v1,\u00e9"}, BODY, "webhook.forged", id="not_ascii"),
    ],
)
def test_what_is_not_signed_by_the_provider_is_refused(changes: dict[str, str], body: bytes, code: str) -> None:
    headers = sign(whsec(OLD), "m1", STAMP, BODY) | changes
    with pytest.raises(Unauthenticated) as refused:
        Webhooks(lambda: [OLD]).verified(headers, body, NOON)
    assert refused.value.code == code


async def deliver(ledger: Ledger, data: dict[str, object], id_: str = "") -> httpx.Response:
    body = json.dumps({"type": "x", "data": data}).encode()
    headers = sign(ledger.world.webhook_secret, id_ or new_id(), int(time.time()), body)
    async with ledger.http() as client:
        return await client.post("/webhooks/psp", content=body, headers=headers)


async def test_a_forged_webhook_is_answered_401_and_changes_nothing(ledger: Ledger) -> None:
    body = b"{}"
    async with ledger.http() as client:
        headers = sign(whsec(OLD), "m1", int(time.time()), body)
        assert (await client.post("/webhooks/psp", content=body, headers=headers)).status_code == 401
        assert (await client.post("/webhooks/psp", content=body)).json()["code"] == "webhook.unsigned"


async def test_the_same_word_counts_once_whatever_its_message_id(ledger: Ledger) -> None:
    brand, deposit_id = unique("brand"), unique("deposit")
    ask = {"amount_minor": 700, "currency": "CNY", "instrument": "tok"}
    await ledger.done("PUT", f"/deposits/{deposit_id}", ask, ("b", brand, "brand"))
    await ledger.posted(ChainKind.DEPOSIT_CONFIRMED, deposit_id)
    data = {"reference": deposit_id, "kind": "deposit", "status": "succeeded", "amount_minor": 700, "currency": "CNY"}
    head = (await ledger.app.log.head()).position
    for id_ in ("msg_same", "msg_same", "msg_other"):
        assert (await deliver(ledger, data, id_)).status_code == 200
    assert (await deliver(ledger, {**data, "status": "pending"})).status_code == 200
    assert (await ledger.app.log.head()).position == head


async def test_a_word_that_does_not_fit_is_refused_and_changes_nothing(ledger: Ledger) -> None:
    brand, deposit_id = unique("brand"), unique("deposit")
    ask = {"amount_minor": 700, "currency": "CNY", "instrument": "tok"}
    await ledger.done("PUT", f"/deposits/{deposit_id}", ask, ("b", brand, "brand"))
    await ledger.posted(ChainKind.DEPOSIT_CONFIRMED, deposit_id)
    data = {"reference": deposit_id, "kind": "deposit", "status": "succeeded", "amount_minor": 700, "currency": "CNY"}
    changes: list[tuple[dict[str, object], int]] = [
        ({"status": "failed"}, 409), ({"amount_minor": 701}, 409), ({"reference": new_id()}, 404), ({"kind": "payout"}, 404),
        ({"amount_minor": -1}, 422), ({"amount_minor": 7.5}, 422), ({"amount_minor": "700"}, 422),
        ({"status": "maybe"}, 422), ({"amount_minor": 10**30}, 422),
    ]  # fmt: skip
    head = (await ledger.app.log.head()).position
    for change, status in changes:
        assert (await deliver(ledger, data | change)).status_code == status, change
    assert (await ledger.app.log.head()).position == head
