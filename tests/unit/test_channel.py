# ruff: noqa: N802 - gRPC names the methods
"""The channel helper against a real gRPC server: token, deadline, retries, limits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from dandelion.ledger.v1.queries_pb2 import (
    GetBalancesRequest,
    GetBalancesResponse,
    GetTrialBalanceRequest,
    GetTrialBalanceResponse,
    ListDiscrepanciesRequest,
    ListDiscrepanciesResponse,
    ListStatementRequest,
    ListStatementResponse,
    VerifyLedgerRequest,
    VerifyLedgerResponse,
)
from dandelion.ledger.v1.queries_pb2_grpc import (
    BalanceQueryServiceServicer,
    BalanceQueryServiceStub,
    add_BalanceQueryServiceServicer_to_server,
)
from dandelion.metrics.v1.queries_pb2 import (
    GetCampaignRoiRequest,
    GetCampaignRoiResponse,
    ListCampaignPerformanceRequest,
    ListCampaignPerformanceResponse,
    WatchCampaignPerformanceRequest,
    WatchCampaignPerformanceResponse,
)
from dandelion.metrics.v1.queries_pb2_grpc import (
    RoiQueryServiceServicer,
    RoiQueryServiceStub,
    add_RoiQueryServiceServicer_to_server,
)
from dandelion_contracts.channel import connect

from tools.speed import patience

AioContext = grpc.aio.ServicerContext[Any, Any]


@dataclass
class Seen:
    tokens: list[Any] = field(default_factory=list)
    time_left_s: list[float | None] = field(default_factory=list)
    unavailable: int = 0

    def note(self, context: AioContext) -> None:
        self.tokens.append(dict(context.invocation_metadata() or ()).get("authorization"))
        self.time_left_s.append(context.time_remaining())


class Balances(BalanceQueryServiceServicer):
    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    async def GetBalances(self, request: GetBalancesRequest, context: AioContext) -> GetBalancesResponse:
        self.seen.note(context)
        if self.seen.unavailable:
            self.seen.unavailable -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "come again")
        return GetBalancesResponse()

    async def ListStatement(self, request: ListStatementRequest, context: AioContext) -> ListStatementResponse:
        await asyncio.Event().wait()
        return ListStatementResponse()

    async def GetTrialBalance(self, request: GetTrialBalanceRequest, context: AioContext) -> GetTrialBalanceResponse:
        return GetTrialBalanceResponse()

    async def ListDiscrepancies(
        self, request: ListDiscrepanciesRequest, context: AioContext
    ) -> ListDiscrepanciesResponse:
        return ListDiscrepanciesResponse()

    async def VerifyLedger(self, request: VerifyLedgerRequest, context: AioContext) -> VerifyLedgerResponse:
        return VerifyLedgerResponse(root_hash="f" * 100_000)


class Performance(RoiQueryServiceServicer):
    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    async def GetCampaignRoi(self, request: GetCampaignRoiRequest, context: AioContext) -> GetCampaignRoiResponse:
        return GetCampaignRoiResponse()

    async def ListCampaignPerformance(
        self, request: ListCampaignPerformanceRequest, context: AioContext
    ) -> ListCampaignPerformanceResponse:
        return ListCampaignPerformanceResponse()

    async def WatchCampaignPerformance(
        self, request: WatchCampaignPerformanceRequest, context: AioContext
    ) -> AsyncIterator[WatchCampaignPerformanceResponse]:
        self.seen.note(context)
        for _ in range(3):
            yield WatchCampaignPerformanceResponse()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def target(seen: Seen) -> AsyncIterator[str]:
    server = grpc.aio.server()
    add_BalanceQueryServiceServicer_to_server(Balances(seen), server)  # type: ignore[abstract]  # as far as it is asked
    add_RoiQueryServiceServicer_to_server(Performance(seen), server)  # type: ignore[abstract]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@asynccontextmanager
async def balances(target: str, **options: Any) -> AsyncIterator[Any]:
    async with connect(target, **options) as channel:
        yield BalanceQueryServiceStub(channel)


async def test_every_call_carries_the_token_of_its_moment(target: str, seen: Seen) -> None:
    issued = iter(["first", "second"])
    token: Callable[[], str] = lambda: next(issued)  # noqa: E731
    async with balances(target, token=token) as stub:
        await stub.GetBalances(GetBalancesRequest())
        await stub.GetBalances(GetBalancesRequest())
    assert seen.tokens == ["Bearer first", "Bearer second"]


async def test_no_token_is_no_header(target: str, seen: Seen) -> None:
    async with balances(target) as stub:
        await stub.GetBalances(GetBalancesRequest())
    assert seen.tokens == [None]


async def test_a_call_has_a_deadline_unless_it_brings_its_own(target: str, seen: Seen) -> None:
    async with balances(target, deadline_s=5.0) as stub:
        await stub.GetBalances(GetBalancesRequest())
        await stub.GetBalances(GetBalancesRequest(), timeout=patience(500))
    first, second = seen.time_left_s
    assert first is not None
    assert second is not None
    assert first < 6 < second  # gRPC rounds up what it sends


async def test_a_server_that_does_not_answer_is_left_in_time(target: str) -> None:
    async with balances(target, deadline_s=0.2) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ListStatement(ListStatementRequest())
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(("failures", "code"), [(2, None), (3, grpc.StatusCode.UNAVAILABLE)])
async def test_an_unavailable_server_is_asked_three_times(
    target: str, seen: Seen, failures: int, code: grpc.StatusCode | None
) -> None:
    seen.unavailable = failures
    outcome = None
    async with balances(target) as stub:
        try:
            await stub.GetBalances(GetBalancesRequest())
        except grpc.aio.AioRpcError as error:
            outcome = error.code()
    assert outcome is code
    assert len(seen.tokens) == 3


async def test_a_message_over_the_limit_is_refused_both_ways(target: str) -> None:
    async with balances(target, max_message_bytes=50_000) as stub:
        for call in (
            stub.VerifyLedger(VerifyLedgerRequest()),
            stub.GetBalances(GetBalancesRequest(at_least="x" * 60_000)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stream_carries_the_token_and_no_deadline(target: str, seen: Seen) -> None:
    async with connect(target, token="live", deadline_s=0.001) as channel:
        answers = RoiQueryServiceStub(channel).WatchCampaignPerformance(WatchCampaignPerformanceRequest())
        assert len([answer async for answer in answers]) == 3
    assert seen.tokens == ["Bearer live"]
    assert seen.time_left_s == [None]
