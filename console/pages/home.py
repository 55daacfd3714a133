"""Home: what needs the reader now, what runs, what came in."""

import asyncio
from collections.abc import Sequence

from dandelion.campaigns.v1.events_pb2 import PARTY_BRAND, PARTY_CREATOR
from dandelion.campaigns.v1.queries_pb2 import (
    COLLABORATION_STATUS_CONTRACTED,
    COLLABORATION_STATUS_FUNDED,
    DISPUTE_STATUS_OPEN,
    Campaign,
    Collaboration,
    ListApplicationsRequest,
    ListCampaignsRequest,
    ListCollaborationsRequest,
    ListDisputesRequest,
)
from dandelion.compliance.v1.queries_pb2 import ERASURE_STEP_REQUESTED, ListErasuresRequest, ListReviewQueueRequest
from dandelion.ledger.v1.queries_pb2 import (
    HAND_MOVE_STATUS_PROPOSED,
    TRANSFER_KIND_PAYOUT,
    TRANSFER_STATUS_FAILED,
    ListDeferredPaymentsRequest,
    ListDiscrepanciesRequest,
    ListHandMovesRequest,
    ListReleasesRequest,
    ListTransfersRequest,
    Release,
)
from fastapi import APIRouter
from fastapi.responses import Response

from console.look.menu import BRANDS, CREATORS
from console.page import Page, SignedIn
from console.tasks import (
    WAITING,
    Task,
    of_applications,
    of_books,
    of_collaborations,
    of_disputes,
    of_erasures,
    of_moves,
    of_reviews,
    sorted_by_need,
)

router = APIRouter()
RUNNING = (COLLABORATION_STATUS_CONTRACTED, COLLABORATION_STATUS_FUNDED)
TASKS_SHOWN, LISTED = 50, 100


@router.get("/")
async def home(page: Page) -> Response:
    if page.can(*BRANDS) or page.can(*CREATORS):
        return await _of_party(page)
    return await _of_staff(page)


async def _of_party(page: SignedIn) -> Response:
    """A brand's, an agency's or a creator's home: campaigns of its own, a creator's the open ones."""
    campaigns, me = page.services.campaigns, PARTY_BRAND if page.can(*BRANDS) else PARTY_CREATOR
    offers, work, running, paid = await asyncio.gather(
        page.ask(campaigns.ListApplications, ListApplicationsRequest(statuses=WAITING, page_size=TASKS_SHOWN)),
        page.ask(campaigns.ListCollaborations, ListCollaborationsRequest(statuses=RUNNING, page_size=200)),
        page.ask(campaigns.ListCampaigns, ListCampaignsRequest(brand_id=page.runs_campaigns_of, page_size=6)),
        page.ask(page.services.ledger.ListReleases, ListReleasesRequest(page_size=6)),
    )
    found = of_collaborations(work.collaborations, me, page.formats.now)
    tasks = sorted_by_need([*of_applications(offers.applications, me), *found])[:TASKS_SHOWN]
    return await _shown(page, tasks, running.campaigns, work.collaborations[:6], paid.releases)


async def _of_staff(page: SignedIn) -> Response:
    """Home of the platform's own people: the work lists of their roles."""
    lists = await asyncio.gather(*[ask(page) for roles, ask in WORK_LISTS if page.can(*roles)])
    tasks = sorted_by_need(task for tasks in lists for task in tasks)[:TASKS_SHOWN]
    return await _shown(page, tasks)


async def _reviews(page: SignedIn) -> list[Task]:
    request = ListReviewQueueRequest(page_size=TASKS_SHOWN)
    return list(of_reviews((await page.ask(page.services.compliance.ListReviewQueue, request)).reviews))


async def _disputes(page: SignedIn) -> list[Task]:
    request = ListDisputesRequest(statuses=[DISPUTE_STATUS_OPEN], order_by="due_at", page_size=TASKS_SHOWN)
    answer = await page.ask(page.services.campaigns.ListDisputes, request)
    return list(of_disputes(answer.disputes, page.formats.now))


async def _books(page: SignedIn) -> list[Task]:
    ledger, failed = page.services.ledger, TRANSFER_STATUS_FAILED
    payouts = ListTransfersRequest(kind=TRANSFER_KIND_PAYOUT, status=failed, page_size=LISTED)
    moves, deferred, discrepancies, failures = await asyncio.gather(
        page.ask(ledger.ListHandMoves, ListHandMovesRequest(status=HAND_MOVE_STATUS_PROPOSED, page_size=LISTED)),
        page.ask(ledger.ListDeferredPayments, ListDeferredPaymentsRequest(page_size=LISTED)),
        page.ask(ledger.ListDiscrepancies, ListDiscrepanciesRequest(page_size=LISTED)),
        page.ask(ledger.ListTransfers, payouts),
    )
    counts = len(deferred.payments), len(discrepancies.discrepancies), len(failures.transfers)
    return [*of_moves(moves.moves, page.person.subject), *of_books(*counts)]


async def _erasures(page: SignedIn) -> list[Task]:
    request = ListErasuresRequest(step=ERASURE_STEP_REQUESTED, page_size=TASKS_SHOWN)
    return list(of_erasures((await page.ask(page.services.compliance.ListErasures, request)).erasures))


WORK_LISTS = (
    (("reviewer",), _reviews),
    (("reviewer", "operator"), _disputes),
    (("finance",), _books),
    (("operator",), _erasures),
)
"""Work lists by the roles that work them off."""


async def _shown(
    page: SignedIn,
    tasks: Sequence[Task],
    campaigns: Sequence[Campaign] = (),
    collaborations: Sequence[Collaboration] = (),
    releases: Sequence[Release] = (),
) -> Response:
    """The page, with the names of all campaigns and creators that it mentions."""
    about: list[Task | Collaboration | Release] = [*tasks, *collaborations, *releases]
    titles, creators = await asyncio.gather(
        page.titles({one.campaign_id for one in about}), page.creators({one.creator_id for one in about})
    )
    return page.show(
        "home/home.html",
        tasks=tasks,
        campaigns=campaigns,
        collaborations=collaborations,
        paid=[(one, _came_in(page, one)) for one in releases],
        titles=titles,
        creators=creators,
    )


def _came_in(page: SignedIn, release: Release) -> int:
    """What the reader received of a payment, minor units; of a brand's what it paid."""
    if page.can("brand"):
        return release.gross_minor
    return sum(one.net_minor for one in release.payees if one.payee_id == page.person.tenant)
