"""Looking for proofs of sites: the intent SiteLookRequested is carried out in DNS and at the host, and what was found comes back
as a command."""

from collections.abc import Awaitable, Callable
from typing import Any

from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered
from kernel.core.ids import derived_id
from kernel.eventlog.writer import Writer
from kernel.host.app import App
from kernel.processors.processes import SYSTEM, Effect
from services.metrics.domain.site.events import SiteLookRequested, proof_of
from services.metrics.domain.site.site import RecordSite
from services.metrics.ports import Web, look_for
from services.metrics.ports.names import PublicWeb
from services.metrics.ports.stand_in import StandIn
from services.metrics.settings import MetricsSettings


def effects(app: App, web: Web | None = None) -> list[Effect]:
    """Every effect of metrics; `web` stands in place of the one that the settings name."""
    assert isinstance(app.settings, MetricsSettings)
    url = app.settings.web_stand_in_url
    made = web or (StandIn(url) if url else PublicWeb())
    return [Effect("look-at-sites", (SiteLookRequested,), _perform(made, app.writer))]


def _perform(web: Web, writer: Writer) -> Callable[[Delivered[Any]], Awaitable[None]]:
    async def perform(incoming: Delivered[Any]) -> None:
        asked: SiteLookRequested = incoming.event
        outcome, why = await look_for(web, asked.host, proof_of(asked.site_id))
        actor = Actor("effect:look-at-sites", incoming.tenant, SYSTEM)
        meta = Meta(derived_id("site", incoming.id), actor, "", incoming.correlation, incoming.id, incoming.traceparent)
        await writer.execute(incoming.stream, RecordSite(asked.ordinal, outcome, why), meta)

    return perform
