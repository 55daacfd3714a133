"""`GET /l/<code>`: a visitor follows a tracking link. The click is in the log before the visitor is sent on."""

from typing import Annotated
from urllib.parse import urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from kernel.core.decider import Actor, Meta
from kernel.core.ids import derived_id, new_id, stream_id
from kernel.edge.limits import Buckets, Rate
from kernel.host.app import App
from services.metrics.domain.link import CODE, RecordClick
from services.metrics.reads.registry import Registry
from services.metrics.settings import MetricsSettings

COOKIE = "dandelion_click"
"""Also the query parameter by which the store learns the click's id."""


def redirect_routes(app: App, registry: Registry, settings: MetricsSettings) -> APIRouter:
    router = APIRouter(tags=["redirect"])
    buckets = Buckets(Rate(settings.clicks_per_s, settings.clicks_burst))

    @router.get("/l/{code}", status_code=302, response_class=Response)
    async def follow(code: Annotated[str, Path(pattern=f"^{CODE.pattern}$")], request: Request) -> Response:
        """Public, limited by address. Sets a first-party cookie and hands the click's id to the store."""
        _, exhausted = buckets.take(request.client.host if request.client else "")
        if exhausted:
            raise exhausted
        link = await registry.link(code)
        click_id = new_id()
        stream, actor = stream_id("click", click_id), Actor("redirect", link.brand_id, frozenset({"system"}))
        meta = Meta(derived_id("click", click_id), actor, correlation=request.state.correlation)
        await app.writer.execute(stream, RecordClick(code), meta)
        answer = Response(status_code=302, headers={"Location": with_click(link.target_url, click_id)})
        answer.set_cookie(
            COOKIE, click_id, max_age=settings.attribution_window_s, secure=True, httponly=True, samesite="lax"
        )
        return answer

    return router


def with_click(url: str, click_id: str) -> str:
    """The URL with the click's id added to its query."""
    parts = urlsplit(url)
    added = urlencode({COOKIE: click_id})
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))
