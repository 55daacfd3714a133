"""The HTTP edge of metrics: `make_api(app)`."""

from typing import cast

from fastapi import FastAPI

from kernel.edge.http import create_api
from kernel.host.app import App
from services.metrics.reads.registry import Registry
from services.metrics.rest import formulas
from services.metrics.rest.engagement import BODY_LIMIT_BYTES, EnvelopeSender, engagement_routes
from services.metrics.rest.excess import excess_routes
from services.metrics.rest.mentions import mention_routes
from services.metrics.rest.orders import order_routes
from services.metrics.rest.pages import VisitorPages
from services.metrics.rest.placements import placement_routes
from services.metrics.rest.posts import post_routes
from services.metrics.rest.redirect import redirect_routes
from services.metrics.rest.sites import site_routes
from services.metrics.settings import MetricsSettings

DESCRIPTION = "Engagement, sites, links, coupons, orders and refunds, and what they brought."


def make_api(app: App) -> FastAPI:
    """Every command route of the service, and the public redirect."""
    settings = cast("MetricsSettings", app.settings)
    registry = Registry(app.database, app.progress)
    api = create_api(
        "Dandelion metrics",
        app.admission,
        fingerprint_key=app.fingerprint_key,
        health=app.health,
        live_requests=app.settings.live_requests,
        body_limits={"/engagement": BODY_LIMIT_BYTES},
        description=DESCRIPTION,
    )
    api.include_router(engagement_routes(app, registry, EnvelopeSender(app.bus), settings.counter_limit))
    api.include_router(post_routes(app))
    api.include_router(mention_routes(app, registry))
    api.include_router(placement_routes(app, registry, settings))
    api.include_router(order_routes(app, registry, settings.attribution_window_s, settings.order_limit_major))
    api.include_router(formulas.routes())
    api.include_router(site_routes(app, settings))
    api.include_router(excess_routes(app))
    api.include_router(redirect_routes(app, registry, settings))
    api.add_middleware(VisitorPages)
    return api
