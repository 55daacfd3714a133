"""The story from its first part to its last, with progress and the time of each part."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.story import finale, measure, money, people
from cli.story.finale import Finale
from cli.story.heard import Heard
from cli.story.market import Address, Market
from cli.story.plan import DEALS, DEPOSITS, Size
from cli.story.work import Work

COLUMNS = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
OnPart = Callable[[str], Awaitable[None]]


async def _nothing(_: str) -> None:
    pass


@dataclass(slots=True)
class Told:
    """How the story went: its end, and seconds by part."""

    finale: Finale | None = None
    seconds: dict[str, float] = field(default_factory=dict)


class Teller:
    """Tells the story once. `on_part` is awaited with a part's name before it begins."""

    def __init__(self, address: Address, size: Size, progress: Progress, on_part: OnPart = _nothing) -> None:
        self._size, self._progress, self._on_part = size, progress, on_part
        self._market, self._heard = Market(address), Heard(address.bus)
        self._expected, self._told = measure.Expected(), Told()

    async def tell(self) -> Told:
        """Raises Unexpected where something does not come out as planned."""
        async with self._market, self._heard:
            await self._recruit()
            await self._measure()
            await self._end()
        return self._told

    @asynccontextmanager
    async def _part(self, name: str, total: int = 1) -> AsyncIterator[Callable[[int], None]]:
        await self._on_part(name)
        task, started = self._progress.add_task(name, total=total), time.monotonic()
        yield lambda more: self._progress.advance(task, more)
        self._progress.update(task, completed=total)
        self._told.seconds[name] = time.monotonic() - started

    async def _recruit(self) -> None:
        market, heard = self._market, self._heard
        async with self._part("creators from CSV"):
            token = await people.import_creators(market)
        async with self._part("deposits and settlement file", len(DEPOSITS)):
            await people.bring_money(market, heard)
        async with self._part("briefs and creators found"):
            await people.publish_campaigns(market)
            pairings = await people.find_creators(market, token)
        steps = sum(deal.collaborations * (2 + len(deal.fees_minor)) for deal in DEALS)
        async with self._part("collaborations to settlement", steps) as step:
            work = Work(market, heard, lambda _: step(1))
            taken = {pairing.creator.tenant for pairing in pairings}
            await asyncio.gather(work.invite_in_vain(taken=taken), *[work.lead(pairing) for pairing in pairings])

    async def _measure(self) -> None:
        market, heard, size = self._market, self._heard, self._size
        contents = measure.published(heard)
        async with self._part("engagement", size.observations) as step:
            await measure.known_to_metrics(market, heard)
            await measure.send_engagement(market, contents, size, self._expected, step)
        async with self._part("links, coupons, orders, refunds"):
            await measure.sell(market, heard, contents, size, self._expected)
        async with self._part("payouts") as step:
            await money.pay_out(market, heard, lambda _: None)

    async def _end(self) -> None:
        market, heard = self._market, self._heard
        async with self._part("numbers, trial balance, verify"):
            escrows = money.escrows(heard)
            roi = await finale.returns(market, heard, self._expected)
            balance = await money.trial_balance(market, heard)
            verified = await money.verify(market)
            await heard.all_of_now()
        events = dict(heard.counts())
        self._told.finale = Finale(roi, balance, verified, events, self._expected.observations, escrows)
