"""The ledger put together: the only place that knows all its parts."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from kernel.adapters.bus import Bus
from kernel.core.check import CheckResult
from kernel.host import app as kernel_app
from kernel.host.app import App, Service
from kernel.processors.processes import Effect
from kernel.runtime.roles import Role
from services.ledger.codec import CODEC
from services.ledger.domain.chains import DECIDERS
from services.ledger.domain.inlines import ALL
from services.ledger.domain.payees import PAYEES
from services.ledger.domain.seals import SEALING
from services.ledger.domain.watches import WATCHES
from services.ledger.effects import effects
from services.ledger.ports import HttpProvider, Provider, Webhooks, open_anchors, read_key, read_secrets
from services.ledger.process import DEADLINES
from services.ledger.projections import PROJECTIONS
from services.ledger.publish import publish
from services.ledger.reads.verify import verify
from services.ledger.settings import LedgerSettings
from services.ledger.subscribe import decode_command
from services.ledger.tables import METADATA


def _settings(app: App) -> LedgerSettings:
    return cast("LedgerSettings", app.settings)


def _http(app: App) -> Any:
    from services.ledger import rest  # imported when its role starts

    secrets = partial(read_secrets, _settings(app).psp_webhook_secrets_file)
    secrets()  # one that cannot be read stops the process now
    return rest.api(app, Webhooks(secrets))


def _rpc(app: App) -> Role:
    from services.ledger import rpc

    settings = _settings(app)
    return rpc.role(app, open_anchors(settings.anchor_dir, settings.anchor_key_file))


def _effects(app: App) -> list[Effect]:
    settings = _settings(app)
    key = partial(read_key, settings.psp_key_file)
    key()  # one that cannot be read stops the process now
    return _effects_with(app, HttpProvider(settings.psp_url, key))


def _effects_with(app: App, provider: Provider) -> list[Effect]:
    settings = _settings(app)
    return effects(app, provider, open_anchors(settings.anchor_dir, settings.anchor_key_file))


async def _books(app: App) -> Sequence[CheckResult]:
    """The proof that VerifyLedger answers with, without a server."""
    settings = _settings(app)
    return (await verify(app.log, CODEC, open_anchors(settings.anchor_dir, settings.anchor_key_file))).checks


def _metadata() -> sa.MetaData:
    return METADATA


SERVICE = Service(
    name="ledger",
    settings=LedgerSettings,
    metadata=_metadata,
    migrations=Path(__file__).parent / "migrations",
    codec=CODEC,
    deciders=(*DECIDERS, PAYEES, WATCHES, SEALING),
    inlines=(*ALL, DEADLINES),
    publish=publish,
    http=_http,
    rpc=_rpc,
    projections=PROJECTIONS,
    effects=_effects,
    invariants=(_books,),
    decode_command=decode_command,
)


def open_app(settings: LedgerSettings, bus: Bus | None = None, provider: Provider | None = None) -> App:
    """The ledger, opened; an embedded bus is shared, `provider` stands in place of the one that the settings name."""
    service = SERVICE
    if provider is not None:
        service = replace(SERVICE, effects=lambda app: _effects_with(app, provider))
    return kernel_app.open_app(service, settings, bus)
