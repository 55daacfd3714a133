"""What finance verifies of payees, the rates that their pay is taxed at, and the ties that hold it."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from kernel.core.events import Receipt
from kernel.edge.fields import Currency, Uuid, worded
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.ledger.domain.set_by_hand import ClearTie, SetReferenceRate, SetTaxResidence
from services.ledger.rest.bodies import ReferenceRateBody, TaxResidenceBody, TieBody
from services.ledger.rest.by_hand import send

Month = Annotated[str, StringConstraints(pattern=worded(r"^20[0-9]{2}-(0[1-9]|1[0-2])$", "a month, such as 2026-10"))]


def payees(app: App) -> APIRouter:
    """Routes of role finance."""
    router = APIRouter(tags=["finance"])

    @router.put("/ties/{brand_id}/{payee_id}", status_code=201)
    async def tie(brand_id: Uuid, payee_id: Uuid, body: TieBody, request: CommandRequest) -> Receipt:
        """Proposes to clear what ties payer and payee now; approved, payments that waited for it are made. Finance only."""
        return await send(app, request, ClearTie(brand_id, payee_id, body.reason), body)

    @router.put("/tax-residences/{payee_id}", status_code=201)
    async def tax_residence(payee_id: Uuid, body: TaxResidenceBody, request: CommandRequest) -> Receipt:
        """Proposes where a payee is resident for tax; approved, payments that waited for it are made. Finance only."""
        return await send(app, request, SetTaxResidence(payee_id, body.country, body.reference), body)

    @router.put("/reference-rates/{currency}/{month}", status_code=201)
    async def reference_rate(
        currency: Currency, month: Month, body: ReferenceRateBody, request: CommandRequest
    ) -> Receipt:
        """Proposes the central parity rate of a month's last day; approved, payments that waited are made. Finance only."""
        return await send(app, request, SetReferenceRate(currency, month, body.cny_minor, body.per_minor), body)

    return router
