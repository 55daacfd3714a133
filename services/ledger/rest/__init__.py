"""Commands over HTTP: deposits, payouts, refunds, settlement files, staff's way out for escrows, the provider's webhook."""

from functools import partial

from fastapi import FastAPI

from kernel.edge.http import create_api
from kernel.host.app import App
from services.ledger.ports.settlements import SETTLEMENT_BYTES
from services.ledger.ports.webhooks import Webhooks, read_secrets
from services.ledger.rest.by_hand import proposals
from services.ledger.rest.finance import finance, reconciliation
from services.ledger.rest.payees import payees
from services.ledger.rest.policies import policies
from services.ledger.rest.provider import provider
from services.ledger.rest.transfers import transfers
from services.ledger.rest.vocabulary import routes as vocabulary
from services.ledger.settings import LedgerSettings


def make_api(app: App) -> FastAPI:
    """The command API of the ledger; webhook secrets that cannot be read stop the process now."""
    assert isinstance(app.settings, LedgerSettings)
    secrets = partial(read_secrets, app.settings.psp_webhook_secrets_file)
    secrets()
    api = create_api(
        "Dandelion ledger", app.admission, fingerprint_key=app.fingerprint_key, health=app.health,
        live_requests=app.settings.live_requests,
        body_limits={"/settlements": SETTLEMENT_BYTES}, description=__doc__ or "",
    )  # fmt: skip
    api.include_router(transfers(app))
    api.include_router(finance(app))
    api.include_router(payees(app))
    api.include_router(policies(app))
    api.include_router(reconciliation(app))
    api.include_router(proposals(app))
    api.include_router(vocabulary())
    api.include_router(provider(app, Webhooks(secrets)))
    return api
