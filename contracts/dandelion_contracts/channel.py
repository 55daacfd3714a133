"""A gRPC channel with a deadline, a bearer token, keepalive and message limits on every call.

async with connect("localhost:9102", token=token) as channel:
    campaigns = CampaignQueryServiceStub(channel)
    answer = await campaigns.GetCampaign(GetCampaignRequest(campaign_id=campaign_id, at_least=receipt.token))
"""

import json
from collections.abc import AsyncIterable, Callable
from typing import TYPE_CHECKING, Any

import grpc
from grpc.aio import Channel, ClientCallDetails, Metadata

Token = str | Callable[[], str]
"""Access token, or a callable that returns the current one and is called before every RPC."""

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
DEADLINE_S = 10.0
RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
"""Retry policy: a call to an unreachable server is repeated within its deadline, which is safe because queries only read."""


def connect(
    target: str,
    *,
    token: Token = "",
    deadline_s: float = DEADLINE_S,
    credentials: grpc.ChannelCredentials | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
) -> Channel:
    """Channel to `host:port`; plaintext unless `credentials` (grpc.ssl_channel_credentials()) are given.

    A unary call ends after `deadline_s` with DEADLINE_EXCEEDED unless it sets its own `timeout`; a stream ends when it is
    cancelled. A message over `max_message_bytes` in either direction is RESOURCE_EXHAUSTED. The channel connects at the first
    call.
    """
    options = _options(max_message_bytes)
    interceptors: list[Any] = [_Unary(token, deadline_s), _Stream(token, None)]
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=options, interceptors=interceptors)
    return grpc.aio.secure_channel(target, credentials, options=options, interceptors=interceptors)


def _options(max_message_bytes: int) -> list[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.enable_retries", 1),
        ("grpc.service_config", json.dumps(RETRIES)),
    ]


class _WithToken:
    """Adds the token and the default deadline to every call; a deadline that the call sets itself wins."""

    def __init__(self, token: Token, deadline_s: float | None) -> None:
        self.token = token
        self.deadline_s = deadline_s

    def details(self, given: ClientCallDetails) -> ClientCallDetails:
        metadata = Metadata(*(given.metadata or ()))
        token = self.token() if callable(self.token) else self.token
        if token:
            metadata.add("authorization", f"Bearer {token}")
        timeout = self.deadline_s if given.timeout is None else given.timeout
        return ClientCallDetails(given.method, timeout, metadata, given.credentials, given.wait_for_ready)


if TYPE_CHECKING:  # generic in the stubs only
    _UnaryInterceptor = grpc.aio.UnaryUnaryClientInterceptor[Any, Any]
    _StreamInterceptor = grpc.aio.UnaryStreamClientInterceptor[Any, Any]
else:
    _UnaryInterceptor = grpc.aio.UnaryUnaryClientInterceptor
    _StreamInterceptor = grpc.aio.UnaryStreamClientInterceptor


# grpc-stubs says that a continuation returns a call; what grpc.aio passes returns an awaitable of one.
class _Unary(_WithToken, _UnaryInterceptor):
    async def intercept_unary_unary(
        self,
        continuation: Callable[[ClientCallDetails, Any], Any],
        client_call_details: ClientCallDetails,
        request: Any,
    ) -> Any:
        return await continuation(self.details(client_call_details), request)


class _Stream(_WithToken, _StreamInterceptor):
    async def intercept_unary_stream(
        self,
        continuation: Callable[[ClientCallDetails, Any], Any],
        client_call_details: ClientCallDetails,
        request: Any,
    ) -> AsyncIterable[Any]:
        stream: AsyncIterable[Any] = await continuation(self.details(client_call_details), request)
        return stream
