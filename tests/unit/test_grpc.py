"""The gRPC edge: nobody in without a token, every error a status with its code, nothing waits for ever."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RequestInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from kernel.core.faults import Fault
from kernel.edge import grpc_calls
from kernel.edge.admission import Admission, AdmissionLimits
from kernel.edge.grpc import MESSAGE_LIMIT_BYTES, Rpc, RpcService
from kernel.edge.limits import Rate
from kernel.edge.tokens import open_streams
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from kernel.runtime.health import Health
from kernel.runtime.telemetry import exposition
from tests.kit.issuing import ACME, issuer_at
from tests.kit.rpc_notes import FAULTS, MARKER, SERVICE, Code, Talk, add, details, reason, serving
from tools.speed import patience

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return issuer_at(tmp_path)


@pytest.fixture
async def talk(tmp_path: Path, issuer: Issuer) -> AsyncIterator[Talk]:
    async with serving(tmp_path, issuer) as (_, talk):
        yield talk


async def test_a_caller_is_known_and_the_trace_goes_on(talk: Talk) -> None:
    talk.metadata += (("traceparent", PARENT),)
    assert await talk.ask("Read", "hello") == f"ann@{ACME} hello {PARENT}"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "token.missing"),
        ("Basic YTpi", "token.scheme_missing"),
        ("eyJ.x.y", "token.scheme_missing"),
        ("Bearer nonsense", "token.malformed"),
    ],
)
async def test_without_a_good_token_nobody_gets_in(talk: Talk, authorization: str | None, code: str) -> None:
    talk.metadata = (("authorization", authorization),) if authorization else ()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await talk.ask("Read")
    assert (refused.value.code(), reason(refused.value)) == (Code.UNAUTHENTICATED, code)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await anext(aiter(talk.watch("")))
    assert refused.value.code() is Code.UNAUTHENTICATED


@pytest.mark.parametrize("name", FAULTS)
async def test_every_fault_has_its_status_and_code(talk: Talk, name: str) -> None:
    fault, status = FAULTS[name]
    code = fault.code if isinstance(fault, Fault) and status is not Code.INTERNAL else "internal"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await talk.ask("Fail", name)
    assert (refused.value.code(), reason(refused.value)) == (status, code)
    assert MARKER not in repr(refused.value)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        [item async for item in talk.watch(name)]
    assert (refused.value.code(), reason(refused.value)) == (status, code)


async def test_details_name_the_field_the_facts_and_the_wait(talk: Talk) -> None:
    errors = {}
    for name in ("invalid", "refused", "exhausted", "pending"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await talk.ask("Fail", name)
        errors[name] = refused.value
    (bad,) = details(errors["invalid"], BadRequest)
    assert [(one.field, one.reason) for one in bad.field_violations] == [("text", "note.too_long")]
    (info,) = details(errors["refused"], ErrorInfo)
    assert (info.domain, dict(info.metadata)) == ("dandelion", {"open": "false", "by": "none"})
    assert details(errors["exhausted"], RetryInfo)[0].retry_delay.seconds == 7
    assert details(errors["pending"], RetryInfo)[0].retry_delay.seconds == 1


async def test_an_unexpected_error_is_logged_under_the_id_the_caller_gets(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "kernel.edge.grpc_errors"), pytest.raises(grpc.aio.AioRpcError) as refused:
        await talk.ask("Fail", "bug")
    (record,) = [one for one in caplog.records if one.name == "kernel.edge.grpc_errors"]
    assert details(refused.value, RequestInfo)[0].request_id == record.__dict__["error_id"]
    assert isinstance(record.exc_info and record.exc_info[1], ZeroDivisionError)


async def test_bytes_that_are_no_message_are_the_callers_fault(talk: Talk) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await talk.ask("Read", raw=b"\xff\xff\xff")
    assert (refused.value.code(), reason(refused.value)) == (Code.INVALID_ARGUMENT, "request.malformed")


async def test_a_message_over_the_limit_is_refused(talk: Talk) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await talk.ask("Read", "x" * (MESSAGE_LIMIT_BYTES + 1))
    assert refused.value.code() is Code.RESOURCE_EXHAUSTED


async def test_a_call_without_deadline_gets_one(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_calls, "DEADLINE_S", 0.05)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await talk.ask("Hang", timeout=None)
    assert refused.value.code() is Code.DEADLINE_EXCEEDED


async def test_a_long_deadline_is_cut(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_calls, "DEADLINE_LIMIT_S", 0.05)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await talk.ask("Hang", timeout=patience(500))
    assert refused.value.code() is Code.DEADLINE_EXCEEDED


async def test_a_stream_ends_at_its_limit(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_streams, "STREAM_LIMIT_S", 0.05)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        [item async for item in talk.watch("wait")]
    assert refused.value.code() is Code.DEADLINE_EXCEEDED


async def test_a_stream_delivers_and_ends(talk: Talk) -> None:
    assert [item.value async for item in talk.watch("")] == [0, 1, 2]


async def test_a_drain_sends_watchers_elsewhere(tmp_path: Path, issuer: Issuer) -> None:
    async with serving(tmp_path, issuer) as (served, talk):
        items = aiter(talk.watch("wait"))
        assert [(await anext(items)).value for _ in range(3)] == [0, 1, 2]
        stopping = asyncio.create_task(served.stop(grace_s=20))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await anext(items)
        assert (refused.value.code(), reason(refused.value)) == (Code.UNAVAILABLE, "server.stopping")
        await stopping


async def test_a_principal_over_its_rate_is_refused(tmp_path: Path, issuer: Issuer) -> None:
    async with serving(tmp_path, issuer, AdmissionLimits(Rate(per_s=0.01, burst=1))) as (_, talk):
        await talk.ask("Read")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await talk.ask("Read")
    assert (refused.value.code(), reason(refused.value)) == (Code.RESOURCE_EXHAUSTED, "rate.exhausted")


async def test_calls_are_measured_by_method_and_status(talk: Talk) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        await talk.ask("Fail", "refused")
    assert f'rpc_requests_total{{method="/{SERVICE}/Fail",status="FAILED_PRECONDITION"}}' in exposition().decode()


async def test_health_is_open_and_follows_readiness(tmp_path: Path, issuer: Issuer) -> None:
    health = Health()
    async with serving(tmp_path, issuer, health=health) as (served, talk):
        stub: Any = health_pb2_grpc.HealthStub(talk.channel)

        async def states() -> set[int]:
            asked = [health_pb2.HealthCheckRequest(service=name) for name in ("", SERVICE)]
            return {(await stub.Check(one)).status for one in asked}

        assert await states() == {health_pb2.HealthCheckResponse.SERVING}
        health.draining = True
        await served.show_health()
        assert await states() == {health_pb2.HealthCheckResponse.NOT_SERVING}


@pytest.mark.parametrize("on", [True, False])
async def test_reflection_is_there_only_when_asked_for(tmp_path: Path, issuer: Issuer, on: bool) -> None:
    async with serving(tmp_path, issuer, reflection=on) as (_, talk):
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(talk.channel)
        asked = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        if on:
            answer = await anext(aiter(asked))
            assert SERVICE in {one.name for one in answer.list_services_response.service}
        else:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await anext(aiter(asked))
            assert refused.value.code() is Code.UNIMPLEMENTED


async def test_a_taken_port_is_an_error(tmp_path: Path, issuer: Issuer) -> None:
    admission = Admission(Verifier(str(tmp_path / "jwks.json"), "i", "a"))
    first = Rpc([], admission)
    port = await first.start("127.0.0.1:0")
    with pytest.raises(OSError, match="cannot listen"):
        await Rpc([], admission).start(f"127.0.0.1:{port}")
    await first.stop(0)


async def test_the_role_leaves_when_told_to_stop(tmp_path: Path, issuer: Issuer) -> None:
    stop = asyncio.Event()
    admission = Admission(Verifier(str(tmp_path / "jwks.json"), "i", "a"))
    role = Rpc([RpcService(SERVICE, add)], admission).role("127.0.0.1:0")
    stop.set()
    await role.serve(stop)
