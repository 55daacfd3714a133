"""The server of the HTTP rows, a process of its own: `python -m bench.edge_server <folder> <port>`.

Four ports from `port` on: campaigns as it is, one of its routes bare of everything round it, metrics as it is, and an ASGI
app that answers fixed JSON. All on uvicorn as `kernel.runtime.http_server.http` sets it up.
"""

import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from bench.place import layout_of
from kernel.core.decider import Actor, Meta
from kernel.core.events import Receipt
from kernel.core.ids import new_id, stream_id
from kernel.edge.fields import Uuid
from kernel.host.app import App, Service, open_app
from kernel.runtime import http_server, roles
from kernel.runtime.roles import Role
from services.campaigns.domain.campaign.campaign import DraftCampaign
from services.campaigns.rest.bodies import DraftBody
from services.campaigns.wiring import SERVICE as CAMPAIGNS
from services.metrics.wiring import SERVICE as METRICS

BRAND = Actor("bench", "018f3a10-0000-7000-8000-00000000b4a1", frozenset({"brand"}))
DRAFTS = 10**9
ANSWER = b'{"stream":"campaign-018f3a10-0000-7000-8000-0000000000a1","version":1,"position":1,"token":"campaigns:1:0"}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


async def fixed(_scope: Any, receive: Any, send: Any) -> None:
    """The bare app: reads the body, answers the same JSON."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


def stripped(app: App) -> FastAPI:
    """The route without who calls, key, fingerprint, limits, headers, problems, metrics and traces; body and command stay."""
    api = FastAPI()

    @api.put("/campaigns/{campaign_id}", status_code=201)
    async def draft(campaign_id: Uuid, body: DraftBody) -> Receipt:
        command = DraftCampaign(body.brief.brief(), body.terms.terms(), limit=DRAFTS)
        return await app.writer.execute(stream_id("campaign", campaign_id), command, Meta(new_id(), BRAND))

    return api


async def opened(service: Service, folder: Path, port: int) -> tuple[App, list[Role]]:
    told = layout_of(folder).settings(service.name) | {
        "http_port": str(port),
        "rate_per_s": "100000",
        "rate_burst": "1000000",
        "tenant_rate_per_s": "100000",
        "tenant_rate_burst": "1000000",
    }
    if service is CAMPAIGNS:
        told["drafts_per_tenant"] = str(DRAFTS)
    app = open_app(service, service.settings(**told))  # type: ignore[arg-type]  # texts, as from the environment
    return app, await app.roles(["rest"])


async def serve(folder: Path, port: int) -> int:
    campaigns, opened_roles = await opened(CAMPAIGNS, folder, port)
    _, more = await opened(METRICS, folder, port + 2)
    bare = [
        http_server.http(stripped(campaigns), http_server.listen("127.0.0.1", port + 1)),
        http_server.http(fixed, http_server.listen("127.0.0.1", port + 3)),
    ]
    return await roles.run([*opened_roles, *more, *bare])


if __name__ == "__main__":
    roles.main(serve(Path(sys.argv[1]), int(sys.argv[2])))
