"""Signing in and out over HTTP: /sign-in, /signed-in, /sign-out."""

import hmac
import logging
import secrets
from collections.abc import Mapping
from html import escape
from urllib.parse import quote, urlsplit

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.requests import Request
from starlette.responses import Response

from console.identity import cookies
from console.identity.fetching import Away, Refused
from console.identity.kept import BEGUN_S, Begun, read_begun, written
from console.identity.oidc import Asked, Settings
from console.identity.sessions import Sessions
from console.identity.ways import own_path

log = logging.getLogger(__name__)

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "away": "The sign-in service does not answer. Nothing is lost: try again in a moment.",
        "unknown": "This sign-in was not begun in this browser, or it was begun too long ago. Sign in again.",
        "refused": "The sign-in service refused this sign-in. Sign in again; if that does not help, tell your operator this:",
        "again": "Sign in again",
        "title": "Sign in",
    },
    "zh": {
        "away": "登录服务暂时没有响应。您的内容没有丢失，请稍后再试。",
        "unknown": "此登录并非从此浏览器发起，或发起时间过久。请重新登录。",
        "refused": "登录服务拒绝了此次登录。请重新登录；如仍无法登录，请将以下代码告知运维人员：",
        "again": "重新登录",
        "title": "登录",
    },
}
NOT_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def routes(settings: Settings, sessions: Sessions) -> APIRouter:
    """The three routes. They set `request.state`; `sessions.write` gives the browser its cookie."""
    made = APIRouter(include_in_schema=False)
    here = urlsplit(settings.base_url).netloc

    @made.get("/sign-in")
    async def sign_in(request: Request, next: str = "/", moved: str = "") -> Response:
        """Sends the browser to the provider; `next` is the page to come back to."""
        if request.url.netloc != here and not moved:  # the provider answers at base_url, so the cookie has to be there
            return _to(f"{settings.base_url.rstrip('/')}/sign-in?moved=1&next={quote(own_path(next), safe='')}")
        return await _begin(request, sessions, own_path(next))

    @made.get("/signed-in")
    async def signed_in(request: Request) -> Response:
        """The provider's answer."""
        state = request.query_params.get("state", "")
        begun = _begun(request, sessions)
        found = next((one for one in begun if hmac.compare_digest(one.asked.state.encode(), state.encode())), None)
        if found is None:
            return _page(request, 400, "unknown")
        answer = await _answer(request, sessions, found)
        _keep(request, answer, sessions, [one for one in begun if one is not found])
        return answer

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


async def _begin(request: Request, sessions: Sessions, next_: str) -> Response:
    asked = Asked(*(secrets.token_urlsafe(32) for _ in range(3)))
    try:
        to = await sessions.provider.authorization_url(asked, _language(request, "zh-CN", "en"))
    except Away:
        return _page(request, 503, "away", next_)
    answer = _to(to)
    _keep(request, answer, sessions, [*_begun(request, sessions), Begun(asked, next_, sessions.clock())])
    return answer


async def _answer(request: Request, sessions: Sessions, begun: Begun) -> Response:
    """A session for a good answer; else a page that says why there is none."""
    told, provider = request.query_params, sessions.provider
    try:
        await provider.check_issuer(told.get("iss"))
        if "error" in told or not told.get("code"):
            raise Refused(told.get("error", "no_code"))
        sessions.begin(request, await provider.exchange(told["code"], begun.asked))
    except Away:
        return _page(request, 503, "away", begun.next)
    except Refused as refused:
        log.warning("sign-in refused", extra={"code": str(refused)[:60]})
        return _page(request, 400, "refused", begun.next, str(refused)[:60])
    return _to(begun.next)


def _begun(request: Request, sessions: Sessions) -> list[Begun]:
    plain = sessions.seal.open(cookies.SIGN_IN, cookies.read(request.cookies, cookies.SIGN_IN))
    return read_begun(plain, sessions.clock()) if plain is not None else []


def _keep(request: Request, answer: Response, sessions: Sessions, begun: list[Begun]) -> None:
    if begun:
        sealed = sessions.seal.seal(cookies.SIGN_IN, written(begun))
        cookies.put(answer, request.cookies, cookies.SIGN_IN, sealed, BEGUN_S)
    else:
        cookies.drop(answer, request.cookies, cookies.SIGN_IN)


def _to(address: str) -> Response:
    return RedirectResponse(address, 303, NOT_KEPT)


def _language(request: Request, chinese: str, english: str) -> str:
    for one in request.headers.get("accept-language", "")[:500].lower().split(","):
        if one.strip()[:2] in ("zh", "en"):
            return chinese if one.strip()[:2] == "zh" else english
    return english


def _page(request: Request, status: int, what: str, next_: str = "/", code: str = "") -> Response:
    """A page that says one thing and leads back; it needs nothing that might be away."""
    lang = _language(request, "zh", "en")
    words, again = WORDS[lang], f"/sign-in?next={quote(next_, safe='')}"
    word = f" <code>{escape(code)}</code>" if code else ""
    body = (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{words["title"]} - Dandelion</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main><h1>{words["title"]}</h1>'
        f'<p>{words[what]}{word}</p><p><a href="{escape(again)}">{words["again"]}</a></p></main></body></html>'
    )
    retry = {"Retry-After": "5"} if status == 503 else {}
    return HTMLResponse(body, status, {**NOT_KEPT, **retry})
