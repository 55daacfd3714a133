"""The provider's word counts when it is signed, of now and unaltered; the same word twice counts once."""

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from kernel.core.faults import Unauthenticated
from kernel.core.ids import derived_id, new_id
from kernel.runtime.logs import FIELDS
from kernel.runtime.telemetry import REGISTRY
from sandbox.webhooks import sign
from services.ledger.domain.accounts import Code
from services.ledger.domain.commands import HoldEscrow, ReleasePayment
from services.ledger.domain.events import ChainKind
from services.ledger.domain.rows import ACCOUNTS
from services.ledger.ports.webhooks import Webhooks
from services.ledger.reads.rows import inline_row
from tests.integration.ledger.client import FINANCE, Ledger, running, unique

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


async def deliver(
    ledger: Ledger, data: dict[str, object], id_: str = "", type_: str = "", at: str = ""
) -> httpx.Response:
    """As the provider sends it; the type is what the data says, unless another is given; `at` is the message's own time."""
    nouns = {"deposit": "charge", "payout": "payout", "refund": "refund"}
    said = type_ or f"{nouns[str(data['kind'])]}.{data['status']}"
    body = json.dumps({"type": said, "data": data} | ({"timestamp": at} if at else {})).encode()
    headers = sign(ledger.world.webhook_secret, id_ or new_id(), int(time.time()), body)
    async with ledger.http() as client:
        return await client.post("/webhooks/psp", content=body, headers=headers)


async def confirmed(ledger: Ledger, brand: str, amount_minor: int = 700, instrument: str = "tok") -> dict[str, object]:
    """A deposit that the provider confirmed; its word on it."""
    deposit_id = unique("deposit")
    ask = {"amount_minor": amount_minor, "currency": "CNY", "instrument": instrument}
    await ledger.done("PUT", f"/deposits/{deposit_id}", ask, ("b", brand, "brand"))
    await ledger.posted(ChainKind.DEPOSIT_CONFIRMED, deposit_id)
    return {
        "reference": deposit_id, "kind": "deposit", "status": "succeeded", "amount_minor": amount_minor,
        "currency": "CNY",
    }  # fmt: skip


async def test_a_forged_webhook_is_answered_401_and_changes_nothing(ledger: Ledger) -> None:
    body = b"{}"
    async with ledger.http() as client:
        headers = sign(whsec(OLD), "m1", int(time.time()), body)
        assert (await client.post("/webhooks/psp", content=body, headers=headers)).status_code == 401
        assert (await client.post("/webhooks/psp", content=body)).json()["code"] == "webhook.unsigned"


async def test_the_same_word_counts_once_whatever_its_message_id(ledger: Ledger) -> None:
    brand = unique("brand")
    data = await confirmed(ledger, brand)
    await ledger.published("AccountNamed", owner_id=brand)
    head = (await ledger.app.log.head()).position
    for id_ in ("msg_same", "msg_same", "msg_other"):
        assert (await deliver(ledger, data, id_)).status_code == 200
    assert (await deliver(ledger, {**data, "status": "pending"})).status_code == 200
    assert (await ledger.app.log.head()).position == head


async def spendable(ledger: Ledger, code: Code, owner: str) -> int:
    row = await inline_row(ledger.app.database, ACCOUNTS, ("CNY", code.value, owner))
    return row.spendable_minor if row else 0


UNREADABLE: list[dict[str, object]] = [
    {"amount_minor": -1}, {"amount_minor": 7.5}, {"amount_minor": "700"}, {"amount_minor": 10**30},
    {"status": "maybe"}, {"status": None}, {"kind": "gift"}, {"currency": "RENMINBI"}, {"fee_minor": -1},
]  # fmt: skip


@pytest.mark.parametrize("change", UNREADABLE, ids=lambda change: "_".join(map(str, *change.items())))
async def test_a_word_that_cannot_be_read_is_kept_and_not_sent_again(ledger: Ledger, change: dict[str, object]) -> None:
    """A refusal would make the provider say the same for ever."""
    data = await confirmed(ledger, unique("brand"))
    chains = len(await ledger.chains())
    before = REGISTRY.get_sample_value("webhooks_total", {"outcome": "kept"}) or 0
    for _ in range(2):
        assert (await deliver(ledger, data | change, type_="charge.succeeded")).status_code == 200
    (kept,) = await ledger.work_list(str(data["reference"]))
    assert (kept.code, kept.word) == ("webhook.data_unreadable", "charge.succeeded")
    assert REGISTRY.get_sample_value("webhooks_total", {"outcome": "kept"}) == before + 2
    assert len(await ledger.chains()) == chains


async def test_a_word_without_a_readable_name_is_kept_too(ledger: Ledger) -> None:
    data = await confirmed(ledger, unique("brand"))
    assert (await deliver(ledger, data | {"reference": 7})).status_code == 200
    assert [one.code for one in await ledger.work_list("unnamed")] == ["webhook.data_unreadable"]


KEPT = [
    pytest.param({"amount_minor": 701}, "", "chain.exists_with_other_input", id="another_amount"),
    pytest.param({"reference": derived_id("nobody")}, "", "transfer.not_found", id="unknown"),
    pytest.param({"kind": "payout"}, "", "transfer.not_found", id="another_kind"),
    pytest.param({}, "charge.failed", "webhook.contradicts_itself", id="type_says_failed"),
    pytest.param({}, "payout.succeeded", "webhook.contradicts_itself", id="type_says_payout"),
    pytest.param({"currency": "XXX", "status": "returned"}, "", "money.unknown_currency", id="no_currency"),
]


@pytest.mark.parametrize(("change", "type_", "code"), KEPT)
async def test_a_word_that_does_not_fit_is_kept_and_books_nothing(
    ledger: Ledger, change: dict[str, object], type_: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    data = await confirmed(ledger, unique("brand")) | change
    reference = str(data["reference"])
    for id_ in ("msg_1", "msg_2"):
        answer = await deliver(ledger, data, f"{id_}_{reference}", type_)
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    (kept,) = await ledger.work_list(reference)
    assert (kept.origin, kept.code, kept.gross_minor) == ("webhook", code, data["amount_minor"])
    chains = [one for one in await ledger.chains() if one.transfer and one.transfer.transfer_id == reference]
    assert len(chains) == (0 if code == "transfer.not_found" and "reference" in change else 2)
    lines = [vars(record) for record in caplog.records if "kept for reconciliation" in record.getMessage()]
    assert {(line["transfer"], line["code"]) for line in lines} == {(reference, code)}
    assert {"transfer", "code", "webhook", "type"} <= FIELDS
    path = f"/discrepancies/{kept.discrepancy_id}/resolve"
    assert (await ledger.send("POST", path, {"reason": "x"}, ("b", unique("brand"), "brand"))).status_code == 403
    await ledger.done("POST", path, {"reason": "asked the provider"}, FINANCE)
    assert await ledger.work_list(reference) == []
    await deliver(ledger, data, f"msg_3_{reference}", type_)
    assert await ledger.work_list(reference) == []


async def test_nobody_resolves_what_is_not_there(ledger: Ledger) -> None:
    answer = await ledger.send("POST", f"/discrepancies/{new_id()}/resolve", {"reason": "x"}, FINANCE)
    assert (answer.status_code, answer.json()["code"]) == (409, "discrepancy.unknown")


@pytest.mark.parametrize(
    "type_", ["customer.updated", "x", "charge.succeeded ", "CHARGE.SUCCEEDED", "charge", "payout.paid"]
)
async def test_a_type_that_is_not_known_is_ignored_whatever_it_carries(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, type_: str
) -> None:
    async with running(tmp_path, lost_webhook_bps=10_000) as ledger:
        deposit_id, brand = unique("deposit"), unique("brand")
        ask = {"amount_minor": 700, "currency": "CNY", "instrument": "tok"}
        await ledger.done("PUT", f"/deposits/{deposit_id}", ask, ("b", brand, "brand"))
        data = {
            "reference": deposit_id,
            "kind": "deposit",
            "status": "succeeded",
            "amount_minor": 700,
            "currency": "CNY",
        }
        before = REGISTRY.get_sample_value("webhooks_total", {"outcome": "ignored"}) or 0
        assert (await deliver(ledger, data, type_=type_)).status_code == 200
        assert REGISTRY.get_sample_value("webhooks_total", {"outcome": "ignored"}) == before + 1
        assert await ledger.chains(ChainKind.DEPOSIT_CONFIRMED) == []
        assert await ledger.work_list(deposit_id) == []
        (line,) = [vars(record) for record in caplog.records if "its type is not known" in record.getMessage()]
        assert (line["transfer"], line["type"]) == (deposit_id, type_)


@pytest.mark.parametrize(
    "body", [b'{"type":"customer.updated"}', b'{"type":"a.b","data":[1]}', b'{"type":"a","data":null}']
)
async def test_a_type_that_is_not_known_may_carry_anything(ledger: Ledger, body: bytes) -> None:
    headers = sign(ledger.world.webhook_secret, new_id(), int(time.time()), body)
    async with ledger.http() as client:
        assert (await client.post("/webhooks/psp", content=body, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{}", b'{"type":7,"data":{}}', b'{"type":"charge.failed"}', b"\xff"]
)
async def test_what_is_no_message_at_all_is_refused(ledger: Ledger, body: bytes) -> None:
    headers = sign(ledger.world.webhook_secret, new_id(), int(time.time()), body)
    async with ledger.http() as client:
        answer = await client.post("/webhooks/psp", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "webhook.malformed")


@pytest.mark.parametrize("word", ["failed", "returned"])
async def test_a_payout_that_comes_back_after_it_arrived_is_in_the_balance_again(ledger: Ledger, word: str) -> None:
    brand, creator, deliverable, payout = (unique(noun) for noun in ("brand", "creator", "deliverable", "payout"))
    await ledger.by_hand("PUT", f"/own-money/{new_id()}", {"amount_minor": 5_000, "currency": "CNY"})
    await ledger.resident(creator, "US")
    await ledger.deposit(9_000, brand)
    await ledger.execute(HoldEscrow(deliverable, 1, unique("co"), unique("ca"), brand, creator, "CNY", 9_000, 0))
    await ledger.execute(ReleasePayment(new_id(), deliverable, creator, "CNY", 9_000, 0))
    who, body = ("cai", creator, "creator"), {"amount_minor": 9_000, "currency": "CNY", "instrument": "acct"}
    await ledger.done("PUT", f"/payouts/{payout}", body, who)
    await ledger.posted(ChainKind.PAYOUT_CONFIRMED, payout)
    data = {"reference": payout, "kind": "payout", "status": word, "amount_minor": 9_000, "currency": "CNY"}
    for _ in range(2):
        assert (await deliver(ledger, data)).status_code == 200
    assert await spendable(ledger, Code.CREATOR_AVAILABLE, creator) == 9_000
    returned = await ledger.published("PayoutReturned", payout_id=payout)
    assert (returned.creator_id, returned.amount_minor, returned.reason) == (creator, 9_000, f"provider.{word}")
    assert len(await ledger.chains(ChainKind.PAYOUT_RETURNED)) >= 1
    assert await ledger.work_list(payout) == []
    await ledger.done("PUT", f"/payouts/{unique('payout')}", body, who)


async def test_a_refund_that_comes_back_is_free_deposit_again(ledger: Ledger) -> None:
    brand, refund = unique("brand"), unique("refund")
    deposit_id = await ledger.deposit(700, brand)
    body = {"deposit_id": deposit_id, "amount_minor": 700}
    await ledger.done("PUT", f"/refunds/{refund}", body, ("bea", brand, "brand"))
    await ledger.posted(ChainKind.REFUND_CONFIRMED, refund)
    data = {"reference": refund, "kind": "refund", "status": "returned", "amount_minor": 700, "currency": "CNY"}
    assert (await deliver(ledger, data)).status_code == 200
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 700
    await ledger.done("PUT", f"/refunds/{unique('refund')}", body, ("bea", brand, "brand"))


async def test_a_deposit_that_fails_after_it_was_confirmed_is_taken_back(ledger: Ledger) -> None:
    brand = unique("brand")
    data = await confirmed(ledger, brand)
    for word in ("failed", "failed", "returned"):
        assert (await deliver(ledger, data | {"status": word})).status_code == 200
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 0
    told = await ledger.published("DepositReversed", deposit_id=data["reference"])
    assert (told.amount_minor, told.debt_minor, told.reference) == (700, 0, "returned")
    assert await ledger.work_list(str(data["reference"])) == []


async def test_the_stand_in_takes_back_what_it_is_told_to(ledger: Ledger) -> None:
    brand, other = unique("brand"), unique("brand")
    returned = await confirmed(ledger, brand, instrument="tok_returned")
    disputed = await confirmed(ledger, other, instrument="tok_disputed")
    for data in (returned, disputed):
        await ledger.posted(ChainKind.DEPOSIT_REVERSED, str(data["reference"]))
    assert await spendable(ledger, Code.BRAND_AVAILABLE, brand) == 0
    assert (await ledger.published("DepositReversed", deposit_id=disputed["reference"])).provider_fee_minor == 1_500
