"""What money pages ask: transfers, escrows, releases with how they were reckoned, payout accounts; each for who may see it."""

from typing import Any

from dandelion.ledger.v1 import commands_pb2 as asked
from dandelion.ledger.v1 import events_pb2 as events
from dandelion.ledger.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from services.ledger.domain.events import ChainKind
from tests.integration.ledger.client import FINANCE, Ledger, unique
from tests.integration.ledger.test_story import hold
from tests.kit.until import until


async def head(ledger: Ledger) -> str:
    """A token with which a list includes all that is in the journal now."""
    return f"ledger:{(await ledger.app.log.head()).position}:"


async def listed(ledger: Ledger, name: str, who: tuple[str, ...], **filters: Any) -> Any:
    async with ledger.queries(*who) as stub:
        request = getattr(pb, f"{name}Request")(at_least=await head(ledger), **filters)
        return await getattr(stub, name)(request)


async def test_a_deposit_and_its_refund_are_listed_for_their_owner(ledger: Ledger) -> None:
    brand, refund = ("bea", unique("brand"), "brand"), unique("refund")
    deposit = await ledger.deposit(70_000, brand[1])
    await ledger.done("PUT", f"/refunds/{refund}", {"deposit_id": deposit, "amount_minor": 30_000}, brand)
    await ledger.posted(ChainKind.REFUND_CONFIRMED, refund)
    found = (await listed(ledger, "ListTransfers", brand)).transfers
    assert [(one.transfer_id, one.kind, one.status, one.amount_minor) for one in found] == [
        (refund, pb.TRANSFER_KIND_REFUND, pb.TRANSFER_STATUS_CONFIRMED, 30_000),
        (deposit, pb.TRANSFER_KIND_DEPOSIT, pb.TRANSFER_STATUS_CONFIRMED, 70_000),
    ]
    assert (found[0].source_id, found[1].refunded_minor, found[1].settled_minor) == (deposit, 30_000, 70_000)
    assert found[1].confirmed_at.seconds >= found[1].requested_at.seconds > 0
    assert (found[1].instrument, found[1].reason) == ("…sa", "")
    only = await listed(ledger, "ListTransfers", FINANCE, owner_id=brand[1], kind=pb.TRANSFER_KIND_DEPOSIT)
    assert [one.transfer_id for one in only.transfers] == [deposit]
    stranger = ("eve", unique("brand"), "brand")
    assert not (await listed(ledger, "ListTransfers", stranger, owner_id=brand[1])).transfers


async def test_a_failed_deposit_says_why(ledger: Ledger) -> None:
    brand, deposit = ("bea", unique("brand"), "brand"), unique("deposit")
    body = {"amount_minor": 500, "currency": "CNY", "instrument": "tok_declined"}
    await ledger.done("PUT", f"/deposits/{deposit}", body, brand)
    await ledger.posted(ChainKind.DEPOSIT_FAILED, deposit)
    failed = await listed(ledger, "ListTransfers", FINANCE, status=pb.TRANSFER_STATUS_FAILED, owner_id=brand[1])
    assert [(one.transfer_id, one.reason) for one in failed.transfers] == [(deposit, "provider.declined")]


async def paid(ledger: Ledger, brand: str, creator: str, deliverable: str) -> None:
    """A deliverable of 10,000.00 CNY, funded and released."""
    await ledger.by_hand("PUT", f"/own-money/{unique('own')}", {"amount_minor": 10_000, "currency": "CNY"})
    await ledger.deposit(2_000_000, brand)
    await ledger.resident(creator)
    stream = f"escrow-{deliverable}"
    await ledger.ask(stream, hold(deliverable, brand, creator, 1_000_000, 106_000), "funding-x")
    await ledger.published("EscrowHeld", deliverable_id=deliverable)
    release = asked.ReleasePayment(
        release_id=unique("release"), deliverable_id=deliverable, brand_id=brand, creator_id=creator, currency="CNY",
        fee_minor=1_000_000, brand_fee_minor=106_000, creator_fee_bps=530,
    )  # fmt: skip
    await ledger.ask(stream, release, "settlement-x")
    await ledger.published("PaymentReleased", deliverable_id=deliverable)


async def test_a_release_is_listed_with_how_it_was_reckoned(ledger: Ledger) -> None:
    brand, creator, deliverable = (unique(noun) for noun in ("brand", "creator", "deliverable"))
    await paid(ledger, brand, creator, deliverable)
    mine, theirs = ("cai", creator, "creator"), ("bea", brand, "brand")
    (told,) = (await listed(ledger, "ListReleases", mine)).releases
    (share,) = told.payees
    assert told.kind == events.RELEASE_KIND_SETTLEMENT
    assert (told.brand_fee_minor, told.creator_fee_minor, told.vat_minor) == (100_000, 50_000, 9_000)
    fees = told.brand_fee_minor + told.creator_fee_minor + told.vat_minor + told.agency_minor
    assert told.gross_minor == 1_106_000 == fees + share.share_minor
    assert (share.share_minor, share.tax_minor, share.net_minor) == (947_000, 7_728, 939_272)
    assert (share.tax.tax_rule, share.tax.rate_bps) == ("cn-labour-cumulative@2025-10-01", 300)
    assert (share.tax.year_income_minor, share.tax.year_base_minor) == (947_000, 257_600)
    (seen,) = (await listed(ledger, "ListReleases", theirs, deliverable_id=deliverable)).releases
    assert (seen.gross_minor, list(seen.payees)) == (1_106_000, []), "a creator's tax is nothing to the brand"
    (audited,) = (await listed(ledger, "ListReleases", FINANCE, creator_id=creator)).releases
    assert audited == told
    stranger = ("eve", unique("creator"), "creator")
    assert not (await listed(ledger, "ListReleases", stranger, creator_id=creator)).releases


async def test_escrows_are_listed_with_their_sums(ledger: Ledger) -> None:
    brand, creator, first, second = (unique(noun) for noun in ("brand", "creator", "deliverable", "deliverable"))
    await paid(ledger, brand, creator, first)
    await ledger.ask(f"escrow-{second}", hold(second, brand, creator, 100_000, 10_000), "funding-x")
    await ledger.published("EscrowHeld", deliverable_id=second)
    party = ("bea", brand, "brand")
    found = await listed(ledger, "ListEscrows", party)
    assert [(one.deliverable_id, one.status, one.left_minor) for one in found.escrows] == [
        (second, pb.ESCROW_STATUS_HELD, 110_000), (first, pb.ESCROW_STATUS_RELEASED, 0),
    ]  # fmt: skip
    (total,) = found.totals
    assert (total.escrows, total.gross_minor, total.left_minor) == (2, 1_216_000, 110_000)
    assert (total.released_minor, total.returned_minor) == (1_106_000, 0)
    held = await listed(ledger, "ListEscrows", ("cai", creator, "creator"), status=pb.ESCROW_STATUS_HELD)
    assert [one.deliverable_id for one in held.escrows] == [second]
    assert [one.escrows for one in held.totals] == [1]
    page = await listed(ledger, "ListEscrows", party, page_size=1)
    assert (len(page.escrows), page.totals[0].escrows) == (1, 2)
    nothing = await listed(ledger, "ListEscrows", ("eve", unique("brand"), "brand"), brand_id=brand)
    assert (len(nothing.escrows), len(nothing.totals)) == (0, 0)


async def test_a_payout_account_is_shown_masked_to_its_owner_and_staff(ledger: Ledger) -> None:
    creator, payout = unique("creator"), unique("payout")
    mine = ("cai", creator, "creator")
    await paid(ledger, unique("brand"), creator, unique("deliverable"))
    body = {"amount_minor": 939_272, "currency": "CNY", "instrument": "acct_11112222"}
    await ledger.done("PUT", f"/payouts/{payout}", body, mine)
    await ledger.posted(ChainKind.PAYOUT_CONFIRMED, payout)
    change = {"currency": "CNY", "instrument": "acct_33334444"}
    await ledger.done("PUT", f"/payout-accounts/{creator}", change, mine)
    for who in (mine, FINANCE):
        (account,) = (await listed(ledger, "ListPayoutAccounts", who, owner_id=creator)).accounts
        assert (account.account, account.proven, account.next_account) == ("…2222", True, "…4444")
        assert account.next_usable_at.seconds > account.changed_at.seconds
    assert not (await listed(ledger, "ListPayoutAccounts", ("bea", new_id(), "brand"), owner_id=creator)).accounts
    (sent,) = (await listed(ledger, "ListTransfers", mine)).transfers
    assert (sent.kind, sent.instrument) == (pb.TRANSFER_KIND_PAYOUT, "…2222")

    async def settled() -> bool:
        (one,) = (await listed(ledger, "ListTransfers", mine)).transfers
        return bool(one.status == pb.TRANSFER_STATUS_CONFIRMED and one.provider_reference)

    await until(settled)


async def test_a_payout_without_an_account_goes_to_the_one_that_was_named(ledger: Ledger) -> None:
    creator, payout = unique("creator"), unique("payout")
    mine, body = ("cai", creator, "creator"), {"amount_minor": 100_000, "currency": "CNY"}
    await paid(ledger, unique("brand"), creator, unique("deliverable"))
    refused = await ledger.send("PUT", f"/payouts/{payout}", body, mine)
    assert (refused.status_code, refused.json()["code"]) == (409, "payout.account_unknown")
    account = {"currency": "CNY", "instrument": "acct_55556666"}
    await ledger.done("PUT", f"/payout-accounts/{creator}", account, mine)
    await ledger.done("PUT", f"/payouts/{payout}", body, mine)
    (sent,) = (await listed(ledger, "ListTransfers", mine)).transfers
    assert (sent.transfer_id, sent.instrument, sent.amount_minor) == (payout, "…6666", 100_000)
