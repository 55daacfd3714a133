"""What happens outside of the console while a story is clicked: viewers on the social platform, buyers in the shop, the books."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import orjson
from dandelion.ledger.v1 import queries_pb2 as ledger
from dandelion.ledger.v1.queries_pb2_grpc import BalanceQueryServiceStub

from cli.story.market import OPERATOR, Market, Who
from cli.story.measure import shop_of
from tests.console.reckoned import Numbers


async def watch(market: Market, deliverable_id: str, more: Numbers) -> None:
    """The platform's adapter reports what viewers have done since."""
    at = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    values = {"exposures": more.exposures, "reads": more.reads, "likes": more.engagements - 50, "comments": 50}
    rows = [
        {"content_id": deliverable_id, "metric": name, "value": value, "observed_at": at}
        for name, value in values.items()
    ]
    body = orjson.dumps({"rows": rows})
    await market.send("metrics", "POST", "/engagement", OPERATOR, body, "application/json", f"clicked-{uuid4()}")


async def sell(market: Market, brand: Who, deliverable_id: str, numbers: Numbers) -> None:
    """Visitors follow the post's link; the shop reports what they bought and gave back."""
    code, link = f"c{deliverable_id[:12]}", str(uuid4())
    target = {"deliverable_id": deliverable_id, "target_url": f"https://{shop_of(brand)}/lamp", "code": code}
    await market.do("metrics", "PUT", f"/links/{link}", brand, target)
    led = [await market.follow(f"/l/{code}", visitor) for visitor in range(numbers.clicks)]
    for number, order in enumerate(numbers.orders):
        id_ = str(uuid4())
        body = {
            "order_number": f"CLICKED-{number}", "amount_minor": int(order.paid * 100), "currency": "CNY",
            "ordered_at": datetime.now(UTC).isoformat(), "new_customer": order.is_new_customer,
            "click_ids": [led[number].rpartition("dandelion_click=")[2].partition("&")[0]],
        }  # fmt: skip
        await market.do("metrics", "PUT", f"/orders/{id_}", brand, body)
        if order.back:
            asked = {"refund_id": str(uuid4()), "amount_minor": int(order.back * 100)}
            await market.do("metrics", "POST", f"/orders/{id_}/refunds", brand, asked)


async def earned_before(market: Market, creator: Who) -> tuple[Decimal, Decimal]:
    """What the creator has earned here this year, and the tax withheld of it, in yuan."""
    stub = BalanceQueryServiceStub(market.channel("ledger", creator))
    answer = await market.ask(stub.ListReleases, ledger.ListReleasesRequest(page_size=200))
    shares = [payee for one in answer.releases for payee in one.payees]
    return tuple(Decimal(sum(getattr(one, name) for one in shares)) / 100 for name in ("share_minor", "tax_minor"))  # type: ignore[return-value]
