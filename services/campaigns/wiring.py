"""The only place where campaigns is put together."""

from pathlib import Path
from typing import Any

from kernel.adapters.bus import Bus
from kernel.host.app import App, Service
from kernel.host.app import open_app as open_service
from kernel.runtime.roles import Role
from services.campaigns.codec import CODEC
from services.campaigns.domain.application import APPLICATION
from services.campaigns.domain.budget import BRIEFS, BUDGETS
from services.campaigns.domain.campaign import CAMPAIGN
from services.campaigns.domain.collaboration import COLLABORATION
from services.campaigns.process import PROCESSES
from services.campaigns.process.clocks import DEADLINES
from services.campaigns.projections import PROJECTIONS
from services.campaigns.publish import publish
from services.campaigns.reads import budgets_agree
from services.campaigns.settings import CampaignsSettings
from services.campaigns.subscribe import decode, decode_command
from services.campaigns.tables import metadata


def _http(app: App) -> Any:
    from services.campaigns.rest import make_api  # imported when its role starts

    return make_api(app)


def _rpc(app: App) -> Role:
    from services.campaigns.rpc import make_rpc

    return make_rpc(app)


SERVICE = Service(
    name="campaigns",
    settings=CampaignsSettings,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    codec=CODEC,
    deciders=[CAMPAIGN, APPLICATION, COLLABORATION, *(process.decider for process in PROCESSES)],
    inlines=[BUDGETS, BRIEFS, DEADLINES],
    publish=publish,
    decode=decode,
    decode_command=decode_command,
    projections=PROJECTIONS,
    invariants=[budgets_agree],
    processes=PROCESSES,
    http=_http,
    rpc=_rpc,
)


def open_app(settings: CampaignsSettings, bus: Bus | None = None) -> App:
    """Campaigns over the database and bus of the settings; an embedded bus is shared and passed in."""
    return open_service(SERVICE, settings, bus)
