"""Sites over HTTP: a brand claims a host, publishes the proof, and asks for a look."""

from typing import Annotated

from fastapi import APIRouter, Path

from kernel.core.events import Receipt
from kernel.edge.fields import worded
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.metrics.domain.site.events import site_stream
from services.metrics.domain.site.hosts import checked_host
from services.metrics.domain.site.site import AskLook, ClaimSite
from services.metrics.settings import MetricsSettings

Host = Annotated[
    str,
    Path(
        max_length=254, pattern=worded(r"^[A-Za-z0-9.-]+$", "a name of A-Z a-z 0-9 . -"), description="shop.example.com"
    ),
]


def site_routes(app: App, settings: MetricsSettings) -> APIRouter:
    router = APIRouter(tags=["sites"])

    @router.put("/sites/{host}", status_code=201)
    async def claim(host: Host, request: CommandRequest) -> Receipt:
        """The caller's brand says that the host is its own; the list names the proof to publish. Tracking links lead to proven
        hosts only."""
        brand_id, name = request.actor.tenant, checked_host(host)
        stream, command = site_stream(brand_id, name), ClaimSite(brand_id, name, settings.sites_per_tenant)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command)))

    @router.post("/sites/{host}/look", status_code=202)
    async def look(host: Host, request: CommandRequest) -> Receipt:
        """The proof is published: look for it now. The clock looks by itself, too."""
        name = checked_host(host)
        stream, command = site_stream(request.actor.tenant, name), AskLook(name)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command)))

    return router
