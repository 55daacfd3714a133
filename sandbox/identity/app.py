"""The provider over HTTP: discovery, keys, sign-in, tokens, sign-out, revocation."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from kernel.core.clock import Clock, system_clock
from sandbox.identity import pages
from sandbox.identity.asking import Stranger, answer, checked
from sandbox.identity.flows import Refusal
from sandbox.identity.forms import form_of, pairs_of
from sandbox.identity.people import Person, Unknown
from sandbox.identity.provider import Provider
from sandbox.identity.settings import IdentitySettings
from sandbox.identity.words import words_of

UNKNOWN_CLIENT, WRONG, REFUSED = 401, 400, 422
NOT_KEPT = {"Cache-Control": "no-store"}


def make_identity(settings: IdentitySettings, clock: Clock = system_clock) -> FastAPI:
    """Raises OSError without the key that the settings name."""
    provider = Provider.opened(settings, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        provider.store.close()

    app = FastAPI(
        title="Dandelion's stand-in for an identity provider", lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.add_exception_handler(Refusal, _refused)
    _documents(app, provider)
    _sign_in(app, provider)
    _tokens(app, provider)
    _sign_out(app, provider)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    status = UNKNOWN_CLIENT if error.code == "invalid_client" else WRONG
    return JSONResponse({"error": error.code, "error_description": error.why}, status, NOT_KEPT)


def _documents(app: FastAPI, provider: Provider) -> None:
    @app.get("/.well-known/openid-configuration")
    async def discovery() -> Response:
        return JSONResponse(provider.discovery())

    @app.get("/jwks.json")
    async def keys() -> Response:
        return JSONResponse(provider.issuer.jwks())

    @app.get("/healthz/ready")
    async def ready() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/", include_in_schema=False)
    async def front() -> Response:
        """Nothing begins here: a sign-in is asked for by the console."""
        return RedirectResponse(provider.client.after_sign_out, 303)


def _sign_in(app: FastAPI, provider: Provider) -> None:
    @app.get("/authorize")
    async def ask(request: Request) -> Response:
        """The page on which people choose who they are."""
        given = pairs_of(request.url.query)
        return _stranger_or_sent(request, provider, given) or _page(request, provider, given)

    @app.post("/authorize")
    async def choose(request: Request) -> Response:
        """Sends the browser back to the client with a code."""
        given = await form_of(request)
        if unfit := _stranger_or_sent(request, provider, given):
            return unfit
        try:
            who = _chosen(provider, given)
        except Unknown as unknown:
            return _page(request, provider, given, str(unknown))
        code = provider.flows.code_for(checked(given, provider.client), who.subject)
        return _sent(provider, given, code=code)


def _chosen(provider: Provider, given: Mapping[str, str]) -> Person:
    """Raises Unknown."""
    if "person" in given:
        return provider.people.get(given["person"])
    told = [given.get(name, "").strip() for name in ("role", "party", "name")]
    return provider.people.make_up(told[0], told[1].lower(), told[2])


def _stranger_or_sent(request: Request, provider: Provider, given: Mapping[str, str]) -> Response | None:
    """What a request gets that cannot be: a page, or the client's address with the error; None for one that can."""
    try:
        checked(given, provider.client)
    except Stranger:
        words = words_of("", request.headers.get("accept-language", ""))
        page = pages.short(words, "stranger", provider.client)
        return HTMLResponse(page, WRONG, pages.headers(provider.client))
    except Refusal as refusal:
        return _sent(provider, given, error=refusal.code, error_description=refusal.why)
    return None


def _sent(provider: Provider, given: Mapping[str, str], **told: str) -> Response:
    to = answer(provider.client.redirect_uri, provider.settings.url, given.get("state", ""), **told)
    return RedirectResponse(to, 303, NOT_KEPT | {"Referrer-Policy": "no-referrer"})


def _page(request: Request, provider: Provider, given: Mapping[str, str], wrong: str = "") -> Response:
    words = words_of(given.get("ui_locales", ""), request.headers.get("accept-language", ""))
    page = pages.choose(words, given, provider.people.latest(), wrong, given)
    return HTMLResponse(page, REFUSED if wrong else 200, pages.headers(provider.client))


def _tokens(app: FastAPI, provider: Provider) -> None:
    @app.post("/token")
    async def token(request: Request) -> Response:
        """Exchanges a code, or a refresh token, for tokens (RFC 6749, sections 4.1.3 and 6)."""
        form = await form_of(request)
        try:
            return JSONResponse(provider.token(form), headers=NOT_KEPT)
        except Unknown as forgotten:
            raise Refusal("invalid_grant", "this person was forgotten: too many were made up since") from forgotten

    @app.post("/revoke")
    async def revoke(request: Request) -> Response:
        """Ends the family of a refresh token (RFC 7009); access tokens end by themselves."""
        form = await form_of(request)
        if form.get("client_id") != provider.client.id:
            raise Refusal("invalid_client", "the one client here is `console`")
        provider.flows.revoke(form.get("token", ""), provider.client.id)
        return Response(status_code=200, headers=NOT_KEPT)


def _sign_out(app: FastAPI, provider: Provider) -> None:
    @app.get("/end_session")
    async def by_link(request: Request) -> Response:
        """OpenID Connect RP-Initiated Logout 1.0."""
        return _ended(request, provider, pairs_of(request.url.query))

    @app.post("/end_session")
    async def by_form(request: Request) -> Response:
        """The same by a form."""
        return _ended(request, provider, await form_of(request))


def _ended(request: Request, provider: Provider, given: Mapping[str, str]) -> Response:
    provider.sign_out(given.get("id_token_hint", ""))
    if given.get("post_logout_redirect_uri") == provider.client.after_sign_out:
        state = given.get("state", "")
        to = (
            answer(provider.client.after_sign_out, provider.settings.url, state)
            if state
            else provider.client.after_sign_out
        )
        return RedirectResponse(to, 303, NOT_KEPT)
    words = words_of(given.get("ui_locales", ""), request.headers.get("accept-language", ""))
    return HTMLResponse(pages.short(words, "out", provider.client), headers=pages.headers(provider.client))
