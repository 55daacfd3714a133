"""Moves by hand are listed page by page over both edges, by status, and to the owner without the persons."""

from typing import Any
from urllib.parse import urlencode

from dandelion.ledger.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from tests.integration.ledger.client import FINANCE, SECOND, Ledger, unique
from tests.kit.until import until


async def proposed(ledger: Ledger, brand: str, count: int) -> list[str]:
    """Proposals of deposits for a brand, the oldest first, once the read model has them."""
    body = {"amount_minor": 10, "currency": "CNY", "instrument": "tok", "brand_id": brand}
    ids = [await ledger.proposed("PUT", f"/deposits/{new_id()}", body) for _ in range(count)]

    async def there() -> bool:
        return len(await listed(ledger, brand)) == count

    await until(there)
    return ids


async def listed(ledger: Ledger, brand: str, **asked: Any) -> list[Any]:
    answer = await ledger.send("GET", f"/proposals?{urlencode(asked)}", None, ("bea", brand, "brand"))
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["moves"]
    return found


async def test_pages_over_http_leave_nothing_out(ledger: Ledger) -> None:
    brand = unique("brand")
    ids = await proposed(ledger, brand, 5)
    found: list[str] = []
    token = ""
    for size in (2, 2, 1):
        asked = urlencode({"page_size": 2, "page_token": token})
        page = (await ledger.send("GET", f"/proposals?{asked}", None, ("bea", brand, "brand"))).json()
        assert len(page["moves"]) == size
        found += [one["proposal_id"] for one in page["moves"]]
        token = page["page"]["next_page_token"]
    assert (found, token) == (ids[::-1], "")


async def test_pages_over_grpc_are_of_one_status_and_in_the_order_asked_for(ledger: Ledger) -> None:
    brand = unique("brand")
    ids = await proposed(ledger, brand, 4)
    await ledger.done("POST", f"/proposals/{ids[1]}/reject", {"reason": "not asked for"}, SECOND)

    async def rejected() -> bool:
        return [one["proposal_id"] for one in await listed(ledger, brand, status="HAND_MOVE_STATUS_REJECTED")] == [
            ids[1]
        ]

    await until(rejected)
    found: list[str] = []
    request = pb.ListHandMovesRequest(status=pb.HAND_MOVE_STATUS_PROPOSED, page_size=2, order_by="proposed_at")
    async with ledger.queries("bea", brand, "brand") as stub:
        for size in (2, 1):
            page = await stub.ListHandMoves(request)
            assert len(page.moves) == size
            found += [one.proposal_id for one in page.moves]
            request.page_token = page.page.next_page_token
    assert request.page_token == ""
    assert found == [ids[0], ids[2], ids[3]]


async def test_the_owner_reads_what_is_done_with_its_money_and_staff_also_who_does_it(ledger: Ledger) -> None:
    brand = unique("brand")
    (id_,) = await proposed(ledger, brand, 1)
    (own,) = await listed(ledger, brand)
    assert (own["owner_ids"], own["sums"]) == ([brand], [{"minor": "10", "currency": "CNY"}])
    assert (own["proposed_by"], own["command"]) == ("", "")
    answer = await ledger.send("GET", "/proposals?page_size=1000", None, FINANCE)
    (told,) = [one for one in answer.json()["moves"] if one["proposal_id"] == id_]
    assert told["proposed_by"] == "fay"
    assert brand in told["command"]
    assert id_ not in str(await listed(ledger, unique("brand")))
