"""Who may do and see what: parties their own, staff by role, strangers nothing, and nothing without a token."""

import grpc
import pytest
from dandelion.ledger.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from services.ledger.domain.commands import HoldEscrow, ReleasePayment
from services.ledger.domain.events import ChainKind
from tests.integration.ledger.client import FINANCE, Ledger, unique

BODY = {"amount_minor": 100, "currency": "CNY", "instrument": "tok"}
OWN = {"amount_minor": 100, "currency": "CNY"}
FOUND = {"brand_id": new_id(), "amount_minor": 1, "currency": "CNY", "reason": "x"}
BRAND, CREATOR = ("bea", new_id(), "brand"), ("cai", new_id(), "creator")
STAFF_ONLY = [
    ("PUT", "/own-money/{id}", OWN), ("PUT", "/identifications/{id}", FOUND), ("POST", "/escrows/{id}/release", {}),
    ("POST", "/escrows/{id}/cancel", {"reason": "x"}), ("POST", "/settlements", "batch\n"),
    ("PUT", "/fee-policies/{id}", {"since": "2099-01-01T00:00:00Z", "brand_fee_bps": 1, "creator_fee_bps": 1}),
    ("POST", "/fee-policies/{id}/approve", None), ("POST", "/fee-policies/{id}/reject", {"reason": "x"}),
    ("PUT", "/tax-residences/{id}", {"country": "CN", "reference": "x"}),
    ("PUT", "/reference-rates/USD/2026-10", {"cny_minor": 7, "per_minor": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), STAFF_ONLY)
@pytest.mark.parametrize("who", [BRAND, CREATOR, ("ada", "platform", "auditor"), ("ola", "platform", "operator")])
async def test_only_finance_moves_what_is_not_its_own(
    ledger: Ledger, method: str, path: str, body: object, who: tuple[str, ...]
) -> None:
    head = (await ledger.app.log.head()).position
    answer = await ledger.send(method, path.replace("{id}", new_id()), body, who)
    assert answer.status_code == 403
    assert (await ledger.app.log.head()).position == head


async def test_nobody_acts_for_another_organisation(ledger: Ledger) -> None:
    deposit = await ledger.send("PUT", f"/deposits/{new_id()}", {**BODY, "brand_id": new_id()}, BRAND)
    assert (deposit.status_code, deposit.json()["code"]) == (403, "deposit.not_a_party")
    payout = await ledger.send("PUT", f"/payouts/{new_id()}", {**BODY, "owner_id": new_id()}, CREATOR)
    assert (payout.status_code, payout.json()["code"]) == (403, "payout.not_a_party")
    mine = await ledger.deposit(500, unique("brand"))
    refund = await ledger.send("PUT", f"/refunds/{new_id()}", {"deposit_id": mine, "amount_minor": 1}, BRAND)
    assert (refund.status_code, refund.json()["code"]) == (404, "deposit.unknown")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"status": "confirmed"}, 422), ({"fee_bps": 0}, 422), ({"amount_minor": "100"}, 422), ({"amount_minor": 0}, 422),
        ({"amount_minor": 10**16}, 422), ({"currency": "XXX"}, 422), ({"instrument": ""}, 422),
    ],
)  # fmt: skip
async def test_fields_nobody_offered_and_wrong_values_are_refused(
    ledger: Ledger, changes: dict[str, object], status: int
) -> None:
    assert (await ledger.send("PUT", f"/deposits/{new_id()}", BODY | changes, BRAND)).status_code == status


async def test_without_token_or_key_nothing_is_done(ledger: Ledger) -> None:
    async with ledger.http() as client:
        answer = await client.put(f"/deposits/{new_id()}", json=BODY, headers={"Idempotency-Key": new_id()})
        assert answer.status_code == 401
    async with ledger.http(*BRAND) as client:
        assert (await client.put(f"/deposits/{new_id()}", json=BODY)).status_code == 422


async def test_one_key_is_one_command(ledger: Ledger) -> None:
    id_, key = new_id(), new_id()
    first = await ledger.send("PUT", f"/deposits/{id_}", BODY, BRAND, key)
    again = await ledger.send("PUT", f"/deposits/{id_}", BODY, BRAND, key)
    other = await ledger.send("PUT", f"/deposits/{id_}", {**BODY, "amount_minor": 200}, BRAND, key)
    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (422, "command.id_reused")


async def test_parties_see_their_own_money_only(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(1_000, brand)
    held = HoldEscrow(deliverable, 1, unique("c"), unique("c"), brand, creator, "CNY", 400, 40)
    token = (await ledger.execute(held)).token
    for who in [("bea", brand, "brand"), ("cai", creator, "creator")]:
        async with ledger.queries(*who) as stub:
            mine = await stub.GetBalances(pb.GetBalancesRequest(at_least=token))
            assert [(one.minor, one.currency) for one in mine.in_escrow] == [(440, "CNY")]
    async with ledger.queries("eve", unique("brand"), "brand") as stub:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetBalances(pb.GetBalancesRequest(owner_id=brand))
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
        for question in (
            stub.GetTrialBalance(pb.GetTrialBalanceRequest()),
            stub.VerifyLedger(pb.VerifyLedgerRequest()),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await question
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    async with ledger.queries("fay", *FINANCE[1:]) as stub:
        theirs = await stub.GetBalances(pb.GetBalancesRequest(owner_id=brand, at_least=token))
        assert [one.balance_minor for one in theirs.balances] == [560]


@pytest.mark.parametrize(
    "request_",
    [
        pb.ListStatementRequest(order_by="amount"), pb.ListStatementRequest(page_token="x"),
        pb.ListStatementRequest(page_size=-1), pb.ListStatementRequest(currency="XXX"),
        pb.ListStatementRequest(at_least="x"), pb.ListStatementRequest(account="a" * 300),
    ],
)  # fmt: skip
async def test_questions_that_make_no_sense_are_refused(ledger: Ledger, request_: pb.ListStatementRequest) -> None:
    async with ledger.queries(*BRAND) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ListStatement(request_)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_payouts_go_where_money_arrived_before(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    who, body = ("cai", creator, "creator"), {"amount_minor": 100, "currency": "CNY", "instrument": "acct_1"}
    await ledger.by_hand("PUT", f"/own-money/{new_id()}", {"amount_minor": 1_000, "currency": "CNY"})
    await ledger.deposit(1_000, brand)
    await ledger.execute(HoldEscrow(deliverable, 1, unique("c"), unique("c"), brand, creator, "CNY", 1_000, 0))
    await ledger.resident(creator)
    await ledger.execute(ReleasePayment(new_id(), deliverable, creator, "CNY", 1_000, 0))
    payout = new_id()
    await ledger.done("PUT", f"/payouts/{payout}", body, who)
    await ledger.posted(ChainKind.PAYOUT_CONFIRMED, payout)
    stolen = {**body, "instrument": "acct_of_somebody"}
    answer = await ledger.send("PUT", f"/payouts/{new_id()}", stolen, who)
    assert (answer.status_code, answer.json()["code"]) == (409, "payout.account_unknown")
    change = {"currency": "CNY", "instrument": "acct_of_somebody"}
    await ledger.done("PUT", f"/payout-accounts/{creator}", change, who)
    answer = await ledger.send("PUT", f"/payouts/{new_id()}", stolen, who)
    assert (answer.status_code, answer.json()["code"]) == (409, "payout.account_cooling_down")
    await ledger.done("PUT", f"/payouts/{new_id()}", body, who)
    other = await ledger.send("PUT", f"/payout-accounts/{creator}", change, BRAND)
    assert other.status_code == 403
