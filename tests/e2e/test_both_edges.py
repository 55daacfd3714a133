"""Every query, asked over gRPC and over HTTP by everyone who might, on the platform after its story: the answers are the same.

The requests are made from the descriptors, so that a new query is compared the moment it exists.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from cli.layout import SERVICES
from cli.story.market import Who
from cli.story.plan import DEALS
from kernel.core.ids import derived_id
from kernel.edge.transcoding.rules import Rule, rules_of
from tests.e2e.test_strangers import STRANGERS, Stage, request_of, stage
from tests.kit.both_edges import Heard, described, over_grpc, over_http
from tools.speed import patience

__all__ = ["stage"]
CALLERS = {
    "nobody": None,
    "a stranger": STRANGERS["another brand"],
    "the brand": DEALS[0].brand,
    "finance": Who("fay", "platform", "finance"),
    "an operator": Who("olga", "platform", "operator"),
    "a reviewer": Who("rita", "platform", "reviewer"),
}
ASKED_AGAIN = 10
SILENT = {
    "ListContestedHandles", "GetErasure", "ListErasures", "GetTaxResidence", "ListDeferredPayments", "ListDiscrepancies",
    "ListMarkedDeals", "ListReferenceRates", "ListReviewQueue", "ListDisputes", "QuoteCancellation",
    "ListLateDeadlines", "ListParkedKeys", "PlanMix", "MatchCreators", "ListAccountProofs",
    "ListContactReadings", "GetMediaKit", "GetMediaKitLinks", "ListAuthenticity",
    "LearnMatchWeights", "ListAnomalies", "ListSavedSearches", "ListSavedSearchMatches", "GetSentiment", "ScoreTexts",
    "ListShortlists", "ListShortlistCreators",
}  # fmt: skip
"""Queries that the story leaves empty; all others are compared with something to show."""


def rules(service: str) -> Iterator[Rule]:
    for one in described(service):
        yield from (rule for rule in rules_of(one) if not rule.is_stream)


def requests_of(rule: Rule, ids: Mapping[str, str]) -> Iterator[Message]:
    """With all ids, with those of the path, about what is nowhere, and wrong in each way that a list knows."""
    kind = GetMessageClass(rule.request)
    yield request_of(rule.method, ids, {})
    least = {name: ids[name] for name in rule.variables}
    yield kind(**least)
    yield request_of(rule.method, {name: derived_id("nowhere", name) for name in ids}, {})
    yield kind(**dict.fromkeys(rule.variables, "not-an-id"))
    wrong: dict[str, Any] = {"page_size": -1, "page_token": "k.x", "order_by": "nothing", "at_least": "nonsense"}
    for name, value in wrong.items():
        if name in rule.request.fields_by_name:
            yield kind(**least, **{name: value})


ASKED_AT = frozenset({"compared_at", "since", "until"})


def bare(heard: Heard) -> Heard:
    """Without the page token, which is encrypted anew each time, but for whether there is one."""
    if not heard.code and "next_page_token" in heard.told.get("page", {}):
        page = {**heard.told["page"], "next_page_token": bool(heard.told["page"]["next_page_token"])}
        return Heard("", "", {**heard.told, "page": page})
    return replace(heard, told=without_moment(heard.told))


def without_moment(told: Any) -> Any:
    """Without the moments at which it was asked: what was measured is compared with a year that ends then."""
    if isinstance(told, dict):
        return {name: without_moment(value) for name, value in told.items() if name not in ASKED_AT}
    return [without_moment(one) for one in told] if isinstance(told, list) else told


async def let_in(ask: Callable[[], Awaitable[Heard]]) -> Heard:
    """What is heard, asked again when the platform says so where the caller's allowance is used up."""
    for _ in range(ASKED_AGAIN):
        heard = await ask()
        if heard.code != "rate.exhausted":
            return bare(heard)
        await asyncio.sleep(int(heard.told["retry_after_s"]))
    raise AssertionError("the allowance does not come back")


def is_something(heard: Heard) -> bool:
    return not heard.code and any(value for name, value in heard.told.items() if name != "page")


@pytest.mark.parametrize("service", SERVICES)
async def test_each_query_answers_the_same_over_both_edges(stage: Stage, service: str) -> None:
    ids = {**stage.ids_in(service), "payee_id": stage.ids["creator_id"], "subject_id": stage.ids["creator_id"]}
    base, wrong, shown, silent = stage.address.http[service], [], set(), set()
    async with (
        grpc.aio.insecure_channel(stage.address.rpc[service]) as channel,
        httpx.AsyncClient(timeout=patience(30)) as client,
    ):
        for rule in rules(service):
            silent.add(rule.method.name)
            for name, who in CALLERS.items():
                token = stage.address.issue(who) if who else ""
                for request in requests_of(rule, ids):
                    said = await let_in(partial(over_grpc, channel, rule, request, token))
                    heard = await let_in(partial(over_http, client, base, rule, request, token))
                    shown |= {rule.method.name} if is_something(heard) else set()
                    if said != heard:
                        wrong.append(f"{rule.method.name} by {name}, {request}: {said} but {heard}")
    assert not wrong, "\n".join(wrong)[:5_000]
    assert silent - shown <= SILENT, "what the story leaves empty is not compared"


@pytest.mark.parametrize("service", SERVICES)
async def test_a_page_token_of_one_edge_opens_the_next_page_over_the_other(stage: Stage, service: str) -> None:
    followed = 0
    base = stage.address.http[service]
    async with (
        grpc.aio.insecure_channel(stage.address.rpc[service]) as channel,
        httpx.AsyncClient(timeout=patience(30)) as client,
    ):
        for rule in rules(service):
            if "page_token" not in rule.request.fields_by_name:
                continue
            for who in ("an operator", "the brand"):
                token = stage.address.issue(CALLERS[who])  # type: ignore[arg-type]
                request: Any = GetMessageClass(rule.request)(page_size=1)
                first = await over_http(client, base, rule, request, token)
                if first.code or not first.told["page"]["next_page_token"]:
                    continue
                request.page_token = first.told["page"]["next_page_token"]
                second = await over_grpc(channel, rule, request, token)
                assert second.code == "", second
                again = await over_http(client, base, rule, request, token)
                assert bare(second) == bare(again)
                assert bare(first) != bare(second)
                followed += 1
    assert followed
