"""The formulas behind the figures, by id."""

from fastapi import APIRouter
from pydantic import BaseModel

from kernel.edge.http import Caller
from services.metrics.domain.roi import FORMULAS


class FormulaAnswer(BaseModel):
    """A formula: `id` with its version, the formula in words, and the unit: `ratio` (1 is 100 %), `minor` units of the
    currency per piece, or `minor_per_1000`."""

    id: str
    text: str
    unit: str


def routes() -> APIRouter:
    """The same answer for every caller."""
    router = APIRouter(tags=["vocabulary"])

    @router.get("/formulas")
    async def formulas(caller: Caller) -> list[FormulaAnswer]:
        """Every formula that a figure may name."""
        return [FormulaAnswer(id=one.id, text=one.text, unit=one.unit) for one in FORMULAS.values()]

    return router
