"""The first part: creators come by CSV, money comes in, campaigns find their creators, finance verifies where they live."""

import asyncio
import csv
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import queries_pb2 as discovery
from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceStub
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion_contracts.words import number, word

from cli.story.heard import Heard
from cli.story.market import FINANCE, OPERATOR, Market, Unexpected, Who, named
from cli.story.plan import DEALS, DEPOSITS, LATE, OWN_MONEY, Deal, Deposit

CREATORS = Path(__file__).resolve().parent.parent / "data" / "creators.csv"
LEAST_CREATORS = 500


@dataclass(frozen=True, slots=True)
class Found:
    """What a search says of a creator: the country where it lives, its handles by platform, which of them are verified, and
    whether it is a virtual human."""

    country: str
    handles: Mapping[str, str]
    verified: Container[str]
    virtual: bool = False


@dataclass(frozen=True, slots=True)
class Pairing:
    """A campaign and one of the creators that were found for it; `number` counts them from 0."""

    deal: Deal
    number: int
    creator: Who
    virtual: bool = False
    """What it makes is made by AI, and says so."""

    @property
    def fees_minor(self) -> list[int]:
        return self.deal.fees(self.number)


async def import_creators(market: Market) -> str:
    """The CSV that the project ships with; the import's token."""
    content = await asyncio.to_thread(CREATORS.read_bytes)
    answer = await market.send("discovery", "POST", "/imports", OPERATOR, content, "text/csv")
    known = answer["registered"] + answer["changed"] + answer["unchanged"]
    if known < LEAST_CREATORS or answer["bad_rows"]:
        raise Unexpected(f"{known} creators imported, {answer['bad_rows']} bad rows: {answer['problems'][:3]}")
    return str(answer["token"])


async def bring_money(market: Market, heard: Heard) -> None:
    """The platform's own money, the brands' deposits (one is declined), and the provider's settlement file."""
    await asyncio.gather(*[_own_money(market, *each) for each in OWN_MONEY.items()])
    await asyncio.gather(*[deposit(market, heard, each) for each in DEPOSITS])
    await heard.number(ledger.DepositSettled, await settle(market))


async def settle(market: Market) -> int:
    """The provider's next settlement file, which the ledger fetches; how many lines it has. One without a line is left."""
    batch = (await market.outside("POST", "/psp/settlements")).json()["batch"]
    file = await market.outside("GET", f"/psp/settlements/{batch}")
    lines = len(list(csv.DictReader(file.text.splitlines())))
    if not lines:
        return 0
    await market.do("ledger", "POST", f"/settlements/{batch}/fetch", FINANCE)
    return lines


async def _own_money(market: Market, currency: str, amount_minor: int) -> None:
    body = {"amount_minor": amount_minor, "currency": currency}
    await market.by_hand("PUT", f"/own-money/{named('own money', currency)}", body)


async def deposit(market: Market, heard: Heard, asked: Deposit) -> None:
    """Money of a brand, until the ledger says what became of it."""
    body = {"amount_minor": asked.amount_minor, "currency": asked.currency, "instrument": asked.instrument}
    await market.do("ledger", "PUT", f"/deposits/{asked.id}", asked.brand, body)
    declined = asked.instrument.startswith("tok_declined")
    await heard.one(ledger.DepositFailed if declined else ledger.DepositConfirmed, deposit_id=asked.id)


async def publish_campaigns(market: Market) -> None:
    """Drafts with their terms, then opens them."""
    await asyncio.gather(*[publish(market, deal) for deal in (*DEALS, LATE)])


async def publish(market: Market, deal: Deal) -> None:
    """One draft with its terms, then opened."""
    body = {"brief": deal.brief, "terms": {"clocks": deal.clocks}}
    await market.do("campaigns", "PUT", f"/campaigns/{deal.id}", deal.brand, body)
    await market.do("campaigns", "POST", f"/campaigns/{deal.id}/publish", deal.brand)


async def find_creators(market: Market, token: str) -> list[Pairing]:
    """Each brand searches by its own filters and takes the first that no earlier campaign of the story has taken."""
    taken: dict[str, tuple[Deal, Found]] = {}
    pairings: list[Pairing] = []
    for deal in DEALS:
        found = await search(market, deal, token)
        fresh = [each for each in found if each not in taken]
        if len(fresh) < deal.collaborations:
            raise Unexpected(f"{deal.name}: {len(fresh)} creators found, {deal.collaborations} needed")
        chosen = fresh[: deal.collaborations]
        taken |= {id_: (deal, found[id_]) for id_ in chosen}
        pairings += [Pairing(deal, number_, creator(id_), found[id_].virtual) for number_, id_ in enumerate(chosen)]
    await asyncio.gather(*[ready(market, id_, *each) for id_, each in taken.items()])
    return pairings


async def ready(
    market: Market, creator_id: str, deal: Deal, found: Found, reference: str = "identity document"
) -> None:
    """A creator who may publish and be paid: its accounts on the deal's platforms are verified, and where it lives.

    Who has no account on a platform opens one there under the name that it has elsewhere.
    """
    platforms = {str(each["platform"]) for each in deal.brief["deliverables"]}
    name = next(iter(found.handles.values()))
    fresh = [each for each in sorted(platforms) if each not in found.verified]
    accounts = [verify_account(market, creator_id, each, found.handles.get(each, name)) for each in fresh]
    await asyncio.gather(verify_residence(market, creator_id, found.country, reference), *accounts)


async def verify_account(market: Market, creator_id: str, platform: str, handle: str) -> None:
    """Staff has seen whose account it is. In the story a platform knows an account by its creator's id."""
    account, path = {"platform": platform, "handle": handle}, f"/creators/{creator_id}/accounts"
    await market.do("discovery", "POST", f"{path}/identify", OPERATOR, account | {"account_id": creator_id})
    await market.do("discovery", "POST", f"{path}/verify", OPERATOR, account | {"method": "oauth"})


async def verify_residence(market: Market, creator_id: str, country: str, reference: str = "identity document") -> None:
    """Finance has seen where a creator lives: without it nothing could be paid."""
    body = {"country": country, "reference": reference}
    await market.by_hand("PUT", f"/tax-residences/{creator_id}", body)


def creator(creator_id: str) -> Who:
    return Who(f"creator {creator_id[:8]}", creator_id, "creator")


async def find_one(market: Market, deal: Deal, taken: Container[str] = ()) -> Who:
    """Somebody for a single invitation, who takes part in nothing else."""
    return creator([id_ for id_ in await search(market, deal) if id_ not in taken][-1])


async def search(market: Market, deal: Deal, token: str = "") -> dict[str, Found]:
    """The creators that a deal's filters find and who take new jobs, at most 200, by id."""
    stub = CreatorQueryServiceStub(market.channel("discovery", deal.brand))
    asked = discovery.SearchCreatorsRequest(page_size=200, at_least=token, **_criteria(deal.search))
    found = await market.ask(stub.SearchCreators, asked)
    return {hit.creator.creator_id: _found(hit.creator) for hit in found.hits}


def _found(one: discovery.Creator) -> Found:
    accounts = {word(common.Platform, each.account.platform): each for each in one.accounts}
    handles = {platform: each.account.handle for platform, each in accounts.items()}
    verified = {platform for platform, each in accounts.items() if each.verified}
    return Found(one.profile.location.country, handles, verified, one.profile.virtual_human)


def _criteria(search: Mapping[str, Any]) -> dict[str, Any]:
    """The plan's words as the wire's numbers."""
    enums: dict[str, Any] = {"platforms": common.Platform, "tiers": common.Tier}
    asked: dict[str, Any] = {
        name: [number(enums[name], word) for word in value] if name in enums else value
        for name, value in search.items()
    }
    return asked | {"availability": events.AVAILABILITY_OPEN}
