"""Compliance put together: the only composition root."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from kernel.adapters.bus import Bus
from kernel.host import app as kernel_app
from kernel.host.app import App, Service
from kernel.runtime.settings import Settings
from services.compliance.codec import CODEC
from services.compliance.domain.erasure import ERASURE
from services.compliance.domain.live import LOOK
from services.compliance.domain.review import review_decider
from services.compliance.effects import effects
from services.compliance.invariants import INVARIANTS
from services.compliance.packs import shipped_packs
from services.compliance.packs.judging import judging
from services.compliance.ports import Platform
from services.compliance.process import DEADLINES, PROCESSES
from services.compliance.projections import PROJECTIONS
from services.compliance.publish import publish
from services.compliance.settings import ComplianceSettings
from services.compliance.subscribe import decode, decode_command
from services.compliance.tables import metadata


def _http(app: App) -> Any:
    from services.compliance.rest import make_api  # imported when its role starts

    return make_api(app)


def _queries(app: App) -> Sequence[Any]:
    from services.compliance.rpc import make_queries

    return make_queries(app)


async def prepare(command: object, at: datetime) -> object:
    """Judges a submission before it is queued, off the event loop."""
    return await judging().prepare(command, at)


SERVICE = Service(
    name="compliance",
    settings=ComplianceSettings,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    codec=CODEC,
    deciders=(review_decider(shipped_packs()), LOOK, ERASURE, PROCESSES[1].decider),
    publish=publish,
    http=_http,
    queries=_queries,
    inlines=(DEADLINES,),
    projections=PROJECTIONS,
    processes=PROCESSES,
    effects=effects,
    invariants=INVARIANTS,
    decode=decode,
    decode_command=decode_command,
    prepare=prepare,
)


def open_app(settings: Settings, bus: Bus | None = None, platform: Platform | None = None) -> App:
    """Compliance, opened; `platform` in place of the one that the settings name."""
    service = SERVICE
    if platform is not None:
        service = replace(SERVICE, effects=partial(effects, platform=platform))
    return kernel_app.open_app(service, settings, bus)
