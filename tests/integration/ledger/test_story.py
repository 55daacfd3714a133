"""Money from the first deposit to the payout, over HTTP, topics and gRPC, as the other services and people see it."""

from dandelion.ledger.v1 import commands_pb2 as asked
from dandelion.ledger.v1 import events_pb2 as pb
from dandelion.ledger.v1 import queries_pb2 as queries

from kernel.core.ids import derived_id
from services.ledger.domain.events import ChainKind
from tests.integration.ledger.client import Ledger, unique
from tests.kit.until import until


def hold(deliverable: str, brand: str, creator: str, fee: int, brand_fee: int, revision: int = 1) -> asked.HoldEscrow:
    return asked.HoldEscrow(
        deliverable_id=deliverable, collaboration_id=derived_id("collaboration"), campaign_id=derived_id("campaign"),
        brand_id=brand, creator_id=creator, fee_minor=fee, brand_fee_minor=brand_fee, currency="CNY", revision=revision,
        jurisdiction="CN", requester="funding-x",
    )  # fmt: skip


async def test_a_deliverable_is_funded_released_and_paid_out(ledger: Ledger) -> None:
    brand, creator, deliverable, payout = (unique(noun) for noun in ("brand", "creator", "deliverable", "payout"))
    await ledger.by_hand("PUT", f"/own-money/{unique('own')}", {"amount_minor": 10_000, "currency": "CNY"})
    await ledger.deposit(2_000_000, brand)
    await ledger.resident(creator)
    stream = f"escrow-{deliverable}"
    await ledger.ask(stream, hold(deliverable, brand, creator, 1_000_000, 106_000), "funding-x")
    held = await ledger.published("EscrowHeld", deliverable_id=deliverable)
    assert (held.gross_minor, held.fee_minor, held.brand_fee_minor, held.revision) == (1_106_000, 1_000_000, 106_000, 1)
    release = asked.ReleasePayment(
        release_id=unique("release"), deliverable_id=deliverable, brand_id=brand, creator_id=creator, currency="CNY",
        fee_minor=1_000_000, brand_fee_minor=106_000, creator_fee_bps=530,
    )  # fmt: skip
    await ledger.ask(stream, release, "settlement-x")
    paid = await ledger.published("PaymentReleased", deliverable_id=deliverable)
    parts = ("brand_fee_minor", "creator_fee_minor", "vat_minor", "agency_minor", "tax_minor", "creator_net_minor")
    assert {part: getattr(paid, part) for part in parts} == {
        "brand_fee_minor": 100_000, "creator_fee_minor": 50_000, "vat_minor": 9_000, "agency_minor": 0,
        "tax_minor": 7_728, "creator_net_minor": 939_272,
    }  # fmt: skip
    taxed = await ledger.published("TaxWithheld", deliverable_id=deliverable)
    assert (taxed.authority, taxed.base_minor, taxed.tax_minor) == ("CN", 947_000, 7_728)
    body = {"amount_minor": 939_272, "currency": "CNY", "instrument": "acct_1"}
    receipt = await ledger.done("PUT", f"/payouts/{payout}", body, ("cai", creator, "creator"))
    await ledger.posted(ChainKind.PAYOUT_CONFIRMED, payout)
    assert (await ledger.published("PayoutConfirmed", payout_id=payout)).creator_id == creator
    await see_the_books(ledger, creator, brand, receipt["token"])


async def see_the_books(ledger: Ledger, creator: str, brand: str, token: str) -> None:
    async with ledger.queries("cai", creator, "creator") as stub:
        lines = (await stub.ListStatement(queries.ListStatementRequest(at_least=token))).lines
        assert [(line.kind, line.amount_minor, line.balance_minor) for line in lines] == [
            ("payment_released", 939_272, 939_272), ("payout_requested", -939_272, 0),
        ]  # fmt: skip
        answer = await stub.GetBalances(queries.GetBalancesRequest())
        assert [(one.account, one.balance_minor) for one in answer.balances] == [("creator_available", 0)]
    async with ledger.queries("bea", brand, "brand") as stub:
        answer = await stub.GetBalances(queries.GetBalancesRequest(currency="CNY"))
        assert [(one.account, one.spendable_minor) for one in answer.balances] == [("brand_available", 894_000)]


async def test_a_hold_that_is_not_covered_is_answered(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.ask(f"escrow-{deliverable}", hold(deliverable, brand, creator, 500, 50), "funding-y")
    refused = await ledger.published("EscrowRefused", deliverable_id=deliverable)
    assert (refused.code, refused.needed_minor, refused.available_minor) == ("escrow.not_covered", 550, 0)


async def test_a_refused_command_is_answered_to_its_requester(ledger: Ledger) -> None:
    deliverable = unique("deliverable")
    release = asked.ReleasePayment(
        release_id=unique("release"), deliverable_id=deliverable, creator_id=unique("c"), currency="CNY", fee_minor=1
    )
    id_ = await ledger.ask(f"escrow-{deliverable}", release, "settlement-z")
    refused = await ledger.published("CommandRefused", command_id=id_)
    assert (refused.requester, refused.code, refused.command) == ("settlement-z", "escrow.not_held", "ReleasePayment")


async def test_a_cancelled_deliverable_pays_its_kill_fee_and_returns_the_rest(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.deposit(600_000, brand)
    await ledger.resident(creator)
    stream = f"escrow-{deliverable}"
    await ledger.ask(stream, hold(deliverable, brand, creator, 500_000, 50_000), "funding-x")
    await ledger.published("EscrowHeld", deliverable_id=deliverable)
    cancel = asked.CancelEscrow(
        refund_id=unique("refund"), deliverable_id=deliverable, brand_id=brand, creator_id=creator, currency="CNY",
        kill_fee_minor=250_000, reason="brand.cancelled",
    )  # fmt: skip
    await ledger.ask(stream, cancel, "settlement-x")
    refund = await ledger.published("RefundIssued", deliverable_id=deliverable)
    assert (refund.amount_minor, refund.kill_fee_minor, refund.reason) == (300_000, 250_000, "brand.cancelled")
    paid = await ledger.published("PaymentReleased", deliverable_id=deliverable)
    assert (paid.kind, paid.gross_minor) == (pb.RELEASE_KIND_KILL_FEE, 250_000)


async def test_a_refund_goes_back_through_the_provider(ledger: Ledger) -> None:
    brand, refund = unique("brand"), unique("refund")
    deposit_id = await ledger.deposit(70_000, brand)
    body = {"deposit_id": deposit_id, "amount_minor": 30_000}
    await ledger.done("PUT", f"/refunds/{refund}", body, ("bea", brand, "brand"))
    await ledger.posted(ChainKind.REFUND_CONFIRMED, refund)
    again = await ledger.send(
        "PUT", f"/refunds/{unique('refund')}", {**body, "amount_minor": 40_001}, ("bea", brand, "brand")
    )
    assert (again.status_code, again.json()["code"]) == (409, "refund.more_than_deposited")


async def test_a_declined_deposit_and_a_failed_payout_leave_what_was(ledger: Ledger) -> None:
    brand, id_ = unique("brand"), unique("deposit")
    body = {"amount_minor": 500, "currency": "CNY", "instrument": "tok_declined"}
    await ledger.done("PUT", f"/deposits/{id_}", body, ("bea", brand, "brand"))
    await ledger.posted(ChainKind.DEPOSIT_FAILED, id_)
    failed = await ledger.published("DepositFailed", deposit_id=id_)
    assert (failed.brand_id, failed.reason) == (brand, "provider.declined")


async def test_a_claw_back_is_paid_from_the_balance_and_seen_by_both(ledger: Ledger) -> None:
    brand, creator, deliverable = (unique(noun) for noun in ("brand", "creator", "deliverable"))
    await ledger.resident(creator)
    await ledger.deposit(200_000, brand)
    stream = f"escrow-{deliverable}"
    await ledger.ask(stream, hold(deliverable, brand, creator, 100_000, 0), "funding-x")
    release = asked.ReleasePayment(
        release_id=unique("release"), deliverable_id=deliverable, brand_id=brand, creator_id=creator, currency="CNY",
        fee_minor=100_000,
    )  # fmt: skip
    await ledger.ask(stream, release, "settlement-x")
    paid = await ledger.published("PaymentReleased", deliverable_id=deliverable)
    claw = asked.ClawBackPayment(
        claw_back_id=unique("claw"), deliverable_id=deliverable, brand_id=brand, creator_id=creator, currency="CNY",
        amount_minor=40_000, reason="content.gone",
    )  # fmt: skip
    await ledger.ask(stream, claw, "settlement-x")
    taken = await ledger.published("PaymentClawedBack", deliverable_id=deliverable)
    assert (taken.taken_minor, taken.owed_minor, taken.reason) == (40_000, 0, "content.gone")
    async with ledger.queries("cai", creator, "creator") as stub:

        async def seen() -> bool:
            lines = (await stub.ListStatement(queries.ListStatementRequest())).lines
            return [line.amount_minor for line in lines] == [paid.creator_net_minor, -40_000]

        await until(seen)
    async with ledger.queries("bea", brand, "brand") as stub:
        answer = await stub.GetBalances(queries.GetBalancesRequest(currency="CNY"))
        assert [(one.account, one.spendable_minor) for one in answer.balances] == [("brand_available", 140_000)]
