"""Compliance put together: the only composition root."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kernel.adapters.bus import Bus
from kernel.host import app as kernel_app
from kernel.host.app import App, Service
from kernel.processors.processes import Effect
from kernel.runtime.roles import Role
from kernel.runtime.settings import Settings
from services.compliance.codec import CODEC
from services.compliance.domain.live import LOOK
from services.compliance.domain.review import review_decider
from services.compliance.effects import look_effect
from services.compliance.invariants import INVARIANTS
from services.compliance.packs import shipped_packs
from services.compliance.ports import HttpPlatform, Platform
from services.compliance.process import DEADLINES, PROCESSES
from services.compliance.projections import PROJECTIONS
from services.compliance.publish import publish
from services.compliance.settings import ComplianceSettings
from services.compliance.subscribe import decode, decode_command
from services.compliance.tables import metadata


def _effects(app: App) -> Sequence[Effect]:
    assert isinstance(app.settings, ComplianceSettings)
    return (look_effect(HttpPlatform(app.settings.platform_url), app.writer),)


def _http(app: App) -> Any:
    from services.compliance.rest import make_api  # imported when its role starts

    return make_api(app)


def _rpc(app: App) -> Role:
    from services.compliance.rpc import make_rpc

    return make_rpc(app)


SERVICE = Service(
    name="compliance",
    settings=ComplianceSettings,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    codec=CODEC,
    deciders=(review_decider(shipped_packs()), LOOK),
    publish=publish,
    http=_http,
    rpc=_rpc,
    inlines=(DEADLINES,),
    projections=PROJECTIONS,
    processes=PROCESSES,
    effects=_effects,
    invariants=INVARIANTS,
    decode=decode,
    decode_command=decode_command,
)


def open_app(settings: Settings, bus: Bus | None = None, platform: Platform | None = None) -> App:
    """Compliance, opened; `platform` in place of the one that the settings name."""
    service = SERVICE
    if platform is not None:
        service = replace(SERVICE, effects=lambda app: (look_effect(platform, app.writer),))
    return kernel_app.open_app(service, settings, bus)
