"""The ledger put together: the only composition root."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kernel.adapters.bus import Bus
from kernel.host import app as kernel_app
from kernel.host.app import App, Service
from kernel.runtime.settings import Settings
from services.ledger.codec import CODEC
from services.ledger.domain.chains import DECIDERS
from services.ledger.domain.discrepancies import WORK_LIST
from services.ledger.domain.files import FILES
from services.ledger.domain.holds import HOLDING
from services.ledger.domain.inlines import ALL
from services.ledger.domain.payees import PAYEES
from services.ledger.domain.policies import POLICY_DECIDER
from services.ledger.domain.proposals import PROPOSAL_DECIDER
from services.ledger.domain.residences import RATE_DECIDER, RESIDENCE_DECIDER
from services.ledger.domain.seals import SEALING
from services.ledger.domain.ties import TIES
from services.ledger.domain.watches import WATCHES
from services.ledger.effects import effects
from services.ledger.gauges import GAUGES
from services.ledger.invariants import INVARIANTS
from services.ledger.ports import Provider
from services.ledger.process import DEADLINES, PROCESSES
from services.ledger.projections import PROJECTIONS
from services.ledger.publish import publish
from services.ledger.settings import LedgerSettings
from services.ledger.subscribe import decode_command
from services.ledger.tables import metadata


def _http(app: App) -> Any:
    from services.ledger.rest import make_api  # imported when its role starts

    return make_api(app)


def _queries(app: App) -> Sequence[Any]:
    from services.ledger.rpc import make_queries

    return make_queries(app)


SERVICE = Service(
    name="ledger",
    settings=LedgerSettings,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    codec=CODEC,
    deciders=(
        *DECIDERS,
        PAYEES,
        POLICY_DECIDER,
        RESIDENCE_DECIDER,
        RATE_DECIDER,
        WATCHES,
        SEALING,
        WORK_LIST,
        PROPOSAL_DECIDER,
        FILES,
        TIES,
        HOLDING,
        *(process.decider for process in PROCESSES),
    ),
    processes=PROCESSES,
    inlines=(*ALL, DEADLINES),
    publish=publish,
    http=_http,
    queries=_queries,
    projections=PROJECTIONS,
    effects=effects,
    invariants=INVARIANTS,
    gauges=GAUGES,
    decode_command=decode_command,
)


def open_app(settings: Settings, bus: Bus | None = None, provider: Provider | None = None) -> App:
    """The ledger, opened; an embedded bus is shared, `provider` stands in place of the one that the settings name."""
    service = SERVICE
    if provider is not None:
        service = replace(SERVICE, effects=partial(effects, provider=provider))
    return kernel_app.open_app(service, settings, bus)
