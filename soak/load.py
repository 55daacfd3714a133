"""The load: so many whole campaigns at a time, from deposit to payout, over public HTTP, gRPC and topics only."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from dandelion.campaigns.v1 import events_pb2 as campaigns
from dandelion.ledger.v1 import events_pb2 as ledger

from cli.story import finale, measure, money, people
from cli.story.calls import Answer, Away
from cli.story.heard import Heard
from cli.story.market import OPERATOR, Address, Market, Unexpected, Who, named
from cli.story.measure import Content, Engagement, Expected
from cli.story.people import Pairing, creator
from cli.story.plan import DEALS, LATE, OWN_MONEY, SEEDING, Deal, Deposit, Size
from cli.story.work import Work
from soak.stack import frames

PATIENCE_S = 600.0
"""How long one command or query is tried again, and an event waited for; the run itself is bounded sooner."""
BRANDS = [Who(f"brand {n}", named("soak brand", n), "brand") for n in range(6)]
OWN_MONEY_TIMES = 1_000
NUMBERS = 16
"""Collaborations take the demo's turns by number: one is cancelled, one declined, one countered, some refused first."""
ROWS = 400
ORDERS = 3
PULSE_S = 1.5
REFUSED_CODES = frozenset({"relay.behind", "writer.stopping", "writer.stopped", "writer.queue_full", "rate.exhausted"})


@dataclass(frozen=True, slots=True)
class Told:
    """A command that was answered with success: who asked under which key, and where its last event is said to stand."""

    service: str
    tenant: str
    actor: str
    key: str
    stream: str
    version: int
    position: int


class Caller(Market):
    """The story's market, which also keeps what every attempt came to and every receipt."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, PATIENCE_S)
        self.outcomes: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        """Every answer that was no success, by service, status and code; or how a connection failed."""
        self.turned_away = 0
        """Answers 503 `relay.behind` with Retry-After."""
        self.told: list[Told] = []

    async def once(self, service: str, method: str, path: str, headers: dict[str, str], content: bytes) -> Answer:
        try:
            answer = await super().once(service, method, path, headers, content)
        except Away as error:
            self.outcomes["unknown"] += 1
            self.codes[f"{service} {error}"] += 1
            raise
        code = _code(answer)
        self.outcomes["ok" if answer.is_success else "refused" if _is_refusal(answer, code) else "unknown"] += 1
        if not answer.is_success:
            self.codes[f"{service} {answer.status_code} {code}".rstrip()] += 1
        self.turned_away += code == "relay.behind" and "Retry-After" in answer.headers
        return answer

    async def send(
        self, service: str, method: str, path: str, who: Who, content: bytes, media_type: str, key: str = ""
    ) -> dict[str, Any]:
        key = key or named(method, path, who, content)
        answer = await super().send(service, method, path, who, content, media_type, key)
        if {"stream", "version", "position"} <= answer.keys():
            where = answer["stream"], answer["version"], answer["position"]
            self.told.append(Told(service, who.tenant, who.name, key, *where))
        return answer


def _raise_of(done: Iterable[asyncio.Task[None]]) -> None:
    """What ended them, if anything did; a cancellation came out of a library, and would go unseen."""
    for task in done:
        if task.cancelled():
            raise Unexpected("a part of the load was cancelled by nobody")
        task.result()


def _code(answer: Answer) -> str:
    if "problem" not in answer.headers.get("Content-Type", ""):
        return ""
    return str(answer.json().get("code", ""))


def _is_refusal(answer: Answer, code: str) -> bool:
    """Nothing was done, for certain."""
    return answer.status_code < 500 or code in REFUSED_CODES


class Load:
    """`at_a_time` campaigns until `stop`; `finish` waits for those that are under way.

    `first` is the number of the first one: a second load on a platform does not give out order numbers again.
    """

    def __init__(self, caller: Caller, heard: Heard, seed: int, at_a_time: int, first: int = 0) -> None:
        self.caller, self.heard = caller, heard
        self.expected = Expected()
        self.ended: list[Deal] = []
        self._payees: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.collaborations: Counter[str] = Counter()
        self._engaged: set[str] = set()
        """Creators of the campaigns under way: each takes part in one at a time, as some have a place for one only."""
        self.doing: dict[str, str] = {}
        """What each campaign under way waits for."""
        self._seed, self._at_a_time, self._next = seed, at_a_time, first
        self._imported = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._settling = asyncio.Lock()
        self.stopping = asyncio.Event()

    async def begin(self) -> None:
        """Creators and the platform's own money, before any fault; then the campaigns."""
        self._imported = await people.import_creators(self.caller)
        for currency, amount_minor in OWN_MONEY.items():
            await self._own_money("first", currency, OWN_MONEY_TIMES * amount_minor)
        works: list[Callable[[], Coroutine[Any, Any, None]]] = [self._lane] * self._at_a_time
        self._tasks = [asyncio.create_task(work()) for work in [*works, self._pulse]]

    async def failed(self) -> None:
        """Returns never; raises what ended a part of the load, before it was told to stop."""
        while not self.stopping.is_set():
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            _raise_of(done)
            if not self.stopping.is_set():
                raise Unexpected("a part of the load ended by itself")
        await asyncio.Event().wait()

    def now(self) -> str:
        """What is under way and what was answered so far, for whoever looks at a soak that is red."""
        doing = "; ".join(f"{name}: {step}" for name, step in self.doing.items())
        answers = ", ".join(f"{count} {code}" for code, count in self.caller.codes.most_common(12))
        stands = "\n".join(f"a part of the load stands at {frames(task)}" for task in self._tasks)
        return f"under way: {doing}\nanswers: {self.caller.outcomes['ok']} ok, {answers}\n{stands}"

    async def finish(self, within_s: float) -> None:
        """Until everything that was started has ended; Unexpected with what hangs when it has not in time."""
        self.stopping.set()
        done, hanging = await asyncio.wait(self._tasks, timeout=within_s, return_when=asyncio.FIRST_EXCEPTION)
        _raise_of(done)
        if hanging:
            raise Unexpected(f"everything that was started ends: not ended {within_s:.0f} s after the faults")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _lane(self) -> None:
        """One campaign after the other."""
        while not self.stopping.is_set():
            number, self._next = self._next, self._next + 1
            await self._campaign(number)

    async def _pulse(self) -> None:
        """Commands that wait for no event and tell of one in public: something to refuse while nothing is heard."""
        number = 0
        while not self.stopping.is_set():
            self.doing["pulse"] = f"draft {number}"
            deal = replace(SEEDING, story=(f"soak {self._seed}", f"pulse {number}"))
            body = {"brief": deal.brief, "terms": {"clocks": deal.clocks}}
            await self.caller.do("campaigns", "PUT", f"/campaigns/{deal.id}", deal.brand, body)
            number += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), PULSE_S)
        del self.doing["pulse"]

    async def _own_money(self, what: str, currency: str, amount_minor: int) -> None:
        body = {"amount_minor": amount_minor, "currency": currency}
        path = f"/own-money/{named('soak own money', self._seed, what, currency)}"
        await self.caller.by_hand("PUT", path, body)

    async def _campaign(self, number: int) -> None:
        """From the brand's deposit to the creators' payouts."""
        chance = random.Random(f"{self._seed}/{number}")
        plain = LATE if number % 9 == 8 else DEALS[number % len(DEALS)]
        story = (f"soak {self._seed}", str(number))
        deal = replace(plain, brand=BRANDS[number % len(BRANDS)], story=story)
        name = f"campaign {number} ({deal.name})"
        self.doing[name] = "deposit"
        await self._fund(deal)
        await people.publish(self.caller, deal)
        if plain is LATE:
            self.doing[name] = "an invitation nobody answers"
            await Work(self.caller, self.heard, lambda _: None).invite_in_vain(deal, self._engaged)
        else:
            await self._collaborate(name, deal, chance)
        self.ended.append(deal)
        del self.doing[name]

    async def _fund(self, deal: Deal) -> None:
        """Gifts need no money."""
        if deal.fees_minor == SEEDING.fees_minor:
            return
        asked = Deposit(deal.brand, deal.currency, 4 * sum(deal.fees(NUMBERS)), story=deal.story)
        await people.deposit(self.caller, self.heard, asked)
        async with self._settling:  # one file at a time; it may hold others' deposits
            if not self.heard.has(ledger.DepositSettled, deposit_id=asked.id):
                await people.settle(self.caller)
        await self.heard.one(ledger.DepositSettled, deposit_id=asked.id)

    async def _collaborate(self, name: str, deal: Deal, chance: random.Random) -> None:
        self.doing[name] = "search"
        found = await people.search(self.caller, deal, self._imported)
        taking_part = chance.sample(sorted(found.keys() - self._engaged), 2)
        self._engaged.update(taking_part)
        seen = f"identity document, soak {self._seed}"  # who was verified before is verified anew: an event for each receipt
        await asyncio.gather(*[people.ready(self.caller, id_, deal, found[id_], seen) for id_ in taking_part])
        chosen = zip(chance.sample(range(NUMBERS), 2), taking_part, strict=True)
        pairings = [Pairing(deal, number, creator(id_), found[id_].virtual) for number, id_ in chosen]
        await self._with(name, deal, pairings, chance)
        self._engaged.difference_update(taking_part)

    async def _with(self, name: str, deal: Deal, pairings: list[Pairing], chance: random.Random) -> None:
        self.doing[name] = "collaborations"
        work = Work(self.caller, self.heard, lambda step: self.collaborations.update([step]))
        await asyncio.gather(*[work.lead(pairing) for pairing in pairings])
        contents = self._contents(deal)
        if contents:
            self.doing[name] = "engagement and orders"
            await self._measure(deal, contents, chance)
        self.doing[name] = "payouts"
        await asyncio.gather(*[self._pay(deal, pairing, chance.random() < 0.1) for pairing in pairings])

    def _contents(self, deal: Deal) -> list[Content]:
        published = [one for one in self.heard.every(campaigns.ContentPublished) if one.campaign_id == deal.id]
        found = [Content(one.deliverable_id, deal.id, deal.currency, deal.brand) for one in published]
        return sorted(found, key=lambda content: content.deliverable_id)

    async def _measure(self, deal: Deal, contents: list[Content], chance: random.Random) -> None:
        """A batch of engagement, and orders that a coupon brought."""
        await measure.known_to_metrics(self.caller, self.heard, deal.id)
        engagement = Engagement(contents, Size(observations=ROWS, batch_rows=ROWS), self.expected)
        body, sums = engagement.body(0)
        engagement.expect(sums)
        path, key = "/engagement", named("soak engagement", *deal.story)
        await self.caller.send("metrics", "POST", path, OPERATOR, body, "application/json", key)
        await measure.coupon(self.caller, contents[0])
        for number in range(ORDERS):
            await self._order(deal, contents[0], number, 10_000 + chance.randrange(50_000))

    async def _order(self, deal: Deal, content: Content, number: int, amount_minor: int) -> None:
        body = {
            "order_number": "-".join(("SO", *deal.story[1:], str(number))),
            "amount_minor": amount_minor,
            "currency": content.currency,
            "ordered_at": measure.now_text(),
            "coupon_code": measure.coupon_code(content),
        }
        path = f"/orders/{named('order', *deal.story, number)}"
        await self.caller.do("metrics", "PUT", path, content.brand, body)
        self.expected.gross_minor[deal.id] += amount_minor
        self.expected.orders[deal.id] += 1

    async def _pay(self, deal: Deal, pairing: Pairing, failing: bool) -> None:
        """All that the creator earned by this campaign."""
        paid = [one for one in self.heard.every(ledger.PaymentReleased) if one.campaign_id == deal.id]
        minor = sum(one.creator_net_minor for one in paid if one.creator_id == pairing.creator.tenant)
        payee = pairing.creator.tenant
        if not minor:
            return
        async with self._payees[payee]:  # one at a time: an account that was paid to is the only one for some days
            failing = failing and all(one.creator_id != payee for one in self.heard.every(ledger.PayoutConfirmed))
            instrument = money.DECLINED if failing else money.account_of(payee)
            id_ = named("payout", *deal.story, payee)
            await money.payout(self.caller, self.heard, id_, payee, deal.currency, minor, instrument)

    async def returns(self) -> int:
        """The return of every campaign that ended equals what was sent and paid; how many there were."""
        slots = asyncio.Semaphore(4)

        async def one(deal: Deal) -> None:
            async with slots:
                await finale.return_of(self.caller, self.heard, deal, self.expected)

        asked = [deal for deal in self.ended if deal.name != LATE.name]
        await asyncio.gather(*[one(deal) for deal in asked])
        return len(asked)


def since(started: float) -> str:
    """`mm:ss` of the run."""
    seconds = int(time.monotonic() - started)
    return f"{seconds // 60:02d}:{seconds % 60:02d}"
