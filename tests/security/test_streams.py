"""Streams: however many one tenant opens, others are served; a stream ends with its token; a thing is read once for all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc.error_details_pb2 import RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc

from kernel.edge import grpc_calls
from kernel.edge.admission import AdmissionLimits
from kernel.edge.limits import Share
from kernel.edge.tokens import open_streams
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.processors import shared_looks
from kernel.processors.shared_looks import SharedLooks
from kernel.runtime.wakeup import Wakeup
from tests.kit.issuing import ACME, EVIL, organisation
from tests.kit.notes import ENDLESS
from tests.kit.rpc_notes import SERVICE, Code, Talk, details, reason, serving
from tests.kit.until import until, within

LIMITS = AdmissionLimits(ENDLESS, ENDLESS, calls=Share(2, 3, 8), streams=Share(2, 3, 8), message_s=0.2)


def of(talk: Talk, issuer: Issuer, subject: str, tenant: str) -> Talk:
    return Talk(talk.channel, issuer.issue(subject, tenant, "brand"))


async def opened(talk: Talk) -> Any:
    """A stream that was let in: it has told three numbers, and waits."""
    stream = talk.watch("wait")
    items = aiter(stream)
    for _ in range(3):
        await anext(items)
    return stream


async def refused(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_a_principals_and_a_tenants_streams_are_limited_and_take_nothing_from_others(
    tmp_path: Path, issuer: Issuer
) -> None:
    async with serving(tmp_path, issuer, LIMITS) as (_, ann):
        ben, eve = of(ann, issuer, "ben", ACME), of(ann, issuer, "eve", EVIL)
        streams = [await opened(ann), await opened(ann)]
        error = await refused(opened(ann))
        assert (error.code(), reason(error)) == (Code.RESOURCE_EXHAUSTED, "streams.exhausted")
        assert details(error, RetryInfo)[0].retry_delay.seconds == 1
        streams.append(await opened(ben))
        assert reason(await refused(opened(ben))) == "streams.exhausted"
        assert f"eve@{EVIL}" in await eve.ask("Read")
        assert f"ann@{ACME}" in await ann.ask("Read")
        streams.append(await opened(eve))
        streams[0].cancel()
        await until(lambda: is_let_in(ann))


async def is_let_in(talk: Talk) -> bool:
    try:
        (await opened(talk)).cancel()
    except grpc.aio.AioRpcError:
        return False
    return True


async def test_streams_of_many_tenants_leave_calls_their_places(tmp_path: Path, issuer: Issuer) -> None:
    async with serving(tmp_path, issuer, LIMITS) as (_, ann):
        streams = [await opened(of(ann, issuer, "x", organisation(f"tenant-{n}"))) for n in range(8)]
        assert reason(await refused(opened(of(ann, issuer, "x", organisation("tenant-9"))))) == "streams.exhausted"
        assert f"ann@{ACME}" in await ann.ask("Read")
        for stream in streams:
            stream.cancel()


async def test_hanging_calls_of_one_tenant_leave_places_to_others(tmp_path: Path, issuer: Issuer) -> None:
    async with serving(tmp_path, issuer, LIMITS) as (served, ann):
        eves = [of(ann, issuer, f"eve-{n}", EVIL) for n in range(5)]
        hanging = [asyncio.create_task(refused(eve.ask("Hang", timeout=None))) for eve in eves]

        async def are_full() -> bool:
            return served._edge.admission.calls.count == 3

        await until(are_full)
        assert reason(await refused(of(ann, issuer, "eve", EVIL).ask("Read"))) == "calls.exhausted"
        assert f"ann@{ACME}" in await ann.ask("Read")
        for task in hanging:
            task.cancel()


async def test_a_call_whose_message_never_comes_ends(tmp_path: Path, issuer: Issuer) -> None:
    """As the head and the body of an HTTP request: what is half sent holds its place for a bounded time."""

    async def nothing() -> AsyncIterator[StringValue]:
        await asyncio.Event().wait()
        yield StringValue()

    async with serving(tmp_path, issuer, LIMITS) as (_, ann):
        for method in ("Read", "Watch"):
            call = ann.channel.stream_unary(
                f"/{SERVICE}/{method}", StringValue.SerializeToString, StringValue.FromString
            )
            async with within(30):
                error = await refused(call(nothing(), metadata=ann.metadata))
            assert (error.code(), reason(error)) == (Code.INVALID_ARGUMENT, "request.too_slow")
        check = ann.channel.stream_unary("/grpc.health.v1.Health/Check", lambda one: one, lambda one: one)
        async with within(30):
            assert (await refused(check(nothing()))).code() is Code.INVALID_ARGUMENT


async def test_a_client_that_reads_nothing_holds_its_place_no_longer_than_a_stream_lasts(
    tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_streams, "STREAM_LIMIT_S", 0.3)
    async with serving(tmp_path, issuer, LIMITS) as (served, ann):
        unread = ann.watch("flood")

        async def is_free() -> bool:
            return served._edge.admission.streams.count == 0 and not served._edge.admission.open.open

        async def is_open() -> bool:
            return bool(served._edge.admission.open.open)

        await until(is_open)
        await until(is_free)
        unread.cancel()


async def test_a_stream_ends_with_its_token(tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verifier, "left_s", lambda *_: 0.05)
    async with serving(tmp_path, issuer, LIMITS) as (_, ann), within(30):
        error = await refused(ended(ann))
    assert (error.code(), reason(error)) == (Code.UNAUTHENTICATED, "token.expired")


async def ended(talk: Talk) -> None:
    async for _ in talk.watch("wait"):
        continue


async def test_a_stream_ends_when_its_token_is_refused_by_now(tmp_path: Path, issuer: Issuer) -> None:
    async with serving(tmp_path, issuer, LIMITS) as (served, ann):
        stream = await opened(ann)
        verifier = served._edge.admission.verifier
        await served._edge.admission.open.recheck()
        assert len(served._edge.admission.open.open) == 1
        verifier._audience = "another"
        verifier._proven.clear()
        await served._edge.admission.open.recheck()
        error = await refused(anext(aiter(stream)))
    assert (error.code(), reason(error)) == (Code.UNAUTHENTICATED, "token.wrong_audience")


async def test_watches_of_health_without_a_token_are_bounded(
    tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_calls, "OPEN_LIMIT", 3)
    async with serving(tmp_path, issuer, LIMITS) as (_, ann):
        stub: Any = health_pb2_grpc.HealthStub(ann.channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest(service="")) for _ in range(3)]
        for watch in watches:
            await anext(aiter(watch))
        error = await refused(anext(aiter(stub.Watch(health_pb2.HealthCheckRequest(service="")))))
        assert error.code() is Code.RESOURCE_EXHAUSTED
        assert f"ann@{ACME}" in await ann.ask("Read")
        assert (
            await stub.Check(health_pb2.HealthCheckRequest(service=""))
        ).status == health_pb2.HealthCheckResponse.SERVING
        for watch in watches:
            watch.cancel()


async def test_one_look_serves_all_who_watch_a_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_looks, "LOOK_AGAIN_S", 60.0)
    progress, reads, world = Wakeup(), [0], ["spring"]
    looks: SharedLooks[str] = SharedLooks(progress, 0)

    async def read() -> str:
        reads[0] += 1
        return world[0]

    async with AsyncExitStack() as stack:
        watches = [looks.watch("campaign-1", read) for _ in range(500)]
        for watch in watches:
            stack.push_async_callback(watch.aclose)
        async with within(30):
            assert {await anext(watch) for watch in watches} == {"spring"}
            assert reads == [1]
            world[0] = "summer"
            progress.notify()
            assert {await anext(watch) for watch in watches} == {"summer"}
        assert reads == [2]
    assert looks._looks == {}


async def test_what_a_look_meets_all_of_its_watchers_meet_and_the_next_one_begins_anew() -> None:
    looks: SharedLooks[str] = SharedLooks(Wakeup(), 0)

    async def fails() -> str:
        raise ConnectionError("the database is away")

    async def works() -> str:
        return "spring"

    async with within(30):
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await anext(looks.watch("campaign-1", fails))
        watch = looks.watch("campaign-1", works)
        assert await anext(watch) == "spring"
        await watch.aclose()
