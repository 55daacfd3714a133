"""`GET /contested-handles`: handles that several creators claim and none was verified for, for operators to decide.

An operator decides by `POST /creators/{id}/accounts/verify` or `.../identify` of the one whose account it is.
"""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from kernel.adapters.database import Database
from kernel.edge.http import Caller
from kernel.edge.page_tokens import PAGE_LIMIT
from services.discovery.domain.profile import HANDLE_CHARS, Platform
from services.discovery.search.contested import contested


class ClaimAnswer(BaseModel):
    """`account_id` is the platform's own id of the creator's account there, "" where it is not known."""

    creator_id: str
    account_id: str


class ContestedAnswer(BaseModel):
    platform: Platform
    handle: str
    claims: list[ClaimAnswer]


class ContestedPageAnswer(BaseModel):
    """By platform and handle. `more`: ask again behind the last of them."""

    handles: list[ContestedAnswer]
    more: bool


def routes(database: Database) -> APIRouter:
    """The work list."""
    router = APIRouter(tags=["handles"])

    @router.get("/contested-handles")
    async def contested_handles(
        caller: Caller,
        after_platform: Platform | None = None,
        after_handle: Annotated[str, Query(max_length=HANDLE_CHARS)] = "",
        size: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT,
    ) -> ContestedPageAnswer:
        """Operators only: handles behind the one named, each with who claims it."""
        after = (after_platform.value, after_handle) if after_platform else None
        found = await contested(database, after, size, caller)
        return ContestedPageAnswer(
            handles=[ContestedAnswer.model_validate(asdict(one)) for one in found.handles], more=found.after is not None
        )

    return router
