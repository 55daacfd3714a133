"""Commands over HTTP: parse, hand over, answer. A command's route is its stream's noun and a verb."""

from fastapi import FastAPI

from kernel.edge.http import create_api
from kernel.host.app import App
from services.campaigns.rest import applications, campaigns, collaborations
from services.campaigns.settings import CampaignsSettings


def make_api(app: App) -> FastAPI:
    """The command API of campaigns."""
    api = create_api(
        "Dandelion campaigns",
        app.admission,
        fingerprint_key=app.fingerprint_key,
        health=app.health,
        live_requests=app.settings.live_requests,
        description="Briefs, applications, collaborations and their content.",
    )
    settings = app.settings
    assert isinstance(settings, CampaignsSettings)
    api.include_router(campaigns.routes(app.writer, settings.short_clocks, settings.drafts_per_tenant))
    for routes in (applications.routes, collaborations.routes):
        api.include_router(routes(app.writer))
    return api
