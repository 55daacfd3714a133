"""What finance verifies of payees, and the rates that their pay is taxed at."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from kernel.core.events import Receipt
from kernel.edge.fields import Currency, Uuid
from kernel.edge.http import CommandRequest
from kernel.host.app import App
from services.ledger.domain.residences import SetReferenceRate, SetTaxResidence, rate_stream, residence_stream
from services.ledger.rest.bodies import ReferenceRateBody, TaxResidenceBody

Month = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


def payees(app: App) -> APIRouter:
    """Routes of role finance."""
    router = APIRouter(tags=["finance"])

    @router.put("/tax-residences/{payee_id}", status_code=201)
    async def tax_residence(payee_id: Uuid, body: TaxResidenceBody, request: CommandRequest) -> Receipt:
        """Where a payee is resident for tax; payments that waited for it are made. Finance only."""
        stream, command = residence_stream(payee_id), SetTaxResidence(payee_id, body.country, body.reference)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    @router.put("/reference-rates/{currency}/{month}", status_code=201)
    async def reference_rate(
        currency: Currency, month: Month, body: ReferenceRateBody, request: CommandRequest
    ) -> Receipt:
        """The central parity rate of a month's last day; payments that waited for it are made. Finance only."""
        command = SetReferenceRate(currency, month, body.cny_minor, body.per_minor)
        stream = rate_stream(currency, month)
        return request.respond(await app.writer.execute(stream, command, request.meta(stream, command, body)))

    return router
