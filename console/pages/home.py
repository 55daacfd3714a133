"""Home: what needs the reader now, what runs, what came in."""

import asyncio

from dandelion.campaigns.v1.events_pb2 import PARTY_BRAND, PARTY_CREATOR
from dandelion.campaigns.v1.queries_pb2 import (
    COLLABORATION_STATUS_CONTRACTED,
    COLLABORATION_STATUS_FUNDED,
    ListApplicationsRequest,
    ListCampaignsRequest,
    ListCollaborationsRequest,
)
from dandelion.compliance.v1.queries_pb2 import ListReviewQueueRequest
from fastapi import APIRouter
from fastapi.responses import Response

from console.look.menu import BRANDS, CREATORS
from console.page import Page, SignedIn
from console.tasks import WAITING, Task, of_applications, of_collaborations, sorted_by_need

router = APIRouter()
RUNNING = (COLLABORATION_STATUS_CONTRACTED, COLLABORATION_STATUS_FUNDED)
TASKS_SHOWN = 50


@router.get("/")
async def home(page: Page) -> Response:
    if page.can(*BRANDS) or page.can(*CREATORS):
        return await _of_party(page)
    return await _of_staff(page)


async def _of_party(page: SignedIn) -> Response:
    """A brand's, an agency's or a creator's home."""
    campaigns, me = page.services.campaigns, PARTY_BRAND if page.can(*BRANDS) else PARTY_CREATOR
    offers, work, running = await asyncio.gather(
        page.ask(campaigns.ListApplications, ListApplicationsRequest(statuses=WAITING, page_size=TASKS_SHOWN)),
        page.ask(campaigns.ListCollaborations, ListCollaborationsRequest(statuses=RUNNING, page_size=200)),
        page.ask(campaigns.ListCampaigns, ListCampaignsRequest(page_size=6)),
    )
    found = of_collaborations(work.collaborations, me, page.formats.now)
    tasks = sorted_by_need([*of_applications(offers.applications, me), *found])[:TASKS_SHOWN]
    return await _shown(page, tasks, campaigns=running.campaigns, collaborations=work.collaborations[:6])


async def _of_staff(page: SignedIn) -> Response:
    """Home of the platform's own people: the queues of their roles."""
    tasks: list[Task] = []
    if page.can("reviewer", "operator", "auditor"):
        queue = await page.ask(page.services.compliance.ListReviewQueue, ListReviewQueueRequest(page_size=TASKS_SHOWN))
        del queue
    return await _shown(page, tasks, campaigns=(), collaborations=())


async def _shown(page: SignedIn, tasks: list[Task], campaigns: object, collaborations: object) -> Response:
    """The page, with the names of all campaigns and creators that it mentions."""
    shown = list(collaborations)  # type: ignore[call-overload]
    titles, creators = await asyncio.gather(
        page.titles({*(one.campaign_id for one in tasks), *(one.campaign_id for one in shown)}),
        page.creators({*(one.creator_id for one in tasks), *(one.creator_id for one in shown)}),
    )
    return page.show(
        "home/home.html", tasks=tasks, campaigns=campaigns, collaborations=shown, titles=titles, creators=creators
    )
