"""The currencies that amounts may have."""

from fastapi import APIRouter
from pydantic import BaseModel

from kernel.core.money import DIGITS
from kernel.edge.http import Caller


class CurrencyAnswer(BaseModel):
    """A currency of ISO 4217: amounts are in minor units, of which 10 to the power of `digits` are one of it."""

    code: str
    digits: int


def routes() -> APIRouter:
    """The same answer for every caller."""
    router = APIRouter(tags=["vocabulary"])

    @router.get("/currencies")
    async def currencies(caller: Caller) -> list[CurrencyAnswer]:
        """Every currency that an amount may have, by its code."""
        return [CurrencyAnswer(code=code, digits=digits) for code, digits in sorted(DIGITS.items())]

    return router
