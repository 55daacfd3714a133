"""A payment waits until finance knows what it needs: both sides see why, then it is made by itself; over HTTP, gRPC, topics."""

import grpc
import pytest
from dandelion.ledger.v1 import commands_pb2 as asked
from dandelion.ledger.v1 import queries_pb2 as queries

from kernel.core.ids import derived_id
from services.ledger.domain.tax import rate_month
from tests.integration.ledger.client import FINANCE, Ledger, unique


async def held(ledger: Ledger, brand: str, creator: str, deliverable: str, currency: str) -> None:
    """A deliverable of a campaign under American law, paid in the currency."""
    await ledger.deposit(2_000_000, brand, currency)
    hold = asked.HoldEscrow(
        deliverable_id=deliverable, collaboration_id=derived_id("collaboration"), campaign_id=derived_id("campaign"),
        brand_id=brand, creator_id=creator, fee_minor=1_000_000, brand_fee_minor=100_000, currency=currency, revision=1,
        jurisdiction="US", requester="funding-x",
    )  # fmt: skip
    await ledger.ask(f"escrow-{deliverable}", hold, "funding-x")
    await ledger.published("EscrowHeld", deliverable_id=deliverable)


async def released(ledger: Ledger, creator: str, deliverable: str, currency: str) -> None:
    release = asked.ReleasePayment(
        release_id=unique("release"), deliverable_id=deliverable, creator_id=creator, currency=currency,
        fee_minor=1_000_000, brand_fee_minor=100_000,
    )  # fmt: skip
    await ledger.ask(f"escrow-{deliverable}", release, "settlement-x")


async def deferred_of(ledger: Ledger, token: str, *who: str) -> list[queries.DeferredPayment]:
    async with ledger.queries(*who) as stub:
        answer = await stub.ListDeferredPayments(queries.ListDeferredPaymentsRequest(at_least=token))
    return list(answer.payments)


async def waiting(ledger: Ledger, token: str, *who: str) -> list[tuple[str, str, int]]:
    found = await deferred_of(ledger, token, *who)
    assert all((one.rate_month == "") is (one.reason != "tax.rate_unknown") for one in found)
    return [(one.deliverable_id, one.reason, one.amount_minor) for one in found]


async def test_a_chinese_creator_in_an_american_campaign_waits_twice_and_is_taxed(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await held(ledger, brand, creator, deliverable, "USD")
    await released(ledger, creator, deliverable, "USD")
    await ledger.published("PaymentDeferred", deliverable_id=deliverable, reason="tax.residence_unknown")
    token = f"ledger:{(await ledger.app.log.head()).position}:"
    for who in (("bea", brand, "brand"), ("cai", creator, "creator")):
        assert await waiting(ledger, token, *who) == [(deliverable, "tax.residence_unknown", 1_000_000)]
    assert await waiting(ledger, token, "eve", unique("brand"), "brand") == []
    assert (deliverable, "tax.residence_unknown", 1_000_000) in await waiting(ledger, token, *FINANCE)
    await ledger.resident(creator, "CN")
    deferred = await ledger.published("PaymentDeferred", deliverable_id=deliverable, reason="tax.rate_unknown")
    assert (deferred.payee_id, deferred.currency) == (creator, "USD")
    month = rate_month(await ledger.app.log.now())
    token = f"ledger:{(await ledger.app.log.head()).position}:"
    assert [(one.currency, one.rate_month) for one in await deferred_of(ledger, token, "cai", creator, "creator")] == [
        ("USD", month)
    ]
    await ledger.by_hand("PUT", f"/reference-rates/USD/{month}", {"cny_minor": 71_234, "per_minor": 10_000})
    paid = await ledger.published("PaymentReleased", deliverable_id=deliverable)
    taxed = await ledger.published("TaxWithheld", deliverable_id=deliverable)
    assert paid.tax_minor == taxed.tax_minor > 0
    assert (taxed.currency, taxed.year_currency, taxed.year_base_minor) == ("USD", "CNY", 7_123_400)
    token = f"ledger:{(await ledger.app.log.head()).position}:"
    assert await waiting(ledger, token, "cai", creator, "creator") == []
    async with ledger.queries(*FINANCE) as stub:
        (rate,) = (await stub.ListReferenceRates(queries.ListReferenceRatesRequest(currency="USD"))).rates
    assert (rate.month, rate.cny_minor, rate.per_minor) == (month, 71_234, 10_000)


async def test_an_american_creator_is_paid_whole_by_a_kill_fee_that_waited(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await held(ledger, brand, creator, deliverable, "CNY")
    cancel = asked.CancelEscrow(
        refund_id=unique("refund"), deliverable_id=deliverable, brand_id=brand, creator_id=creator, currency="CNY",
        kill_fee_minor=500_000, reason="budget_cut",
    )  # fmt: skip
    await ledger.ask(f"escrow-{deliverable}", cancel, "funding-x")
    deferred = await ledger.published("PaymentDeferred", deliverable_id=deliverable)
    assert (deferred.kill_fee_minor, deferred.fee_minor) == (500_000, 0)
    await ledger.resident(creator, "US")
    refund = await ledger.published("RefundIssued", deliverable_id=deliverable)
    paid = await ledger.published("PaymentReleased", deliverable_id=deliverable)
    assert (refund.amount_minor, paid.creator_net_minor, paid.tax_minor) == (600_000, 500_000, 0)
    assert paid.tax_rule == "no-withholding@2025-01-01"


async def test_a_residence_is_shown_to_the_payee_and_staff(ledger: Ledger) -> None:
    creator = unique("creator")
    token = await ledger.resident(creator, "SG")
    request = queries.GetTaxResidenceRequest(payee_id=creator, at_least=token)
    for who in (("cai", creator, "creator"), FINANCE, ("ada", "platform", "auditor")):
        async with ledger.queries(*who) as stub:
            found = await stub.GetTaxResidence(request)
            assert (found.payee_id, found.country, found.reference) == (creator, "SG", "passport seen")
    async with ledger.queries("eve", unique("brand"), "brand") as stub:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetTaxResidence(request)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.GetTaxResidence(queries.GetTaxResidenceRequest())
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
