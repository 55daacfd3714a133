"""A campaign led by clicking only, three people in three browsers at once: a brand, a creator, a reviewer.

Two things are not clicked: the draft, whose clocks the editor has in days while they are seconds here, and the post, which a
creator makes on a social platform (the sandbox). The money on the pages is what is reckoned here from fee and rates.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from cli.commands.demo import address_of
from cli.story.market import Market
from cli.story.plan import LIVE, QUICK
from tests.kit.axe import context_of
from tests.kit.console import OpenConsole
from tests.kit.lively import platform_of
from tools.speed import patience

TITLE = "A lamp by clicking"
DOUBTFUL = "说说最好用的一盏灯：光线柔和。"
CLEAN = "书桌换了这盏灯，晚上看书光线柔和，三档亮度够用。"
FEE, ASKED = "900", "1000"
COST = "CN¥1,100.00"
"""What the creator asked, and the platform's ten percent on top."""
EARNED = "CN¥1,000.00"


@dataclass
class Person:
    """Somebody at a browser."""

    page: Page

    async def go(self, path: str) -> None:
        answer = await self.page.goto(path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    async def press(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).first.click()
        await self._arrived()

    async def follow(self, name: str) -> None:
        await self.page.locator("main").get_by_role("link", name=name).first.click()
        await self._arrived()

    async def fill(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            await self.page.locator(f"[name='{name}']").first.fill(value)

    async def unfold(self, name: str) -> None:
        await self.page.locator("summary", has_text=name).first.click()

    async def sees(self, text: str) -> None:
        await expect(self.page.locator("main")).to_contain_text(text)

    async def waits_for(self, text: str) -> None:
        """Loads the page again until it says so."""
        for _ in range(int(patience(40))):
            if text in await self.main().inner_text():
                return
            await self.page.wait_for_timeout(1_000)
            await self.page.reload()
        raise AssertionError(f"{self.page.url} does not say {text!r}: {(await self.main().inner_text())[:1_500]}")

    def main(self) -> Locator:
        return self.page.locator("main")

    async def _arrived(self) -> None:
        await self.page.wait_for_load_state("load")
        alert = self.main().locator("[role=alert]")
        assert await alert.count() == 0, f"{self.page.url}: {await alert.first.inner_text()}"


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


async def drafted(console: OpenConsole, market: Market) -> str:
    """Id of a draft whose days are seconds."""
    deliverables = [{"platform": platform_of(console), "format": "image_note"}]
    products = [{**LIVE.brief["products"][0], "shipped": True}]
    brief = {
        **LIVE.brief,
        "title": TITLE,
        "campaign_type": "branded_content",
        "mode": "invite",
        "budget_minor": 500_000,
    }
    brief |= {"deliverables": deliverables, "products": products}
    id_ = str(uuid4())
    body = {"brief": brief, "terms": {"clocks": QUICK}}
    await market.do("campaigns", "PUT", f"/campaigns/{id_}", console.cast["brand"], body)
    return id_


async def agree(cast: Cast, campaign_id: str, creator_id: str) -> None:
    """Publish, pay in, invite, counter, accept."""
    brand, creator = cast.brand, cast.creator
    await brand.go(f"/campaigns/{campaign_id}")
    await brand.follow("Preview and publish")
    await brand.press("Publish")
    await brand.go("/money")
    await brand.fill({"amount_minor": "2000", "instrument": "tok_visa"})
    await brand.press("Go on")
    await brand.main().locator("form button").first.click()
    await brand.go(f"/creators/{creator_id}")
    await brand.follow("Invite to a campaign")
    await brand.page.locator("#campaign_id").select_option(label=TITLE)
    await brand.fill({"fees_minor.0": FEE})
    await brand.press("Send the invitation")
    await creator.go("/")
    await creator.waits_for(TITLE)
    await creator.go("/applications")
    await creator.follow(TITLE)
    await creator.unfold("Make another offer")
    await creator.fill({"fees_minor.0": ASKED})
    await creator.press("Offer this")
    await brand.go("/applications")
    await brand.follow(TITLE)
    await brand.follow("Accept")
    await brand.press("Accept and make the contract")
    await brand.follow("Open the collaboration")


async def ship(cast: Cast, path: str) -> None:
    await cast.brand.waits_for("Tracking number")
    await cast.brand.fill({"carrier": "SF Express", "tracking": "SF00000001"})
    await cast.brand.press("The product is on its way")
    await cast.creator.go(path)
    await cast.creator.press("The product has arrived")


async def make(cast: Cast, path: str) -> None:
    """A draft with a finding, a person's rejection, a revision, the brand's approval."""
    creator, reviewer, brand = cast.creator, cast.reviewer, cast.brand
    await creator.go(path)
    await creator.page.locator("main table a").first.click()
    await creator.fill({"content.text": DOUBTFUL})
    await creator.press("Hand in")
    await reviewer.go("/reviews")
    await reviewer.waits_for(DOUBTFUL[:10])
    await reviewer.page.locator("main table a, main .row a").first.click()
    await reviewer.fill({"reason": "Nobody can show that it is the best."})
    await reviewer.press("Reject")
    await creator.waits_for("A revision was asked for")
    await creator.fill({"content.text": CLEAN})
    await creator.press("Hand in")
    await brand.go(creator.page.url)
    await brand.waits_for("Approve version 2")
    await brand.press("Approve version 2")
    await creator.waits_for("It is published")


async def publish(cast: Cast, market: Market, console: OpenConsole) -> None:
    """The post on the platform, and its address here."""
    post_id, creator = f"post-{uuid4()}", cast.creator
    platform = platform_of(console)
    text = await creator.page.locator("[name='text']").input_value()
    label = text.partition(CLEAN)[0].strip()
    author = console.cast["creator"].tenant
    post = {"post_id": post_id, "author": author, "text": text, "label": label, "platform": platform}
    await market.outside("POST", "/platform/posts", post)
    await creator.fill({"post_url": f"https://{platform}.example/posts/{post_id}", "post_id": post_id})
    await creator.press("It is published")


async def test_a_campaign_is_led_by_clicking(
    console: OpenConsole, cast: Cast, market: Market, browser: Browser
) -> None:
    creator_id = console.cast["creator"].tenant
    campaign_id = await drafted(console, market)
    await agree(cast, campaign_id, creator_id)
    path = "/collaborations/" + cast.brand.page.url.rpartition("/")[2]
    await ship(cast, path)
    await make(cast, path)
    await publish(cast, market, console)
    await cast.brand.go(path)
    await cast.brand.waits_for("Settled")
    await cast.brand.sees(COST)
    await cast.creator.go(path)
    await cast.creator.sees(EARNED)
    await cast.brand.go(f"/performance/{campaign_id}")
    await cast.brand.waits_for(COST)
    await cast.creator.go("/money/statement")
    await cast.creator.waits_for(EARNED)
    await cast.brand.go("/money/escrows")
    await cast.brand.sees(COST)
