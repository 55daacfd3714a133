"""Signing in and out over HTTP: /sign-in, /signed-in, /sign-out."""

import hmac
import logging
import secrets
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from console.calls.problems import Problem
from console.identity.fetching import Away, Refused
from console.identity.kept import Begun
from console.identity.oidc import Asked, Settings
from console.identity.sessions import Sessions
from console.identity.ways import own_path
from console.operations import SIGN_INS
from console.words import chosen

log = logging.getLogger(__name__)

NOT_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


Language = Callable[[Request], str]
"""The reader's language, as words have it (`zh-CN`)."""


def routes(settings: Settings, sessions: Sessions, language: Language | None = None) -> APIRouter:
    """The three routes. They set `request.state`; `sessions.write` gives the browser its cookies.

    What goes wrong is a Problem `identity.*` with the page to come back to in its fact `next`.
    """
    spoken = language or (lambda request: chosen("", request.headers.get("accept-language", "")))
    made = APIRouter(include_in_schema=False)
    here = urlsplit(settings.base_url).netloc

    @made.get("/sign-in")
    async def sign_in(request: Request, next: str = "/", moved: str = "") -> Response:
        """Sends the browser to the provider; `next` is the page to come back to."""
        if request.url.netloc != here and not moved:  # the provider answers at base_url, so the cookie has to be there
            return _to(f"{settings.base_url.rstrip('/')}/sign-in?moved=1&next={quote(own_path(next), safe='')}")
        return await _begin(request, sessions, own_path(next), spoken(request))

    @made.get("/signed-in")
    async def signed_in(request: Request) -> Response:
        """The provider's answer."""
        state = request.query_params.get("state", "")
        begun = sessions.begun(request)
        found = next((one for one in begun if hmac.compare_digest(one.asked.state.encode(), state.encode())), None)
        if found is None:
            raise Problem("refused", "identity.not_begun", {"next": "/"})
        request.state.begun = [one for one in begun if one is not found]
        return await _answer(request, sessions, found)

    @made.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """Ends the session here and at the provider."""
        session = sessions.session(request)
        sessions.end(request)
        if session is None:
            return _to("/")
        try:
            await sessions.provider.revoke(session.tokens.refresh)
            return _to(await sessions.provider.sign_out_url(session.tokens.id_token))
        except (Away, Refused) as problem:
            log.warning("signed out here, not at the provider", extra={"code": str(problem)})
            return _to("/")

    return made


async def _begin(request: Request, sessions: Sessions, next_: str, language: str) -> Response:
    asked = Asked(*(secrets.token_urlsafe(32) for _ in range(3)))
    try:
        to = await sessions.provider.authorization_url(asked, language)
    except Away as away:
        SIGN_INS.labels("away").inc()
        raise Problem("unavailable", "identity.away", {"next": next_}) from away
    request.state.begun = [*sessions.begun(request), Begun(asked, next_, sessions.clock())]
    return _to(to)


async def _answer(request: Request, sessions: Sessions, begun: Begun) -> Response:
    """A session for a good answer; else the problem that says why there is none."""
    told, provider = request.query_params, sessions.provider
    try:
        await provider.check_issuer(told.get("iss"))
        if "error" in told or not told.get("code"):
            raise Refused(told.get("error", "no_code"))
        sessions.sign_in(request, await provider.exchange(told["code"], begun.asked))
    except Away as away:
        SIGN_INS.labels("away").inc()
        raise Problem("unavailable", "identity.away", {"next": begun.next}) from away
    except Refused as refused:
        word = str(refused)[:60]
        SIGN_INS.labels("refused").inc()
        log.warning("sign-in refused", extra={"code": word})
        raise Problem("refused", "identity.refused", {"next": begun.next, "word": word}) from refused
    SIGN_INS.labels("ok").inc()
    return _to(begun.next)


def _to(address: str) -> Response:
    return RedirectResponse(address, 303, NOT_KEPT)
