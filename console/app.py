"""The console as one ASGI app: pages, sign-in, assets, and what surrounds every request."""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from console import assets, pages
from console.calls.clients import Services
from console.calls.names import Names
from console.calls.problems import Problem
from console.documents.kept import Documents
from console.forms import COOKIE, typed
from console.identity.person import Person
from console.look.rendering import environments
from console.operations import Timed
from console.page import Visit
from console.reader import router as reader
from console.settings import ConsoleSettings

log = logging.getLogger(__name__)
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "manifest-src 'self'; form-action 'self' {issuer}; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
BODY_LIMIT_BYTES = 8 * 1024 * 1024
"""Of a form with its files."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
Next = Callable[[Request], Awaitable[Response]]


class Sessions(Protocol):
    """Who is signed in, by the request's cookies."""

    async def person(self, request: Request) -> Person | None:
        """The person, with a token that is good for some time yet."""

    def write(self, request: Request, response: Response) -> None:
        """Sets or deletes the session's cookies on the response."""

    def end(self, request: Request) -> None:
        """Ends the session of this request: a service refuses its token."""

    async def close(self) -> None:
        """Ends its connections."""


def make_app(settings: ConsoleSettings, sessions: Sessions, sign_in: APIRouter) -> FastAPI:
    """The app; raises NotBuilt without assets, and ValueError where browsers would not keep a session."""
    if not settings.is_secure and urlsplit(settings.base_url).hostname not in LOCAL:
        raise ValueError("DANDELION_CONSOLE_BASE_URL begins with https:// anywhere but on this machine")
    assets.names()
    app = FastAPI(
        title="Dandelion console",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        max_body_size=BODY_LIMIT_BYTES,
    )
    app.state.settings, app.state.sessions, app.state.templates = settings, sessions, environments()
    app.state.services = services = Services(settings)
    app.state.names = Names(services)
    app.state.documents = Documents(services)
    app.mount("/assets", _Assets(directory=assets.BUILT))
    app.include_router(sign_in)
    app.include_router(reader)
    for router in pages.routers():
        app.include_router(router)
    _surround(app, settings)
    app.add_middleware(Timed)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await app.state.sessions.close()
    await app.state.services.close()


PASSING = ("exhausted", "unavailable", "pending")
"""Kinds of problems that pass by themselves: a form is kept and sent again under its key, so its command counts once."""


class _Assets(StaticFiles):
    """Built files, whose names change with their content."""

    async def get_response(self, path: str, scope: object) -> Response:
        response = await super().get_response(path, scope)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _surround(app: FastAPI, settings: ConsoleSettings) -> None:
    issuer = urlsplit(settings.issuer)
    headers = {**HEADERS, "Content-Security-Policy": CONTENT_POLICY.format(issuer=f"{issuer.scheme}://{issuer.netloc}")}
    if settings.is_secure:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    sessions: Sessions = app.state.sessions

    @app.middleware("http")
    async def surround(request: Request, call_next: Next) -> Response:
        """Refuses what another site sends, finds the person, and sets cookies and headers of the answer."""
        if _is_unasked(request):
            return await call_next(request)
        if request.method not in SAFE and not _is_ours(request, settings.base_url):
            return PlainTextResponse("this form came from another site", 403, headers=headers)
        request.state.form_token = known = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
        request.state.person = await sessions.person(request)
        response = await call_next(request)
        sessions.write(request, response)
        if known != request.cookies.get(COOKIE):
            response.set_cookie(COOKIE, known, secure=True, httponly=True, samesite="strict")
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_address)


def _is_unasked(request: Request) -> bool:
    """Assets and probes: nobody's session is looked at."""
    return request.url.path.startswith(("/assets/", "/health/"))


def _is_ours(request: Request, base_url: str) -> bool:
    """Whether one of our own pages sent the request (Fetch Metadata; of older browsers the Origin)."""
    site = request.headers.get("sec-fetch-site")
    return site == "same-origin" if site else request.headers.get("origin", base_url) == base_url


async def _on_problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    if problem.kind == "unauthenticated":
        return await _signed_out(request)
    if problem.kind == "internal":
        log.error("a service broke", extra={"code": problem.code, "error_id": problem.instance})
    if request.method not in SAFE and problem.kind in PASSING:
        return Visit(request).show("later.html", problem.status, problem=problem, typed=(await typed(request)).values)
    template = "sign_in.html" if problem.code.startswith("identity.") else "problem.html"
    return Visit(request).show(template, problem.status, problem=problem)


async def _signed_out(request: Request) -> Response:
    """To the sign-in, and back; a form that was sent without a session is kept on a page that sends it again."""
    if request.state.person is not None:
        sessions: Sessions = request.app.state.sessions
        sessions.end(request)
        request.state.person = None
    visit = Visit(request)
    if request.method in SAFE:
        return RedirectResponse(f"/sign-in?next={quote(visit.path, safe='')}", 303)
    return visit.show("again.html", 401, typed=(await typed(request)).values)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if _is_unasked(request):
        return PlainTextResponse("not here", error.status_code)
    kind, code = ("not_found", "page.not_found") if error.status_code in (404, 405) else ("invalid", "request.invalid")
    return Visit(request).show("problem.html", error.status_code, problem=Problem(kind, code))


async def _on_address(request: Request, error: Exception) -> Response:
    """An address or a filter that no page has: nobody types one, so the page is not there."""
    return Visit(request).show("problem.html", 404, problem=Problem("not_found", "page.not_found"))
