"""The end: what every campaign cost and brought, checked against what was sent, as tables and as numbers to compare."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

import grpc
from dandelion.ledger.v1 import events_pb2 as ledger
from dandelion.metrics.v1 import queries_pb2 as queries
from dandelion.metrics.v1.queries_pb2_grpc import RoiQueryServiceStub

from cli.story.heard import Heard
from cli.story.market import Market, Unexpected
from cli.story.measure import Expected
from cli.story.money import Escrow
from cli.story.plan import DEALS, Deal

WATCH_S = 180.0
COUNTED = ("exposures", "reads", "views", "likes", "saves", "comments", "shares", "follows", "clicks", "store_visits")
FOUND_LIVE = "metrics.AnomalyDetected"
"""What the stream finds in windows kept in memory depends on when it looks; no audited number does."""
MONEY = ("cost_minor", "fee_minor", "platform_fee_minor", "gross_revenue_minor", "refunded_minor", "revenue_minor")


@dataclass(frozen=True, slots=True)
class Finale:
    """Everything the story ends with."""

    roi: dict[str, Any]
    """GetCampaignRoi's answers by campaign name."""
    balance: Any
    verified: Any
    events: dict[str, int]
    observations: int
    escrows: dict[str, Escrow]

    def numbers(self) -> dict[str, Any]:
        """What must be the same in every run of the story, whatever it runs on."""
        return {
            "campaigns": {name: _campaign(answer) for name, answer in self.roi.items()},
            "trial_balance": [_row(row) for row in self.balance.rows],
            "totals": {one.currency: [one.debits_minor, one.credits_minor] for one in self.balance.totals},
            "events": {name: count for name, count in sorted(self.events.items()) if name != FOUND_LIVE},
            "observations": self.observations,
            "escrows": {id_: asdict(one) for id_, one in sorted(self.escrows.items())},
            "verified": sorted(check.name for check in self.verified.checks if check.ok),
        }


def _campaign(answer: Any) -> dict[str, Any]:
    creators = sorted(answer.creators, key=lambda one: one.creator_id)
    return {
        "campaign_id": answer.campaign_id,
        "counts": _counts(answer.counts),
        "roi": {one.currency: _money(one) for one in answer.roi},
        "creators": {
            one.creator_id: {"counts": _counts(one.counts), "roi": {one.roi.currency: _money(one.roi)}}
            for one in creators
        },
    }


def _counts(counts: Any) -> dict[str, int]:
    return {name: getattr(counts, name) for name in (*COUNTED, "engagements", "orders", "new_customers")}


def _money(roi: Any) -> dict[str, int]:
    return {name: getattr(roi, name) for name in MONEY}


def _row(row: Any) -> list[Any]:
    return [row.account, row.currency, row.debits_minor, row.credits_minor, row.balance_minor, row.accounts]


async def returns(market: Market, heard: Heard, expected: Expected) -> dict[str, Any]:
    """Watches each campaign until all that was sent is counted, then asks for its return."""
    answers = await asyncio.gather(*[return_of(market, heard, deal, expected) for deal in DEALS])
    return {deal.name: answer for deal, answer in zip(DEALS, answers, strict=True)}


async def return_of(market: Market, heard: Heard, deal: Deal, expected: Expected) -> Any:
    """One campaign's return, once all that was sent is counted; Unexpected where it is not what was sent and paid."""
    wanted = _wanted(heard, deal, expected)
    await _watched(market, deal, wanted)
    stub = RoiQueryServiceStub(market.channel("metrics", deal.brand))
    answer = await market.ask(stub.GetCampaignRoi, queries.GetCampaignRoiRequest(campaign_id=deal.id))
    differing = _differing(wanted, answer.counts, answer.roi)
    if differing:
        raise Unexpected(f"{deal.name}: {differing}")
    return answer


def _wanted(heard: Heard, deal: Deal, expected: Expected) -> dict[str, int]:
    """Counts and money that the campaign must come to, by what was sent and what the ledger paid."""
    paid = [one for one in heard.every(ledger.PaymentReleased) if one.campaign_id == deal.id]
    return {
        **{name: expected.counts[deal.id][name] for name in COUNTED},
        "orders": expected.orders[deal.id],
        "cost_minor": sum(one.gross_minor for one in paid),
        "gross_revenue_minor": expected.gross_minor[deal.id],
        "refunded_minor": expected.refunded_minor[deal.id],
    }


def _differing(wanted: dict[str, int], counts: Any, rois: Any) -> str:
    """Where an answer is not what was wanted: "cost_minor 17 of 20"; empty when all is there."""
    found = {name: getattr(counts, name) for name in (*COUNTED, "orders")}
    found |= {name: sum(getattr(roi, name) for roi in rois) for name in MONEY}
    return ", ".join(f"{name} {found[name]} of {value}" for name, value in wanted.items() if found[name] != value)


async def _watched(market: Market, deal: Deal, wanted: dict[str, int]) -> None:
    """Follows WatchCampaignPerformance until the totals are there; a stream that breaks is opened again."""
    stub, last = RoiQueryServiceStub(market.channel("metrics", deal.brand)), "nothing seen"
    try:
        async with asyncio.timeout(WATCH_S):
            while True:
                request = queries.WatchCampaignPerformanceRequest(campaign_id=deal.id, interval_ms=200)
                stream = stub.WatchCampaignPerformance(request)
                try:
                    async for seen in stream:
                        last = _differing(wanted, seen.total.counts, seen.roi)
                        if not last:
                            return
                except grpc.aio.AioRpcError as error:
                    last = f"{error.code().name} {error.details()}"
                    await asyncio.sleep(0.2)
                finally:
                    stream.cancel()
    except TimeoutError:
        raise Unexpected(f"waited {WATCH_S:.0f} s for the numbers of {deal.name}: {last}") from None
