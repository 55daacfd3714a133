"""Creators like one, or like up to five, with what they have in common."""

import asyncio

from dandelion.discovery.v1.matching_pb2 import SimilarCreatorsRequest
from dandelion.discovery.v1.queries_pb2 import BatchGetCreatorsRequest
from fastapi import APIRouter
from fastapi.responses import Response

from console.look import weighing
from console.look.menu import BRANDS, STAFF
from console.page import Id, Many, Page, needs

router = APIRouter(prefix="/creators", dependencies=[needs(*BRANDS, *STAFF)])
SEEDS_LIMIT = 5


@router.get("/{creator_id}/similar")
async def similar(page: Page, creator_id: Id, seed: Many = ()) -> Response:
    """`seed` are further creators that the found ones may be like."""
    seeds = list(dict.fromkeys((creator_id, *seed)))[:SEEDS_LIMIT]
    found, named = await asyncio.gather(
        page.ask(page.services.discovery.SimilarCreators, SimilarCreatorsRequest(creator_ids=seeds)),
        page.ask(page.services.discovery.BatchGetCreators, BatchGetCreatorsRequest(creator_ids=seeds)),
    )
    return page.show(
        "creators/similar.html",
        creator_id=creator_id,
        seeds=named.creators,
        found=found,
        takes_more=len(seeds) < SEEDS_LIMIT,
        weighing=weighing,
    )
