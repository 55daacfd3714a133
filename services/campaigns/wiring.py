"""Campaigns put together: the only composition root."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel.adapters.bus import Bus
from kernel.host import app as kernel_app
from kernel.host.app import App, Service
from kernel.runtime.settings import Settings
from services.campaigns.codec import CODEC
from services.campaigns.domain.application.application import APPLICATION
from services.campaigns.domain.campaign.campaign import CAMPAIGN
from services.campaigns.domain.collaboration.collaboration import COLLABORATION
from services.campaigns.domain.shared.agreements import AGREEMENTS
from services.campaigns.domain.shared.apart import PARTIES
from services.campaigns.domain.shared.budget import BRIEFS, BUDGETS
from services.campaigns.domain.shared.creators import CREATORS, JOBS
from services.campaigns.domain.shared.drafts import DRAFTS
from services.campaigns.domain.shared.fees import POLICIES
from services.campaigns.domain.shared.posts import POSTS
from services.campaigns.effects import effects
from services.campaigns.gauges import GAUGES
from services.campaigns.invariants import INVARIANTS
from services.campaigns.process import PROCESSES
from services.campaigns.process.clocks import DEADLINES
from services.campaigns.projections import PROJECTIONS
from services.campaigns.publish import publish
from services.campaigns.settings import CampaignsSettings
from services.campaigns.subscribe import decode, decode_command
from services.campaigns.tables import metadata


def _http(app: App) -> Any:
    from services.campaigns.rest import make_api  # imported when its role starts

    return make_api(app)


def _queries(app: App) -> Sequence[Any]:
    from services.campaigns.rpc import make_queries

    return make_queries(app)


SERVICE = Service(
    name="campaigns",
    settings=CampaignsSettings,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    codec=CODEC,
    deciders=[CAMPAIGN, APPLICATION, COLLABORATION, *(process.decider for process in PROCESSES)],
    inlines=[AGREEMENTS, BUDGETS, BRIEFS, DRAFTS, CREATORS, JOBS, PARTIES, POLICIES, POSTS, DEADLINES],
    publish=publish,
    decode=decode,
    decode_command=decode_command,
    projections=PROJECTIONS,
    invariants=INVARIANTS,
    gauges=GAUGES,
    processes=PROCESSES,
    effects=effects,
    http=_http,
    queries=_queries,
)


def open_app(settings: Settings, bus: Bus | None = None) -> App:
    """Campaigns, opened; an embedded bus is shared and passed in."""
    return kernel_app.open_app(SERVICE, settings, bus)
