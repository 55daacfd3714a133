"""Metrics put together: the only composition root."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kernel.adapters.bus import PARTITIONS, Bus
from kernel.host import app as kernel_app
from kernel.host.app import App, Service
from kernel.runtime.roles import Role
from kernel.runtime.settings import Settings
from services.metrics.codec import CODEC
from services.metrics.domain.anomaly.anomaly import ANOMALY
from services.metrics.domain.batch import BATCH
from services.metrics.domain.coupon import COUPON, COUPON_CODES, COUPON_COUNTS
from services.metrics.domain.excess import EXCESS
from services.metrics.domain.grid.grid import GRID
from services.metrics.domain.link.clicks import CLICK, CLICKS
from services.metrics.domain.link.link import LINK, LINK_CODES, LINK_COUNTS
from services.metrics.domain.mentions.mentions import MENTIONS
from services.metrics.domain.order.order import ORDER
from services.metrics.domain.order.state import ORDER_NUMBERS
from services.metrics.domain.post.post import POST
from services.metrics.domain.site.site import SITE_COUNTS, SITE_DECIDER, SITES
from services.metrics.effects import effects
from services.metrics.invariants import INVARIANTS
from services.metrics.ports import Web
from services.metrics.process import DEADLINES
from services.metrics.projections import PROJECTIONS
from services.metrics.publish import publish
from services.metrics.settings import MetricsSettings
from services.metrics.subscribe import ENGAGEMENT, decode, decode_command
from services.metrics.tables import metadata


def _http(app: App) -> Any:
    from services.metrics.rest import make_api  # imported when its role starts

    return make_api(app)


def _queries(app: App) -> Sequence[Any]:
    from services.metrics.rpc import make_queries

    return make_queries(app)


def _stream(app: App) -> Role:
    from services.metrics.stream import make_stream

    return make_stream(app)


SERVICE = Service(
    name="metrics",
    settings=MetricsSettings,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    codec=CODEC,
    deciders=[LINK, CLICK, COUPON, ORDER, BATCH, ANOMALY, SITE_DECIDER, POST, GRID, EXCESS, MENTIONS],
    inlines=[
        LINK_CODES,
        LINK_COUNTS,
        CLICKS,
        COUPON_CODES,
        COUPON_COUNTS,
        ORDER_NUMBERS,
        SITES,
        SITE_COUNTS,
        DEADLINES,
    ],
    publish=publish,
    decode=decode,
    decode_command=decode_command,
    projections=PROJECTIONS,
    invariants=INVARIANTS,
    effects=effects,
    http=_http,
    queries=_queries,
    stream=_stream,
    own_topics={ENGAGEMENT.name: PARTITIONS},
)


def open_app(settings: Settings, bus: Bus | None = None, web: Web | None = None) -> App:
    """Metrics, opened; an embedded bus is shared and passed in, `web` stands in place of the one that the settings name."""
    service = SERVICE if web is None else replace(SERVICE, effects=partial(effects, web=web))
    return kernel_app.open_app(service, settings, bus)
