"""A campaign led by clicking only, three people in three browsers at once: a brand, a creator, a reviewer.

Outside of the console stands what is outside of it in life: the post on the social platform and what its viewers do there, the
shop's orders, the provider that moves the money. Every number on the pages is reckoned apart (reckoned.py).
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

import pytest
from playwright.async_api import Browser

from cli.commands.demo import address_of
from cli.story.market import Market
from cli.story.money import verify
from tests.console.live_page import comes_to
from tests.console.outside import earned_before, sell, watch
from tests.console.reckoned import Deal, Numbers, Order, yuan
from tests.kit.axe import context_of
from tests.kit.clicking import Person
from tests.kit.console import OpenConsole
from tests.kit.lively import platform_of
from tests.kit.until import until
from tools.speed import patience

TITLE = "A lamp by clicking"
OUTLINE = "先讲睡前阅读的场景，再讲三档亮度。"
DOUBTFUL = "说说最好用的一盏灯：光线柔和。"
PLAIN = "书桌换了这盏灯，光线柔和。"
CLEAN = "书桌换了这盏灯，晚上看书光线柔和，三档亮度够用。"
OFFERED, DEAL, PAID_IN = "11000", Deal(Decimal(12_000)), Decimal(20_000)
SECOND_OF_DAYS, SECOND_OF_HOURS = "0.00002", "0.0003"
"""A second, as a clock's field has it: what takes days in life is to be seen here."""
BEFORE = Numbers(4_000, 900, 450, 0, ())
AFTER = Numbers(
    9_000,
    2_100,
    1_050,
    3,
    (Order(Decimal(9_900), Decimal(900), True), Order(Decimal(6_500)), Order(Decimal(300), Decimal(300))),
)
"""What has come of the post at two moments."""


@dataclass(frozen=True)
class Cast:
    brand: Person
    creator: Person
    reviewer: Person


@pytest.fixture
async def cast(console: OpenConsole, browser: Browser) -> AsyncIterator[Cast]:
    people: list[Person] = []
    async with AsyncExitStack() as stack:
        for who in ("brand", "creator", "reviewer"):
            context = await stack.enter_async_context(context_of(browser, console, who))
            page = await context.new_page()
            page.set_default_timeout(patience(15) * 1000)
            people.append(Person(page))
        yield Cast(*people)


@pytest.fixture
async def market(console: OpenConsole) -> AsyncIterator[Market]:
    async with Market(address_of(console.layout)) as opened:
        yield opened


async def publish_brief(brand: Person, platform: str) -> str:
    """The campaign's id: a brief written in the editor, read once more, and published."""
    await brand.go("/campaigns")
    await brand.follow("New campaign")
    await brand.press("Another product")
    await brand.fill({
        "brief.title": TITLE, "brief.mode": "invite", "brief.product_category": "home",
        "brief.deliverables.0.platform": platform, "brief.deliverables.0.format": "image_note",
        "brief.posting_from": "2025-01-01", "brief.posting_until": "2034-12-31",
        "brief.products.0.name": "阅读灯", "brief.products.0.value_minor": "199", "brief.budget_minor": "30,000",
        "terms.clocks.live_check_after_s": SECOND_OF_HOURS, "terms.clocks.settlement_delay_s": SECOND_OF_DAYS,
    })  # fmt: skip
    await brand.tick("brief.deliverables.0.outline_required")
    await brand.press("Save the draft")
    await brand.press("Publish")
    return brand.page.url.rpartition("/")[2]


async def pay_in(brand: Person) -> Decimal:
    """What was free before, in yuan."""
    await brand.go("/money")
    before = await free(brand)
    await brand.fill({"amount_minor": str(PAID_IN), "instrument": "tok_visa"})
    await brand.press("Go on")
    await brand.sees(yuan(PAID_IN))
    await brand.press("Pay in")
    await brand.waits_for(yuan(before + PAID_IN))
    return before


async def free(person: Person) -> Decimal:
    return Decimal((await person.figures())["Free · CNY"].removeprefix("CN¥").replace(",", ""))


async def agree(cast: Cast, name: str) -> str:
    """The path of the collaboration: the creator is found by its name, invited, asks for more, and gets it."""
    brand, creator = cast.brand, cast.creator
    await brand.go("/creators")
    await brand.fill({"text": name})
    await brand.press("Search")
    await brand.follow(name)
    await brand.follow("Invite to a campaign")
    await brand.page.locator("#campaign_id").select_option(label=TITLE)
    await brand.fill({"fees_minor.0": OFFERED})
    await brand.press("Send the invitation")
    await creator.go("/")
    await creator.waits_for(TITLE)
    await creator.go("/applications")
    await creator.follow(TITLE)
    await creator.unfold("Make another offer")
    await creator.fill({"fees_minor.0": str(DEAL.fee)})
    await creator.press("Offer this")
    await brand.go("/applications")
    await brand.follow(TITLE)
    await brand.sees(yuan(DEAL.fee), yuan(DEAL.on_top), yuan(DEAL.cost))
    await brand.follow("Accept")
    await brand.sees(yuan(DEAL.cost))
    await brand.press("Accept and make the contract")
    await brand.follow("Open the collaboration")
    return "/collaborations/" + brand.page.url.rpartition("/")[2]


async def ship(cast: Cast, path: str) -> None:
    await cast.brand.waits_for("Tracking number")
    await cast.brand.sees(yuan(DEAL.cost))
    await cast.brand.fill({"carrier": "SF Express", "tracking": "SF00000001"})
    await cast.brand.press("The product is on its way")
    await cast.creator.go(path)
    await cast.creator.sees("SF00000001")
    await cast.creator.press("The product has arrived")


async def make(cast: Cast, path: str) -> None:
    """An outline; a draft that a reviewer rejects, one that the brand sends back, one that stands."""
    creator, reviewer, brand = cast.creator, cast.reviewer, cast.brand
    await creator.go(path)
    await creator.page.locator("main table a").first.click()
    await hand_in(creator, OUTLINE)
    await brand.go(creator.page.url)
    await brand.waits_for("Approve version 1")
    await brand.press("Approve version 1")
    await creator.waits_for("A draft")
    await hand_in(creator, DOUBTFUL)
    await reviewer.go("/reviews")
    await reviewer.waits_for(DOUBTFUL[:10])
    await reviewer.page.locator("main table a, main .row a").first.click()
    await reviewer.sees("最好用")
    await reviewer.fill({"reason": "Nobody can show that it is the best."})
    await reviewer.press("Reject")
    await creator.waits_for("Nobody can show that it is the best.")
    await hand_in(creator, PLAIN)
    await brand.waits_for("Approve version 3")
    await brand.unfold("Ask for a revision")
    await brand.fill({"notes": "Name the three levels."})
    await brand.press("Send it back")
    await creator.waits_for("Name the three levels.")
    await hand_in(creator, CLEAN)
    await brand.waits_for("Approve version 4")
    await brand.press("Approve version 4")


async def hand_in(creator: Person, text: str) -> None:
    await creator.fill({"content.text": text})
    await creator.press("Hand in")


async def publish(cast: Cast, market: Market, author: str, platform: str) -> str:
    """The deliverable's id, once the post is on the platform and its address here."""
    post_id, creator = f"post-{uuid4()}", cast.creator
    await creator.waits_for("It is published")
    text = await creator.page.locator("[name='text']").input_value()
    label = text.partition(CLEAN)[0].strip()
    post = {"post_id": post_id, "author": author, "text": text, "label": label, "platform": platform}
    await market.outside("POST", "/platform/posts", post)
    await creator.fill({"post_url": f"https://{platform}.example/posts/{post_id}", "post_id": post_id})
    await creator.press("It is published")
    return creator.page.url.rpartition("/")[2]


async def follow_live(cast: Cast, market: Market, console: OpenConsole, campaign_id: str, deliverable_id: str) -> None:
    """One open page, never loaded again, while viewers look and the shop sells: totals, curve and funnel move."""
    brand = cast.brand
    await until(lambda: _is_there(brand, f"/performance/{campaign_id}"))
    await watch(market, deliverable_id, BEFORE)
    await comes_to(brand, BEFORE)
    await watch(market, deliverable_id, AFTER.since(BEFORE))
    await sell(market, console.cast["brand"], deliverable_id, AFTER)
    await comes_to(brand, AFTER)
    expected = AFTER.totals(DEAL.cost)

    async def with_its_cost() -> bool:
        figures = await brand.figures()
        return figures | expected == figures

    await until(with_its_cost)


async def _is_there(person: Person, path: str) -> bool:
    answer = await person.page.goto(path)
    return answer is not None and answer.ok


async def settled(cast: Cast, path: str, campaign_id: str) -> None:
    """What both see of the money once the deal is settled, and the return of it."""
    brand, creator = cast.brand, cast.creator
    await brand.go(path)
    await brand.waits_for("Settled")
    await brand.sees(yuan(DEAL.cost))
    await brand.go(f"/performance/{campaign_id}")
    figures = await brand.figures()
    expected = AFTER.totals(DEAL.cost) | AFTER.ratios(DEAL.cost)
    assert figures | expected == figures, figures
    await brand.unfold("How it is reckoned")
    await brand.sees(
        f"{yuan(DEAL.cost)} left escrow: {yuan(DEAL.fee)} to creators, {yuan(DEAL.on_top)} to the platform."
    )
    await brand.sees(f"{yuan(Decimal(16_700))} of orders less {yuan(Decimal(1_200))} refunded.")
    await creator.go(path)
    await creator.waits_for("Settled")


async def paid_out(cast: Cast, net: Decimal, tax: Decimal) -> None:
    """How the payment was reckoned, and the creator's money, asked for by clicking until the provider has paid it."""
    creator = cast.creator
    await creator.go("/money/releases")
    reckoning = dict(row[:2] for row in await creator.rows("table.sum") if len(row) > 1)
    assert list(reckoning.values()) == [
        yuan(DEAL.fee), yuan(DEAL.on_top), yuan(DEAL.cost), f"− {yuan(DEAL.on_top - DEAL.vat)}", f"− {yuan(Decimal(0))}",
        f"− {yuan(DEAL.vat)}", yuan(DEAL.fee), f"− {yuan(tax)}", yuan(net),
    ], reckoning  # fmt: skip
    await creator.go("/money")
    assert await free(creator) == net
    await creator.page.locator("#payout-amount").fill(str(net))
    await creator.press("Go on")
    await creator.sees(yuan(net))
    await creator.press("Pay out")
    await creator.go("/money/transfers")
    await creator.waits_for("Confirmed")
    assert (await creator.rows())[0][2] == yuan(net)


async def statements(cast: Cast, net: Decimal, free_before: Decimal) -> None:
    await cast.creator.go("/money/statement")
    lines = [row[1:] for row in await cast.creator.rows()][:2]
    assert lines == [
        ["Payout asked for", "", yuan(-net), yuan(Decimal(0))],
        ["Payment released", TITLE, f"+{yuan(net)}", yuan(net)],
    ]
    left = free_before + PAID_IN - DEAL.cost
    await cast.brand.go("/money/statement")
    lines = [row[1:] for row in await cast.brand.rows()][:2]
    assert lines == [
        ["Held in escrow", TITLE, yuan(-DEAL.cost), yuan(left)],
        ["Deposit arrived", "", f"+{yuan(PAID_IN)}", yuan(left + DEAL.cost)],
    ]
    await cast.brand.go("/money/escrows")
    assert (await cast.brand.rows())[0][2:6] == [yuan(DEAL.cost), yuan(Decimal(0)), yuan(DEAL.cost), yuan(Decimal(0))]


async def test_a_campaign_is_led_by_clicking(console: OpenConsole, cast: Cast, market: Market) -> None:
    creator, platform = console.cast["creator"], platform_of(console)
    tax = DEAL.tax(*await earned_before(market, creator))
    assert tax > 0, "a fee of which tax is withheld"
    await cast.creator.go("/profile")
    name = await cast.creator.main().locator("h1").inner_text()
    campaign_id = await publish_brief(cast.brand, platform)
    free_before = await pay_in(cast.brand)
    path = await agree(cast, name)
    await ship(cast, path)
    await make(cast, path)
    deliverable_id = await publish(cast, market, creator.tenant, platform)
    await follow_live(cast, market, console, campaign_id, deliverable_id)
    await settled(cast, path, campaign_id)
    await paid_out(cast, DEAL.fee - tax, tax)
    await statements(cast, DEAL.fee - tax, free_before)
    await verify(market)
