"""`GET /l/<code>`: a visitor follows a tracking link. The click is in the log before the visitor is sent on.

Every request is sent on, and logged as what it is: a click, or a request that is none (domain/link.py `NotAClick`), of which
so many a day are kept.
"""

from typing import Annotated, Any
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import WithJsonSchema

from kernel.core.decider import Actor, Meta
from kernel.core.faults import Fault, Invalid
from kernel.core.ids import derived_id, new_id, stream_id
from kernel.edge.http_errors import documented
from kernel.edge.incoming import principal_of
from kernel.edge.limits import Buckets, Rate
from kernel.host.app import App
from services.metrics.domain.link.clicks import NotAClick, RecordClick, RecordRequest
from services.metrics.domain.link.link import CODE, LinkCode
from services.metrics.reads.registry import Registry
from services.metrics.rest.visitors import SEEN, Crowds, Strays, Visitors, not_a_click, shows_a_visitor, with_seen
from services.metrics.settings import MetricsSettings

COOKIE = "dandelion_click"
"""Also the query parameter by which the store learns the click's id."""
PASSED_CHARS = 2_048
"""So much of the short link's own query is passed on."""
HEADERS = {
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Vary": "Cookie, User-Agent, Purpose, Sec-Purpose, Sec-Fetch-Mode",
}
"""The store sees where the visitor comes from: `no-referrer`, right for an API, would make all visits direct ones."""
REFUSED = (404, 422, 429, 503)


Code = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{CODE.pattern}$"})]
"""Documented, and checked by the route: a visitor gets a page for any other path."""


def _documented() -> dict[int | str, dict[str, Any]]:
    """The refusals of the route: a page, or a problem for who asks for one."""
    found = documented(*REFUSED)
    for answer in found.values():
        answer["content"] = answer["content"] | {"text/html": {"schema": {"type": "string"}}}
    return found


def redirect_routes(app: App, registry: Registry, settings: MetricsSettings) -> APIRouter:
    router, buckets = APIRouter(tags=["redirect"]), Buckets(Rate(settings.clicks_per_s, settings.clicks_burst))
    visitors = Visitors(registry, settings.click_window_s)
    crowds = Crowds(settings.clicks_per_address, settings.clicks_per_address_in_all)
    strays = Strays(settings.requests_per_link, settings.requests_per_tenant)

    async def record(command: RecordClick | RecordRequest, link: LinkCode, request_id: str, correlation: str) -> None:
        stream, actor = stream_id("click", request_id), Actor("redirect", link.brand_id, frozenset({"system"}))
        meta = Meta(derived_id("click", request_id), actor, correlation=correlation)
        await app.writer.execute(stream, command, meta)

    async def counted(link: LinkCode, request: Request) -> str:
        """Logs the request; the id of the visitor's click, "" where there is none."""
        request_id, why, click_id = new_id(), not_a_click(request.headers), ""
        if why is None and not shows_a_visitor(request.headers):
            why = NotAClick.NO_VISITOR
        if why is None:
            click_id = await visitors.click_of(link, request, request_id)
            why = None if click_id == request_id else NotAClick.REPEAT
        if why is None and not crowds.takes(link.link_id, address_of(request)):
            visitors.forget(link, request, request_id)
            why, click_id = NotAClick.CROWD, ""
        if why and not strays.keeps(link):
            return click_id
        command = RecordRequest(link.code, why) if why else RecordClick(link.code)
        try:
            await record(command, link, request_id, request.state.correlation)
        except Fault:
            visitors.forget(link, request, request_id)
            raise
        return click_id

    @router.get("/l/{code:path}", status_code=302, response_class=Response, responses=_documented())
    async def follow(code: Code, request: Request) -> Response:
        """Public, limited by address. Sets first-party cookies and hands the click's id to the store."""
        _, exhausted = buckets.take(address_of(request))
        if exhausted:
            raise exhausted
        link = await registry.link(_checked(code))
        click_id = "" if getattr(request.state, "head", False) else await counted(link, request)
        location = destination(link.target_url, request.scope["query_string"], click_id)
        answer = Response(status_code=302, headers={"Location": location, **HEADERS})
        if click_id:
            seen = with_seen(request.cookies.get(SEEN, ""), click_id)
            for name, value in ((COOKIE, click_id), (SEEN, seen)):
                age_s = settings.attribution_window_s
                answer.set_cookie(name, value, max_age=age_s, secure=True, httponly=True, samesite="lax")
        return answer

    return router


def address_of(request: Request) -> str:
    """The IPv4 address or IPv6 network that a request comes from."""
    return principal_of(request.client.host) if request.client else ""


def _checked(code: str) -> str:
    """The code without the slash that some apps add; raises Invalid for a path that no code can be."""
    code = code.rstrip("/")
    if not CODE.fullmatch(code):
        raise Invalid("link.code_malformed", rule="4 to 32 of A-Z a-z 0-9 _ -")
    return code


def destination(url: str, passed: bytes, click_id: str) -> str:
    """Where a visitor is sent: the link's target, the short link's query passed on, and one click id (or none).

    A parameter that the target has itself stays the target's: the brand said it, anybody may write the short link's.
    """
    parts = urlsplit(url)
    fragment = _without_click(parts.fragment)
    own = [part for part in parts.query.split("&") if part and _name(part) != COOKIE]
    taken, given = {COOKIE, *map(_name, own)}, []
    left = PASSED_CHARS
    for raw in passed.split(b"&"):
        part = quote(raw, safe="%/:?@!$'()*+,;=")
        left -= len(part) + 1
        if part and _name(part) not in taken and left >= 0:
            given.append(part)
    added = [f"{COOKIE}={click_id}"] if click_id else []
    return urlunsplit(parts._replace(query="&".join([*own, *given, *added]), fragment=fragment))


def _without_click(fragment: str) -> str:
    """The fragment without a click's id: shops that are one page keep a path and a query of their own behind the `#`."""
    path, mark, query = fragment.rpartition("?")
    kept = "&".join(part for part in query.split("&") if _name(part) != COOKIE)
    return f"{path}{mark}{kept}" if kept or not mark else path


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])
