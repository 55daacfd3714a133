"""uvicorn with what it lacks against half-sent requests: time limits for head, body and answer, and connections per address.

nginx calls the first three client_header_timeout, client_body_timeout and send_timeout. A server at its limit of connections
closes the oldest one that waits for a request, so that a new client, which sends its request at once, is served.
"""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import chain
from typing import Any

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kernel.runtime import telemetry
from kernel.runtime.roles import EDGE, Role
from kernel.runtime.settings import Settings
from kernel.runtime.tls.handshake import Connection, Handshake
from kernel.runtime.tls.material import EdgeTls

SPARE_FILES = 200
"""File descriptors that are left to databases, brokers and files."""
BACKLOG = 1_024


def _nobody(_address: str) -> bool:
    return False


def _itself(address: str) -> str:
    return address


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Limits of one listening port; times in seconds."""

    head_s: float = 10
    body_s: float = 20
    answer_s: float = 20
    """Time for which a client may leave a part of its answer unread."""
    keep_alive_s: int = 30
    head_bytes: int = 32 * 1024
    connections: int = 2_000
    connections_per_address: int = 200
    is_exempt: Callable[[str], bool] = _nobody
    """Addresses without a limit of their own: proxies, which bring many visitors."""
    client_of: Callable[[str], str] = _itself
    """What counts as one address: of IPv6 the whole network that a provider gives to one customer."""

    @classmethod
    def of(
        cls, settings: Settings, is_exempt: Callable[[str], bool], client_of: Callable[[str], str] = _itself
    ) -> "HttpLimits":
        """The limits that the settings name; the others as they are."""
        return cls(
            head_s=settings.head_limit_s,
            body_s=settings.body_limit_s,
            connections=settings.connections,
            connections_per_address=settings.connections_per_address,
            is_exempt=is_exempt,
            client_of=client_of,
        )


class Connections:
    """Open connections of one port by address, the oldest first."""

    def __init__(self, limits: HttpLimits) -> None:
        self.limits = limits
        self._limit = min(limits.connections, max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES))
        self._of: dict[str, dict[Connection, None]] = {}
        self._count = 0

    def admit(self, new: Connection) -> bool:
        """Takes a connection in, closing one that waits where a limit is reached; False when none of them waits."""
        of_client = self._of.get(new.client_key, {})
        is_full = len(of_client) >= self.limits.connections_per_address and not self.limits.is_exempt(new.address)
        if is_full and not self._closed_one(of_client, "address"):
            return False
        if self._count >= self._limit and not self._closed_one(self._by_count(), "connections"):
            return False
        self._of.setdefault(new.client_key, {})[new] = None
        self._count += 1
        return True

    def leave(self, one: Connection) -> None:
        of_client = self._of.get(one.client_key, {})
        if one in of_client:
            del of_client[one]
            self._count -= 1
            if not of_client:
                del self._of[one.client_key]

    def _by_count(self) -> Iterable[Connection]:
        """All connections, those of the client that has most before those of others."""
        clients = sorted(self._of.values(), key=len, reverse=True)
        return chain.from_iterable(clients)

    def _closed_one(self, among: Iterable[Connection], limit: str) -> bool:
        waiting = next((one for one in among if one.is_waiting), None)
        if waiting is not None:
            self.leave(waiting)
            waiting.end(limit)
        return waiting is not None


class LimitedProtocol(HttpToolsProtocol):
    """One HTTP connection with its limits. `_stage` is what of a request the connection waits for: "head", "body" or nothing."""

    def __init__(self, known: Connections, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._known, self._limits = known, known.limits
        self.address = self.client_key = ""
        self._stage, self._head_bytes = "", 0
        self._waits: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the next step is the client's: no whole request of it is being answered."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self.client_key = self._limits.client_of(self.address)
        if self._known.admit(self):
            self._wait_for("head", self._limits.head_s)
        else:
            self._refuse(503, "server.busy", "too many connections are being answered: try again later")
            telemetry.count("connections_ended_total", limit="refused")

    def connection_lost(self, exc: Exception | None) -> None:
        self._known.leave(self)
        self._wait_for("", 0)
        self._answer_is_taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if not self._stage and self.is_waiting and not self.transport.is_closing():
            # empty lines between requests begin none, and end uvicorn's limit of idle connections
            self._wait_for("head", self._limits.head_s)
        if self._stage == "head":
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes:
                self._refuse(
                    431, "request.head_too_large", f"a request's head has {self._limits.head_bytes} bytes at most"
                )
                telemetry.count("connections_ended_total", limit="head_bytes")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        if self._stage != "head":
            self._wait_for("head", self._limits.head_s)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._wait_for("body", self._limits.body_s)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._wait_for("", 0)

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "request.malformed", msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self._limits.answer_s, self.end, "answer")

    def resume_writing(self) -> None:
        self._answer_is_taken()
        super().resume_writing()

    def end(self, limit: str) -> None:
        """Ends the connection at once, whatever is left to send."""
        telemetry.count("connections_ended_total", limit=limit)
        self.transport.abort()

    def _wait_for(self, stage: str, limit_s: float) -> None:
        self._stage = stage
        if self._waits is not None:
            self._waits.cancel()
        self._waits = self.loop.call_later(limit_s, self._late) if stage else None

    def _late(self) -> None:
        """The head or the body did not arrive in time: 408, or the end where the answer has begun or none is awaited."""
        telemetry.count("connections_ended_total", limit=self._stage)
        if not self.is_waiting:  # the next request of a pipeline is late; the one before it is answered first
            self.cycle.keep_alive = False
        elif self._stage == "body" and (self.cycle.response_started or self.cycle.response_complete):
            self.transport.abort()
        else:
            self._refuse(408, "request.too_slow", f"the {self._stage} of the request did not arrive in time")

    def _answer_is_taken(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answers with a problem without asking the app, and closes."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
        self._wait_for("", 0)
        self.transport.write(_problem(status, code, detail))
        self.transport.close()


def _problem(status: int, code: str, detail: str) -> bytes:
    phrase = HTTPStatus(status).phrase
    kind = "unavailable" if status == HTTPStatus.SERVICE_UNAVAILABLE else "invalid"
    body = orjson.dumps(
        {"type": f"urn:dandelion:fault:{kind}", "title": phrase, "status": status, "detail": detail, "instance": "",
         "kind": kind, "code": code, "facts": {}}
    )  # fmt: skip
    retry = "retry-after: 1\r\n" if kind == "unavailable" else ""
    head = (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        f"{retry}connection: close\r\n\r\n"
    )
    return head.encode() + body


def _accepted(known: Connections, tls: EdgeTls | None, **named: Any) -> asyncio.Protocol:
    """What serves a new connection: with TLS its handshake first. `named` is what uvicorn gives."""
    make = partial(LimitedProtocol, known, **named)
    if tls is None:
        return make()
    return Handshake(tls, known.limits.head_s, known, known.limits.client_of, named["server_state"].connections, make)


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to `run`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def http(
    app: Any, bound: socket.socket, *, grace_s: float = 8, limits: HttpLimits | None = None, tls: EdgeTls | None = None
) -> Role:
    """The role that serves an ASGI app on a socket of `listen`, in plaintext without `tls`; on stop it finishes requests within
    `grace_s`."""
    known = Connections(limits or HttpLimits())
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        http=partial(_accepted, known, tls),  # type: ignore[arg-type]
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=known.limits.keep_alive_s,
        timeout_graceful_shutdown=int(grace_s),
        backlog=BACKLOG,
    )

    async def serve(stop: asyncio.Event) -> None:
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            await serving
        finally:
            stopped.cancel()

    return Role("http", serve, EDGE, grace_s + 1)


def listen(host: str, port: int) -> socket.socket:
    """A TCP socket on which connections wait until they are served (port 0: any free one); OSError when it is taken."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        # a socket that is only bound refuses connections, and lets another process bind its port too
        bound.listen(BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound
