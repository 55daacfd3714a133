"""The console over a platform that has told its story, with somebody signed in: tests choose who by a cookie.

Whoever makes a page keeps a platform open by `python -m tests.kit.console` and, in another terminal, a console over it, started
anew after each change: `python -m tests.kit.console FOLDER 8199`, then http://127.0.0.1:8199/as/brand?lang=zh-CN.
"""

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from cli.layout import HOST, Layout
from cli.platform import Embedded
from cli.story.market import AUDITOR, FINANCE, OPERATOR, REVIEWER, SECOND, Who
from cli.story.plan import DEALS
from console.app import make_app
from console.identity.person import Person
from console.page import READER
from console.settings import ConsoleSettings
from tests.kit.story import tell
from tools.servers.places import free_port
from tools.speed import patience

WORN = "worn"


@dataclass
class Worn:
    """Stands in for sessions: the person whose name stands in the cookie `worn` is signed in, by a token of the platform."""

    layout: Layout
    cast: Mapping[str, Who]

    async def person(self, request: Request) -> Person | None:
        who = self.cast.get(request.cookies.get(WORN, ""))
        if who is None:
            return None
        token = self.layout.issuer().issue(who.name, who.tenant, who.role)
        return Person(who.name, who.name.title(), who.tenant, frozenset({who.role}), token)

    def write(self, request: Request, response: Response) -> None:
        if getattr(request.state, "ended", False):
            response.delete_cookie(WORN)

    def end(self, request: Request) -> None:
        request.state.ended = True

    async def close(self) -> None:
        """It has no connections."""

    def sign_in(self) -> APIRouter:
        """`/as/<name>` puts the cookie on; `/sign-in` says that somebody is to."""
        router = APIRouter()

        @router.get("/as/{name}")
        async def wear(name: str, next: str = "/", lang: str = "en", theme: str = "") -> Response:
            response = RedirectResponse(next, 303)
            response.set_cookie(WORN, name)
            response.set_cookie(READER, f"{lang}|Asia/Shanghai|{theme}", secure=True, httponly=True, samesite="lax")
            return response

        @router.get("/sign-in")
        async def nobody() -> Response:
            return Response("sign in")

        return router


PAID = """SELECT creator_id FROM tax_years JOIN payout_accounts ON owner = creator_id WHERE proven ORDER BY creator_id LIMIT 1"""
"""Somebody who was paid and lives in China: of what it earns tax is withheld."""


def cast_of(layout: Layout) -> Mapping[str, Who]:
    """Who can be worn: everybody of the story, and strangers of each kind who have no part in it."""
    creator = _one(layout, "ledger", PAID)
    nobody = "6f1c1a52-0f0e-4a55-9d5b-1f6f0a7a3c11"
    return {
        "brand": DEALS[0].brand,
        "creator": Who("chen", creator, "creator"),
        "agency": Who("gao", "7a0f5d1e-52bb-4f0e-8e1e-0d6a7f6a1a02", "agency"),
        "reviewer": REVIEWER,
        "finance": FINANCE,
        "second": SECOND,
        "operator": OPERATOR,
        "auditor": AUDITOR,
        "other-brand": Who("otto", nobody, "brand"),
        "other-creator": Who("olla", "0b7f3c7e-5d0a-5c1e-8f43-2b6d0c9b7a10", "creator"),
    }


def _one(layout: Layout, service: str, query: str) -> str:
    with sqlite3.connect(layout.folder / f"{service}.db") as database:
        return str(database.execute(query).fetchone()[0])


@dataclass(frozen=True)
class OpenConsole:
    """A console that serves; `visitor` makes a browser-like client of somebody."""

    base_url: str
    layout: Layout
    cast: Mapping[str, Who]

    def visitor(self, name: str, lang: str = "en") -> httpx.AsyncClient:
        """Client whose cookies say who, keeps what the console sets, and follows redirects."""
        cookies = {WORN: name, "__Host-reader": f"{lang}|Asia/Shanghai|", "__Host-form": "f" * 32}
        client = httpx.AsyncClient(base_url=self.base_url, timeout=patience(30), follow_redirects=True)
        client.event_hooks = {"request": [_sends(cookies)], "response": [_keeps(cookies)]}
        return client


def _sends(cookies: Mapping[str, str]) -> Callable[[httpx.Request], Awaitable[None]]:
    async def send(request: httpx.Request) -> None:
        """As a browser does on this machine: also those for https only, and after a redirect."""
        request.headers["cookie"] = "; ".join(f"{key}={value}" for key, value in cookies.items())

    return send


def _keeps(cookies: MutableMapping[str, str]) -> Callable[[httpx.Response], Awaitable[None]]:
    async def keep(answer: httpx.Response) -> None:
        for line in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or not morsel.value:
                    cookies.pop(name, None)
                else:
                    cookies[name] = morsel.value

    return keep


def settings_of(layout: Layout, port: int) -> ConsoleSettings:
    services = layout.ports.http
    return ConsoleSettings(
        port=port,
        base_url=f"http://{HOST}:{port}",
        http=",".join(f"{name}={layout.http(name)}" for name in services),
        rpc=",".join(f"{name}={layout.rpc(name)}" for name in services),
    )


@asynccontextmanager
async def open_console(layout: Layout, port: int = 0) -> AsyncIterator[OpenConsole]:
    """A console on a platform that runs, served in this loop."""
    settings = settings_of(layout, port or free_port())
    worn = Worn(layout, cast_of(layout))
    server = uvicorn.Server(_quiet(make_app(settings, worn, worn.sign_in()), settings.port))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if serving.done():
                serving.result()
            await asyncio.sleep(0.01)
        yield OpenConsole(settings.base_url, layout, worn.cast)
    finally:
        server.should_exit = True
        await serving


def _quiet(app: FastAPI, port: int) -> uvicorn.Config:
    return uvicorn.Config(app, HOST, port, log_config=None, access_log=False, timeout_graceful_shutdown=1)


async def _platform() -> None:
    """Tells the story on a platform and keeps the platform until Ctrl-C; says its folder."""
    with tempfile.TemporaryDirectory() as folder, Embedded.start(Path(folder) / "platform") as platform:
        await platform.wait()
        sys.stderr.write("telling the story ...\n")
        await tell(platform)
        sys.stderr.write(f"now, in another terminal: python -m tests.kit.console {platform.layout.folder} 8199\n")
        await asyncio.Event().wait()


async def _console(folder: str, port: str) -> None:
    async with open_console(Layout.load(Path(folder)), int(port)) as console:
        sys.stderr.write(f"{console.base_url}/as/brand?lang=zh-CN, or {', '.join(console.cast)}\n")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_console(*sys.argv[1:]) if sys.argv[1:] else _platform())
