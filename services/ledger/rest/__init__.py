"""Commands over HTTP: deposits, payouts, refunds, settlement files, staff's way out for escrows, the provider's webhook."""

from fastapi import FastAPI

from kernel.edge.http import create_api
from kernel.edge.limits import Rate
from kernel.host.app import App
from services.ledger.ports import Webhooks
from services.ledger.rest.finance import finance
from services.ledger.rest.provider import provider
from services.ledger.rest.settlement import SETTLEMENT_BYTES
from services.ledger.rest.transfers import transfers


def api(app: App, webhooks: Webhooks) -> FastAPI:
    """The ledger's HTTP edge."""
    made = create_api(
        "Dandelion ledger", app.verifier, fingerprint_key=app.fingerprint_key, health=app.health,
        rate=Rate(app.settings.rate_per_s, app.settings.rate_burst),
        body_limits={"/settlements": SETTLEMENT_BYTES}, description=__doc__ or "",
    )  # fmt: skip
    made.include_router(transfers(app))
    made.include_router(finance(app))
    made.include_router(provider(app, webhooks))
    return made
