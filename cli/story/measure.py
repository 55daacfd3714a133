"""The third part: engagement in batches, clicks on tracking links, coupons, orders and refunds, all of it predictable."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import orjson
from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.metrics.v1 import events_pb2 as metrics
from dandelion.metrics.v1 import queries_pb2 as queries
from dandelion.metrics.v1.queries_pb2_grpc import RoiQueryServiceStub

from cli.story.heard import Heard
from cli.story.market import OPERATOR, Market, Unexpected, Who, named
from cli.story.plan import BRANDS, DEALS, Size

SEED = 20_260_301
METRICS = ("exposures", "reads", "likes", "saves", "comments", "shares", "follows", "store_visits")
WEIGHTS = (0.46, 0.24, 0.13, 0.06, 0.04, 0.03, 0.02, 0.02)
MOST = (3, 2, 1, 1, 1, 1, 1, 1)
"""The largest single count of each metric."""
MINUTES = 50
"""How many minutes the engagement spans at most; each body holds two of them, in the order of time."""
BURST = 2_000
"""Likes that one content gets within the minute after: a burst, which the stream finds."""
SENT_AT_ONCE = 3
VIEWS = 5
"""Snapshots of views per content: cumulative, so the newest stands."""


@dataclass(frozen=True, slots=True)
class Content:
    """A published deliverable."""

    deliverable_id: str
    campaign_id: str
    currency: str
    brand: Who


@dataclass(slots=True)
class Expected:
    """What was sent, so that what is answered can be checked: counts by campaign, orders and revenue by campaign."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    gross_minor: Counter[str] = field(default_factory=Counter)
    refunded_minor: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    observations: int = 0

    def add(self, campaign_id: str, counts: dict[str, int]) -> None:
        self.counts[campaign_id].update(counts)


def published(heard: Heard) -> list[Content]:
    """All published deliverables, in an order that is the same in every run."""
    brands = {who.tenant: who for who in BRANDS.values()}
    currencies = {deal.id: deal.currency for deal in DEALS}
    found = [
        Content(one.deliverable_id, one.campaign_id, currencies[one.campaign_id], brands[one.brand_id])
        for one in heard.every(campaigns.ContentPublished)
    ]
    return sorted(found, key=lambda content: content.deliverable_id)


async def known_to_metrics(market: Market, heard: Heard, campaign_id: str = DEALS[0].id) -> None:
    """Until metrics has seen every contract that was heard of, so that each number finds its campaign at once."""
    stub = RoiQueryServiceStub(market.channel("metrics", OPERATOR))
    for tokens in heard.at_least("campaigns"):
        await market.ask(stub.GetCampaignRoi, queries.GetCampaignRoiRequest(campaign_id=campaign_id, at_least=tokens))


class Engagement:
    """A million observations as bodies of columns; each body is a function of its number."""

    def __init__(self, contents: Sequence[Content], size: Size, expected: Expected) -> None:
        self._contents, self._size, self._expected = contents, size, expected
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        self._minutes = [(hour + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M:00Z") for n in range(MINUTES + 1)]
        self._ids = np.array([content.deliverable_id for content in contents], dtype=object)

    def bodies(self) -> int:
        return -(-self._size.observations // self._size.batch_rows)

    def rows(self, n: int) -> int:
        return min(self._size.batch_rows, self._size.observations - n * self._size.batch_rows)

    def body(self, n: int) -> tuple[bytes, Any]:
        """JSON of one batch, and the sums of what is in it by content and metric."""
        rows = self.rows(n)
        chance = np.random.default_rng([SEED, n])
        content = chance.integers(0, len(self._contents), rows)
        metric = chance.choice(len(METRICS), rows, p=WEIGHTS)
        value = chance.integers(1, np.array(MOST)[metric] + 1)
        minute = chance.integers(2 * n, 2 * n + 2, rows) % MINUTES
        paid = chance.random(rows) < 0.2
        sums = np.zeros((len(self._contents), len(METRICS)), dtype=np.int64)
        np.add.at(sums, (content, metric), value)
        return orjson.dumps({"columns": {
            "content_id": self._ids[content].tolist(),
            "metric": np.array(METRICS, dtype=object)[metric].tolist(),
            "value": value.tolist(),
            "observed_at": np.array(self._minutes, dtype=object)[minute].tolist(),
            "traffic": np.array(["organic", "paid"], dtype=object)[paid.astype(np.int64)].tolist(),
        }}), sums  # fmt: skip

    def burst(self) -> bytes:
        """One like after the other for the first content, all in the newest minute."""
        columns = {
            "content_id": [self._contents[0].deliverable_id] * BURST,
            "metric": ["likes"] * BURST,
            "value": [1] * BURST,
            "observed_at": [self._minutes[MINUTES]] * BURST,
        }
        self._expected.add(self._contents[0].campaign_id, {"likes": BURST})
        return orjson.dumps({"columns": columns})

    def expect(self, sums: Any) -> None:
        """These counts were sent."""
        for one, row in zip(self._contents, sums.tolist(), strict=True):
            self._expected.add(one.campaign_id, dict(zip(METRICS, row, strict=True)))

    def views(self) -> bytes:
        """Cumulative view counts, newest first: what is out of order is put right."""
        rows = []
        for n, content in enumerate(self._contents):
            for step in reversed(range(VIEWS)):
                row = {"content_id": content.deliverable_id, "metric": "views", "value": (n + 1) * 100 * (step + 1)}
                rows.append({**row, "observed_at": self._minutes[step], "kind": "snapshot"})
            self._expected.add(content.campaign_id, {"views": (n + 1) * 100 * VIEWS})
        return orjson.dumps({"rows": rows})


async def send_engagement(
    market: Market, contents: Sequence[Content], size: Size, expected: Expected, step: Callable[[int], None]
) -> None:
    """Every batch once, the first one twice, the snapshots, the burst; `step` is told how many rows were taken."""
    engagement, slots = Engagement(contents, size, expected), asyncio.Semaphore(SENT_AT_ONCE)

    async def one(n: int) -> None:
        async with slots:
            body, sums = await asyncio.to_thread(engagement.body, n)
            engagement.expect(sums)
            rows = engagement.rows(n)
            for _ in range(2 if n == 0 else 1):
                answer = await _post(market, body, f"engagement-{n:04d}")
            if answer["rows"] != rows:
                raise Unexpected(f"batch {n}: {answer['rows']} of {rows} rows were taken")
            expected.observations += rows
            step(rows)

    await asyncio.gather(*[one(n) for n in range(engagement.bodies())])
    for key, body in (("views", engagement.views()), ("burst", engagement.burst())):
        expected.observations += (await _post(market, body, f"engagement-{key}"))["rows"]


async def _post(market: Market, body: bytes, key: str) -> dict[str, Any]:
    return await market.send("metrics", "POST", "/engagement", OPERATOR, body, "application/json", key)


async def sell(market: Market, heard: Heard, contents: Sequence[Content], size: Size, expected: Expected) -> None:
    """Links and coupons for some contents, clicks, orders that came by them or by nobody, and refunds."""
    step = max(1, len(contents) // size.links)
    linked = contents[::step][: size.links]
    await asyncio.gather(*[prove_site(market, heard, brand) for brand in {content.brand for content in linked}])
    clicks = await asyncio.gather(*[_link(market, content, size.clicks) for content in linked])
    for content in linked:
        expected.add(content.campaign_id, {"clicks": size.clicks})
    couponed = contents[1::step][: size.coupons]
    await asyncio.gather(*[coupon(market, content) for content in couponed])
    orders = list(_orders(size.orders, list(zip(linked, clicks, strict=True)), couponed))
    await asyncio.gather(*[_order(market, *order) for order in orders])
    await _refund(market, orders)
    for content, id_, body in orders:
        expected.gross_minor[content.campaign_id] += body["amount_minor"]
        expected.orders[content.campaign_id] += 1
        await heard.one(metrics.ConversionRecorded, order_id=id_)
    _expect_refunds(orders, expected)
    await heard.number(metrics.ConversionReversed, len(orders[::REFUND_EVERY]))


REFUND_EVERY = 40
PRICE_LEVEL = {"CNY": 1, "USD": 7}
Order = tuple[Content, str, dict[str, Any]]


SHOP = "shop.example"


async def prove_site(market: Market, heard: Heard, brand: Who) -> None:
    """A brand proves a host of its own, where its links lead."""
    host = shop_of(brand)
    await market.do("metrics", "PUT", f"/sites/{host}", brand)
    claimed = await heard.one(metrics.SiteClaimed, brand_id=brand.tenant)
    await heard.one(metrics.SiteLooked, brand_id=brand.tenant)  # in vain: nothing is published yet
    await market.outside("PUT", f"/web/hosts/{host}", {"record": claimed.proof})
    await market.do("metrics", "POST", f"/sites/{host}/look", brand)
    proven = metrics.SITE_STATUS_PROVEN
    await heard.one(metrics.SiteLooked, lambda looked: looked.status == proven, brand_id=brand.tenant)


def shop_of(brand: Who) -> str:
    return f"b{brand.tenant[:8]}.{SHOP}"


async def _link(market: Market, content: Content, clicks: int) -> list[str]:
    """A tracking link that visitors follow; the ids of their clicks as the store gets them."""
    code = f"d{content.deliverable_id[:13]}"
    body = {
        "deliverable_id": content.deliverable_id,
        "target_url": f"https://{shop_of(content.brand)}/spring",
        "code": code,
    }
    await market.do("metrics", "PUT", f"/links/{named('link', content.deliverable_id)}", content.brand, body)
    targets = [await market.follow(f"/l/{code}", visitor) for visitor in range(clicks)]
    return [parse_qs(urlsplit(target).query)["dandelion_click"][0] for target in targets]


async def coupon(market: Market, content: Content) -> None:
    """A coupon that names the content as whose doing an order is."""
    body = {
        "deliverable_id": content.deliverable_id,
        "code": coupon_code(content),
        "discount_bps": 500,
        "expires_at": "2035-01-01T00:00:00Z",
    }
    await market.do("metrics", "PUT", f"/coupons/{named('coupon', content.deliverable_id)}", content.brand, body)


def coupon_code(content: Content) -> str:
    return f"SPRING-{content.deliverable_id[:8]}".upper()


def now_text() -> str:
    return datetime.now(UTC).isoformat()


def _orders(count: int, linked: Sequence[tuple[Content, list[str]]], couponed: Sequence[Content]) -> Any:
    """Half came by a link, the rest by a coupon."""
    at = now_text()
    for n in range(count):
        evidence: dict[str, Any]
        if n % 2:
            content = couponed[n // 2 % len(couponed)]
            evidence = {"coupon_code": coupon_code(content)}
        else:
            content, clicks = linked[n // 2 % len(linked)]
            evidence = {"click_ids": [clicks[n % len(clicks)]]}
        body = {
            "order_number": f"SO-{n:06d}",
            "amount_minor": (39_900 + 16_710 * (n % 13)) // PRICE_LEVEL[content.currency],
            "currency": content.currency,
            "items": 1 + n % 3,
            "ordered_at": at,
            "new_customer": n % 3 == 0,
        }
        yield content, named("order", n), body | evidence


async def _order(market: Market, content: Content, id_: str, body: dict[str, Any]) -> None:
    await market.do("metrics", "PUT", f"/orders/{id_}", content.brand, body)


def _refund_minor(n: int, body: dict[str, Any]) -> int | None:
    """Every other refund is of the whole order."""
    return None if n % 2 == 0 else int(body["amount_minor"]) // 2


async def _refund(market: Market, orders: Sequence[Order]) -> None:
    for n, (content, id_, body) in enumerate(orders[::REFUND_EVERY]):
        asked = {"refund_id": named("refund", id_), "amount_minor": _refund_minor(n, body)}
        await market.do("metrics", "POST", f"/orders/{id_}/refunds", content.brand, asked)


def _expect_refunds(orders: Sequence[Order], expected: Expected) -> None:
    for n, (content, _, body) in enumerate(orders[::REFUND_EVERY]):
        part = _refund_minor(n, body)
        expected.refunded_minor[content.campaign_id] += int(body["amount_minor"]) if part is None else part
        expected.orders[content.campaign_id] -= part is None
