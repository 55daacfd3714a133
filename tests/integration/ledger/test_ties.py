"""A tie between brand and creator, over HTTP, gRPC and the topic: told to staff, cleared by two, paid by itself."""

from dandelion.ledger.v1 import queries_pb2 as queries

from tests.integration.ledger.client import FINANCE, Ledger, unique
from tests.integration.ledger.test_waiting import held, released, waiting


async def test_a_tied_payment_is_on_the_list_of_staff_and_made_once_two_people_cleared_it(ledger: Ledger) -> None:
    brand, creator, deliverable = unique("brand"), unique("creator"), unique("deliverable")
    await ledger.resident(creator, "US")
    await held(ledger, brand, creator, deliverable, "CNY")
    name = {"currency": "CNY", "instrument": "tok_visa"}  # what the brand has paid from
    await ledger.done("PUT", f"/payout-accounts/{creator}", name, ("cai", creator, "creator"))
    await released(ledger, creator, deliverable, "CNY")
    deferred = await ledger.published("PaymentDeferred", deliverable_id=deliverable)
    assert (deferred.reason, deferred.payee_id) == ("party.same_account", creator)
    token = f"ledger:{(await ledger.app.log.head()).position}:"
    assert (deliverable, "party.same_account", 1_000_000) in await waiting(ledger, token, *FINANCE)
    answer = await ledger.send("GET", "/deferred-payments?page_size=1000", None, FINANCE)
    (one,) = [one for one in answer.json()["payments"] if one["deliverable_id"] == deliverable]
    assert (one["reason"], one["brand_id"], int(one["amount_minor"])) == ("party.same_account", brand, 1_000_000)
    answer = await ledger.send("GET", "/deferred-payments", None, ("eve", unique("brand"), "brand"))
    assert answer.json()["payments"] == []
    body = {"reason": "a family business, papers seen"}
    await ledger.by_hand("PUT", f"/ties/{brand}/{creator}", body)
    paid = await ledger.published("PaymentReleased", deliverable_id=deliverable)
    assert paid.creator_net_minor > 0
    cleared = await ledger.published("TieCleared", brand_id=brand, payee_id=creator)
    named = [await ledger.published("AccountNamed", owner_id=owner) for owner in (brand, creator)]
    assert {one.account_id for one in named} == set(cleared.account_ids)
    assert (
        await ledger.refused("PUT", f"/ties/{brand}/{creator}", body, ("bea", brand, "brand")) == "actor.role_missing"
    )
    async with ledger.queries(*FINANCE) as stub:
        moves = (await stub.ListHandMoves(queries.ListHandMovesRequest(page_size=1_000))).moves
    assert next(set(one.owner_ids) for one in moves if one.move == "tie") == {brand, creator}
