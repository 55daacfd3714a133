"""How the story talks to a platform: HTTP with retries under one idempotency key, gRPC as a caller, deterministic ids."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from uuid import NAMESPACE_URL, uuid5

import grpc
import orjson
from dandelion_contracts.channel import connect

from cli.story.calls import Answer, Away, Calls

AT_ONCE = 24
"""Requests under way at a time."""
CALL_S = 60.0
TOKEN_S = 600.0
AGAIN = frozenset({429, 502, 503, 504})
_CODE = grpc.StatusCode
NOT_YET = frozenset({"creator.unknown", "creator.account_not_verified"})
"""Refusals that say of themselves that a moment later may be another answer: one service has not heard of another's yet."""
NOT_NOW = frozenset({_CODE.UNAVAILABLE, _CODE.RESOURCE_EXHAUSTED, _CODE.DEADLINE_EXCEEDED, _CODE.CANCELLED})
"""Asked again. CANCELLED that we did not ask for: a server that stops says so to calls that came and were not begun."""
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
"""A visitor's browser; each visitor has a version of its own."""

R = TypeVar("R")


class Unexpected(Exception):
    """Something did not come out as the story has it; the text says what, for people."""


@dataclass(frozen=True, slots=True)
class Who:
    """A caller: a person of an organisation, with one role."""

    name: str
    tenant: str
    role: str


OPERATOR = Who("olga", "platform", "operator")
FINANCE = Who("fay", "platform", "finance")
SECOND = Who("fred", "platform", "finance")
"""Another person of finance, who approves what the first one proposes."""
REVIEWER = Who("rita", "platform", "reviewer")
AUDITOR = Who("anna", "platform", "auditor")


def named(*parts: object) -> str:
    """A UUID that is the same in every run."""
    return str(uuid5(NAMESPACE_URL, "dandelion demo/" + "/".join(map(str, parts))))


@dataclass(frozen=True, slots=True)
class Address:
    """Where a platform is: base URLs by service (and "sandbox"), gRPC targets by service, the bus, who issues tokens."""

    http: dict[str, str]
    rpc: dict[str, str]
    bus: str
    issue: Callable[[Who], str]
    psp_key: str


class Market:
    """One storyteller's connections. `async with` closes them."""

    def __init__(self, address: Address, patience_s: float | None = None) -> None:
        """`patience_s`: how long one command or query is tried again while its service is away, busy or behind."""
        self.address, self._patience_s = address, CALL_S if patience_s is None else patience_s
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tokens: dict[Who, tuple[str, float]] = {}
        self._calls = Calls()
        self._channels: dict[tuple[str, Who], grpc.aio.Channel] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._calls.close()
        for channel in self._channels.values():
            await channel.close(None)

    def token(self, who: Who) -> str:
        """An access token that is still good for some minutes."""
        known, until = self._tokens.get(who, ("", 0.0))
        if time.monotonic() >= until:
            known = self.address.issue(who)
            self._tokens[who] = known, time.monotonic() + TOKEN_S
        return known

    async def do(self, service: str, method: str, path: str, who: Who, body: Any = None) -> dict[str, Any]:
        """One command; its receipt. The key follows from what is asked, so that trying again repeats it, not more."""
        content = b"" if body is None else orjson.dumps(body)
        return await self.send(service, method, path, who, content, "application/json")

    async def by_hand(self, method: str, path: str, body: Any) -> dict[str, Any]:
        """A command of finance to the ledger: one person proposes, another approves; the receipt of what was done."""
        proposed = await self.do("ledger", method, path, FINANCE, body)
        id_ = str(proposed["stream"]).partition("-")[2]
        return await self.do("ledger", "POST", f"/proposals/{id_}/approve", SECOND)

    async def send(
        self, service: str, method: str, path: str, who: Who, content: bytes, media_type: str, key: str = ""
    ) -> dict[str, Any]:
        """The same with a body that is bytes already; `key` where the content does not make it unique."""
        seal = hashlib.sha256(f"{method} {path} {who} ".encode() + content).hexdigest()[:32]
        headers = {
            "Authorization": f"Bearer {self.token(who)}",
            "Idempotency-Key": key or seal,
            "Content-Type": media_type,
        }
        answer = await self._tried(service, method, path, headers, content)
        if answer.status_code not in (200, 201, 202):
            raise Unexpected(f"{method} {path} as {who.role}: {answer.status_code} {answer.text[:300]}")
        found: dict[str, Any] = answer.json()
        return found

    async def outside(self, method: str, path: str, body: Any = None, key: str = "") -> Answer:
        """A request to the sandbox, as the world outside makes it."""
        headers = {"Authorization": f"Bearer {self.address.psp_key}", "Content-Type": "application/json"}
        content = b"" if body is None else orjson.dumps(body)
        answer = await self._tried("sandbox", method, path, headers | {"Idempotency-Key": key or "x" * 8}, content)
        if not answer.is_success:
            raise Unexpected(f"sandbox {method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer

    async def follow(self, path: str, visitor: int) -> str:
        """A visitor follows a link; where it leads. Never tried again once it may have counted: a click is no command."""
        browser = {"User-Agent": BROWSER.format(100 + visitor), "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}
        async with self._slots:
            answer = await self._calls.request("GET", self._url("metrics", path), browser)
        if answer.status_code != 302:
            raise Unexpected(f"GET {path}: {answer.status_code} {answer.text[:300]}")
        return str(answer.headers["Location"])

    async def _tried(self, service: str, method: str, path: str, headers: dict[str, str], content: bytes) -> Answer:
        """Tried again while the service is away, draining or busy; the last answer or error when the time is over."""
        until, pause_s = time.monotonic() + self._patience_s, 0.05
        while True:
            late = time.monotonic() >= until
            try:
                answer = await self.once(service, method, path, headers, content)
                if late or not _again(answer):
                    return answer
            except Away as error:
                if late:
                    raise Unexpected(f"{method} {path}: {service} does not answer: {error}") from error
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 1.0)

    async def once(self, service: str, method: str, path: str, headers: dict[str, str], content: bytes) -> Answer:
        """One attempt, whatever comes of it."""
        async with self._slots:
            return await self._calls.request(method, self._url(service, path), headers, content)

    def _url(self, service: str, path: str) -> str:
        return f"{self.address.http[service].rstrip('/')}{path}"

    def channel(self, service: str, who: Who) -> grpc.aio.Channel:
        """A gRPC channel to a service's queries as a caller."""
        if (service, who) not in self._channels:
            self._channels[service, who] = connect(
                self.address.rpc[service], token=lambda: self.token(who), plaintext=True
            )
        return self._channels[service, who]

    async def ask(self, call: Callable[[Any], Any], request: Any) -> Any:
        """One query, tried again while the server is away or its read model is behind."""
        until = time.monotonic() + self._patience_s
        while True:
            try:
                return await call(request)
            except grpc.aio.AioRpcError as error:
                if error.code() not in NOT_NOW or time.monotonic() >= until:
                    raise Unexpected(f"{type(request).__name__}: {error.code().name} {error.details()}") from error
            await asyncio.sleep(0.2)


def _again(answer: Answer) -> bool:
    """Whether the same command may be answered otherwise in a moment."""
    if answer.status_code != 409:
        return answer.status_code in AGAIN
    return answer.json().get("code") in NOT_YET
