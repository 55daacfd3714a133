"""The console's sign-in around a page of a test, a browser before it, and two OpenID providers behind it: ours, and Authlib's."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from console.calls.problems import Problem
from console.identity.routes import routes
from console.identity.sessions import Sessions
from kernel.core.clock import Clock
from kernel.edge.tokens.auth import Verifier
from kernel.edge.tokens.dev_issuer import Issuer
from sandbox.identity.app import make_identity
from sandbox.identity.settings import IdentitySettings
from tests.kit.oidc_running import REALM, SETTINGS, provider

BASE, OURS = "https://console.example.com", "http://identity.test"
KEY = "k1 " + "a" * 43 + "="


@dataclass
class Told:
    """What the console is told."""

    issuer: str
    session_keys_file: Path
    client_id: str = "console"
    issuer_inside: str = ""
    client_secret_file: Path | None = None
    base_url: str = BASE


@dataclass
class Network(httpx.AsyncBaseTransport):
    """The way from the console to its provider: counts what is asked, may be cut, may change what comes."""

    to: httpx.AsyncBaseTransport
    asked: list[httpx.Request] = field(default_factory=list)
    is_cut: bool = False
    change: Callable[[httpx.Request, dict[str, Any]], dict[str, Any]] = lambda _, document: document
    before: Callable[[httpx.Request], Awaitable[None]] | None = None
    after: Callable[[httpx.Request], Awaitable[None]] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_cut:
            raise httpx.ConnectError("no route to host")
        await request.aread()
        self.asked.append(request)
        if self.before is not None:
            await self.before(request)
        answer = await self.to.handle_async_request(request)
        body = await answer.aread()
        if self.after is not None:
            await self.after(request)
        if answer.status_code == 200 and body.startswith(b"{"):
            body = json.dumps(self.change(request, json.loads(body))).encode()
        return httpx.Response(answer.status_code, content=body, headers={"content-type": "application/json"})

    def token_requests(self, grant: str) -> int:
        return len([one for one in self.asked if f"grant_type={grant}".encode() in one.content])


@dataclass
class Later:
    """The console's clock, seconds ahead of the real one."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@dataclass
class World:
    """One console, its network, its clock, and how a browser gets through the provider's sign-in page."""

    name: str
    told: Told
    network: Network
    clock: Later
    provider: httpx.AsyncClient
    verifier: Verifier
    sessions: Sessions = field(init=False)
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Starts the console anew, as another process or replica would."""
        self.sessions = Sessions(self.told, self.clock, self.network)
        self.app = console(self.told, self.sessions)

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=BASE)

    async def chosen(self, address: str, person: str = "bella") -> str:
        """The console's address to which the provider sends a browser that came to `address`."""
        query = dict(httpx.URL(address).params)
        if self.name == "ours":
            page = await self.provider.get(address)
            assert page.status_code == 200, page.text
            answer = await self.provider.post("/authorize", data={**query, "person": person})
        else:
            answer = await self.provider.post("/authorize", params=query, data={"username": person})
        return str(answer.headers["location"])

    async def callback(self, browser: httpx.AsyncClient, next_: str = "/me", person: str = "bella") -> str:
        """Where the browser comes back to after it has begun to sign in."""
        begun = await browser.get("/sign-in", params={"next": next_})
        assert begun.status_code == 303, begun.text
        return await self.chosen(begun.headers["location"], person)

    async def signed_in(self, person: str = "bella") -> httpx.AsyncClient:
        browser = self.browser()
        back = await browser.get(await self.callback(browser, person=person))
        assert (back.status_code, back.headers["location"]) == (303, "/me"), back.text
        return browser


def console(told: Told, sessions: Sessions) -> FastAPI:
    """Pages that say who is there, and one whose service has refused the token."""
    app = FastAPI()
    app.include_router(routes(told, sessions))

    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> Response:
        return JSONResponse({"code": error.code, **error.facts}, error.status)

    @app.middleware("http")
    async def keep(request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
        answer = await following(request)
        sessions.write(request, answer)
        return answer

    @app.get("/me")
    async def me(request: Request) -> Response:
        person = await sessions.person(request)
        if person is None:
            return Response(status_code=401)
        who = {"subject": person.subject, "name": person.name, "tenant": person.tenant}
        return JSONResponse({**who, "roles": sorted(person.roles), "token": person.token})

    @app.get("/refused")
    async def refused(request: Request) -> Response:
        await sessions.person(request)
        sessions.end(request)
        return Response(status_code=401)

    return app


async def who(browser: httpx.AsyncClient) -> Mapping[str, Any] | None:
    """Who the console takes the browser for."""
    answer = await browser.get("/me")
    assert answer.status_code in (200, 401), answer.text
    found: Mapping[str, Any] | None = answer.json() if answer.status_code == 200 else None
    return found


@asynccontextmanager
async def world(name: str, folder: Path, secret: str = "") -> AsyncIterator[World]:
    """`ours`, or `authlib`, with a secret of the client's where one is given; closed at the end."""
    (folder / "session.keys").write_text(KEY)
    async with _ours(folder) if name == "ours" else _authlib(folder, secret) as made:
        try:
            yield made
        finally:
            await made.sessions.close()


@asynccontextmanager
async def _ours(folder: Path, clock: Clock | None = None) -> AsyncIterator[World]:
    Issuer.at(folder / "issuer", OURS, "dandelion")
    settings = IdentitySettings(key_file=folder / "issuer" / "key.pem", url=OURS, console_url=BASE)
    app = make_identity(settings, *([clock] if clock else []))
    through = httpx.ASGITransport(app)
    verifier = Verifier(str(folder / "issuer" / "jwks.json"), OURS, "dandelion")
    async with httpx.AsyncClient(transport=through, base_url=OURS) as person:
        yield World("ours", Told(OURS, folder / "session.keys"), Network(through), Later(), person, verifier)


@asynccontextmanager
async def _authlib(folder: Path, secret: str) -> AsyncIterator[World]:
    realm = json.loads(json.dumps(REALM))
    told = Told("", folder / "session.keys")
    if secret:
        client = next(one for one in realm["clients"] if one.get("protocolMappers"))
        client |= {"publicClient": False, "secret": secret}
        told.client_secret_file = folder / "client.secret"
        told.client_secret_file.write_text(secret + "\n")
    with provider(folder, realm, "RS256") as running:
        told.issuer = running.issuer
        verifier = running.verifier(audience=SETTINGS["DANDELION_TOKEN_AUDIENCE"])
        async with httpx.AsyncClient(base_url=running.issuer) as person, httpx.AsyncHTTPTransport() as real:
            yield World("authlib", told, Network(real), Later(), person, verifier)


def path_of(address: str) -> str:
    return urlsplit(address).path
