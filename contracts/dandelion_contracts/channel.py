"""A gRPC channel with a deadline, a bearer token, keepalive and message limits on every call.

async with connect("campaigns-queries.example.com:443", token=token, tls=Tls()) as channel:
    campaigns = CampaignQueryServiceStub(channel)
    answer = await campaigns.GetCampaign(GetCampaignRequest(campaign_id=campaign_id, at_least=receipt.token))
"""

import json
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from grpc.aio import Channel, ClientCallDetails, Metadata

Token = str | Callable[[], str]
"""Access token, or a callable that returns the current one and is called before every RPC."""

LOOPBACK = ("127.0.0.1:", "localhost:", "[::1]:", "unix:")
"""Targets that no network carries bytes to."""

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


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS of a channel: whom it believes, and who it says it is. Files are PEM.

    They are read when a channel is made, so a channel that is made after a rotation uses the new ones.
    """

    ca_file: str | Path | None = None
    """Authorities that may have signed the server's certificate; None: those that gRPC brings along."""
    certificate_file: str | Path | None = None
    """Certificate of this client with its chain, for a server that asks for one; with `key_file`."""
    key_file: str | Path | None = None
    server_name: str = ""
    """Name that the server's certificate must have, where that is not the target's host."""

    def credentials(self) -> grpc.ChannelCredentials:
        """Raises OSError for a file that cannot be read, and ValueError for a certificate without its key."""
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file are given both or not at all")
        return grpc.ssl_channel_credentials(_read(self.ca_file), _read(self.key_file), _read(self.certificate_file))


def _read(file: str | Path | None) -> bytes | None:
    return None if file is None else Path(file).read_bytes()


def connect(
    target: str,
    *,
    token: Token = "",
    deadline_s: float = DEADLINE_S,
    tls: Tls | None = None,
    plaintext: bool = False,
    credentials: grpc.ChannelCredentials | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
) -> Channel:
    """Channel to `host:port`, encrypted with `tls` or `credentials` (any that gRPC makes).

    Without either it is in plaintext: on this machine, else with `plaintext=True` only, as the token would be there for all who
    are between; raises ValueError. A unary call ends after `deadline_s` with DEADLINE_EXCEEDED unless it sets its own `timeout`;
    a stream ends when it is cancelled: who leaves its loop early calls `cancel()` on it, or it goes on and counts against the
    caller's limit. A message over `max_message_bytes` in either direction is RESOURCE_EXHAUSTED. The channel
    connects at the first call.
    """
    options = _options(max_message_bytes)
    interceptors: list[Any] = [_Unary(token, deadline_s), _Stream(token, None)]
    if tls is not None:
        credentials = tls.credentials()
        options += [("grpc.ssl_target_name_override", tls.server_name)] if tls.server_name else []
    if credentials is not None:
        return grpc.aio.secure_channel(target, credentials, options=options, interceptors=interceptors)
    if not plaintext and not target.startswith(LOOPBACK):
        raise ValueError(
            f"{target} would be reached in plaintext: give tls=Tls(...), or plaintext=True where nobody is between"
        )
    return grpc.aio.insecure_channel(target, options=options, interceptors=interceptors)


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
