"""The words that requests are made of, for whoever fills in a form: categories and tiers."""

from fastapi import APIRouter
from pydantic import BaseModel

from kernel.edge.http import Caller
from services.discovery.domain.categories import FIRST_LEVEL
from services.discovery.domain.tiers import FLOORS, Tier


class CategoryAnswer(BaseModel):
    """A first-level category: `name` is what requests and answers say, `english` the words that a search finds it by."""

    name: str
    english: str


class TierAnswer(BaseModel):
    """A size class: creators with at least `followers` on their largest account, and fewer than the tier above."""

    name: Tier
    followers: int


def routes() -> APIRouter:
    """The same answer for every caller."""
    router = APIRouter(tags=["vocabulary"])

    @router.get("/categories")
    async def categories(caller: Caller) -> list[CategoryAnswer]:
        """First-level categories; a second level is free, behind a slash: `美妆/口红`."""
        return [CategoryAnswer(name=name, english=english) for name, english in FIRST_LEVEL.items()]

    @router.get("/tiers")
    async def tiers(caller: Caller) -> list[TierAnswer]:
        """Size classes, from the largest."""
        return [TierAnswer(name=tier, followers=floor) for tier, floor in (*FLOORS, (Tier.UNRANKED, 0))]

    return router
