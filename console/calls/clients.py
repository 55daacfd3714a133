"""The services, as a signed-in person reaches them: queries over gRPC, commands over HTTP, with the person's own token."""

import asyncio
import contextlib
import ssl
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import httpx
from dandelion.campaigns.v1.queries_pb2_grpc import CampaignQueryServiceStub
from dandelion.compliance.v1.queries_pb2_grpc import ReviewQueryServiceStub
from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceStub
from dandelion.history.v1.queries_pb2_grpc import HistoryQueryServiceStub
from dandelion.ledger.v1.queries_pb2_grpc import BalanceQueryServiceStub
from dandelion.metrics.v1.queries_pb2_grpc import OrderQueryServiceStub, RoiQueryServiceStub, SiteQueryServiceStub
from dandelion.operations.v1.queries_pb2_grpc import OperationsQueryServiceStub
from dandelion_contracts.channel import Tls, connect
from google.protobuf.message import Message

from console.calls.problems import AWAY, Problem, of_answer, of_call
from console.settings import ConsoleSettings, addresses

COMMAND_S = 20.0
"""Time for a command's answer. Past it the outcome is unknown, and the same form sent again is the same command."""
CONNECTIONS = 200
ANSWER_LIMIT_BYTES = 4 * 1024 * 1024
"""So much of an answer is read that is shown as it came."""
STREAM, WATCHED_S = "text/event-stream", 3.0
"""So long a stream is watched whose beginning is shown."""

EMPTY: Mapping[str, str] = {}
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a command's answer says: the stream it changed, and the token that makes a query wait for the change."""

    stream: str
    version: int
    token: str

    @property
    def id(self) -> str:
        """The id of the thing, without the kind of the stream."""
        return self.stream.partition("-")[2]


@dataclass(frozen=True, slots=True)
class Exchanged:
    """An HTTP answer as it came; `is_cut`: there was more of it."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool


class Services:
    """Connections to all five services, shared by everybody; `close` ends them, `renew` takes new ones."""

    def __init__(self, settings: ConsoleSettings) -> None:
        """Raises OSError where a certificate's file is missing or wrong."""
        self._settings = settings
        self._leaving: set[asyncio.Task[None]] = set()
        self._open(settings)

    def _open(self, settings: ConsoleSettings) -> None:
        checked_by = _checked_by(settings)
        targets, tls = addresses(settings.rpc), _tls(settings)
        self._channels = {
            name: connect(target, tls=tls, plaintext=settings.plaintext) for name, target in targets.items()
        }
        self.discovery = CreatorQueryServiceStub(self._channels["discovery"])
        self.campaigns = CampaignQueryServiceStub(self._channels["campaigns"])
        self.ledger = BalanceQueryServiceStub(self._channels["ledger"])
        self.compliance = ReviewQueryServiceStub(self._channels["compliance"])
        self.metrics = RoiQueryServiceStub(self._channels["metrics"])
        self.orders = OrderQueryServiceStub(self._channels["metrics"])
        self.sites = SiteQueryServiceStub(self._channels["metrics"])
        self.histories = {name: HistoryQueryServiceStub(channel) for name, channel in self._channels.items()}
        self.operations = {name: OperationsQueryServiceStub(channel) for name, channel in self._channels.items()}
        self._base = addresses(settings.http)
        self.names: Collection[str] = self._base.keys()
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._http = httpx.AsyncClient(timeout=COMMAND_S, limits=limits, verify=checked_by, trust_env=False)

    async def renew(self) -> None:
        """New connections with what the certificate's files hold now; those of before end once their calls have.

        Raises OSError, and keeps the connections of before, where the files do not fit each other.
        """
        http, channels = self._http, list(self._channels.values())
        self._open(self._settings)
        task = asyncio.create_task(_left(http, channels), name="leave connections")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await self._http.aclose()
        for channel in self._channels.values():
            await channel.close(None)

    async def ask(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, token: str) -> A:
        """Answer of a query; raises Problem."""
        try:
            return await method(request, metadata=_bearer(token))
        except grpc.aio.AioRpcError as error:
            raise of_call(error) from error

    async def command(self, service: str, method: str, path: str, body: Any, token: str, key: str) -> Receipt:
        """Sends a command under an idempotency key; raises Problem."""
        told = await self.send(service, method, path, token, json=body, headers={"Idempotency-Key": key})
        return Receipt(told["stream"], told["version"], told["token"])

    async def send(self, service: str, method: str, path: str, token: str, **more: Any) -> Any:
        """Answer's JSON of any HTTP request to a service; `more` as httpx takes it. Raises Problem."""
        headers = {**more.pop("headers", {}), "Authorization": f"Bearer {token}"}
        try:
            answer = await self._http.request(method, self._base[service] + path, headers=headers, **more)
        except httpx.HTTPError as error:
            raise Problem(AWAY.kind, AWAY.code, {"service": service}) from error
        if answer.is_success:
            return answer.json()
        raise of_answer(answer)

    async def opened(self, service: str, method: str, path: str, token: str, body: Any) -> httpx.Response:
        """A file that a service answers, to be read part by part and closed by the caller. Raises Problem."""
        headers = {"Authorization": f"Bearer {token}"}
        request = self._http.build_request(method, self._base[service] + path, headers=headers, json=body)
        try:
            answer = await self._http.send(request, stream=True)
            if not answer.is_success:
                await answer.aread()
        except httpx.HTTPError as error:
            raise Problem(AWAY.kind, AWAY.code, {"service": service}) from error
        if answer.is_success:
            return answer
        raise of_answer(answer)

    async def public(self, service: str, path: str, headers: Mapping[str, str]) -> httpx.Response:
        """Answer to anybody, signed in or not; raises Problem."""
        try:
            answer = await self._http.get(self._base[service] + path, headers=dict(headers))
        except httpx.HTTPError as error:
            raise Problem(AWAY.kind, AWAY.code, {"service": service}) from error
        if answer.is_success:
            return answer
        raise of_answer(answer)

    async def exchange(
        self, service: str, method: str, path: str, token: str, content: bytes = b"", headers: Mapping[str, str] = EMPTY
    ) -> Exchanged:
        """Whatever a service answers to an HTTP request of the person. Raises Problem when none comes."""
        sent, address = {**headers, "Authorization": f"Bearer {token}"}, self._base[service] + path
        try:
            async with self._http.stream(method, address, headers=sent, content=content) as answer:
                body, is_cut = await _read(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Problem(AWAY.kind, AWAY.code, {"service": service}) from error
        return Exchanged(answer.status_code, answer.reason_phrase, dict(answer.headers), body, is_cut)


async def _left(http: httpx.AsyncClient, channels: Sequence[grpc.aio.Channel]) -> None:
    """Gives calls under way their time, then ends the connections; live parts of pages connect anew."""
    try:
        await asyncio.sleep(COMMAND_S)
    finally:
        await http.aclose()
        for channel in channels:
            await channel.close(None)


async def _read(answer: httpx.Response) -> tuple[bytes, bool]:
    """At most ANSWER_LIMIT_BYTES, of a stream what comes within WATCHED_S; whether there was more."""
    body, streams = b"", answer.headers.get("content-type", "").startswith(STREAM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WATCHED_S if streams else None):
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > ANSWER_LIMIT_BYTES:
                    return body[:ANSWER_LIMIT_BYTES], True
    return body, streams


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def _tls(settings: ConsoleSettings) -> Tls | None:
    if settings.ca_file is None:
        return None
    return Tls(settings.ca_file, settings.certificate_file, settings.key_file)


def _checked_by(settings: ConsoleSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.certificate_file is not None:
        context.load_cert_chain(settings.certificate_file, settings.key_file)
    return context
