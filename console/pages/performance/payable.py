"""What money may hang on of one content: payable numbers, what was set aside of them and why; staff release what is people."""

from collections.abc import Mapping

from dandelion.metrics.v1.queries_pb2 import GetPayableNumbersRequest, GetPayableNumbersResponse
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.confirming import Question, confirm, is_sure
from console.forms import EMPTY, Filled, Form
from console.look.menu import BRANDS, CREATORS, STAFF
from console.page import Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/performance", dependencies=[needs(*BRANDS, *CREATORS, *STAFF)])
METRICS: Mapping[str, str] = {
    "exposures": mark("Exposures"),
    "reads": mark("Reads"),
    "views": mark("Views"),
    "likes": mark("Likes"),
    "saves": mark("Saves"),
    "comments": mark("Comments"),
    "shares": mark("Shares"),
    "follows": mark("New followers"),
    "clicks": mark("Clicks"),
    "store_visits": mark("Visits of the store"),
}
ABOVE = "band.above"
WHY: Mapping[str, str] = {
    ABOVE: mark("a jump far above the hours before it, the excess only"),
    "traffic.paid": mark("reach that was bought"),
    "source.manual": mark("typed, not measured"),
    "source.estimated": mark("estimated, not measured"),
    "source.brand": mark("sent by the brand, not measured"),
    "source.creator": mark("sent by the creator, not measured"),
    "link.no_visitor": mark("requests of the link that are no person's click"),
    "clicks.counted_by_link": mark("the platform's count, where our own link counted"),
}
REASONS: Mapping[str, str] = {
    "went_viral": mark("The post was shared widely: the platform confirms people"),
    "campaign_push": mark("The brand or the platform promoted it, unpaid"),
    "counted_late": mark("The platform sent a day's counts at once"),
}


@router.get("/{campaign_id}/contents/{content_id}")
async def numbers(page: Page, campaign_id: Id, content_id: Id) -> Response:
    return await _shown(page, content_id)


async def asked_numbers(page: SignedIn, content_id: str) -> GetPayableNumbersResponse:
    """Raises Problem."""
    return await page.ask(page.services.metrics.GetPayableNumbers, GetPayableNumbersRequest(content_id=content_id))


async def _shown(page: SignedIn, content_id: str, form: Form = EMPTY, problem: Problem | None = None) -> Response:
    found = await asked_numbers(page, content_id)
    titles, names = await page.titles([found.campaign_id]), await page.creators([found.creator_id])
    return page.show(
        "performance/payable.html",
        found=found, title=titles[found.campaign_id], name=names[found.creator_id], metrics=METRICS, why=WHY, above=ABOVE,
        releasable=_releasable(page, found), reasons=[(code, page.words(told)) for code, told in REASONS.items()],
        form=form, problem=problem,
    )  # fmt: skip


def _releasable(page: SignedIn, found: GetPayableNumbersResponse) -> list[tuple[str, str]]:
    """The metrics of which something is or was set aside for a jump, for who may release it."""
    if not page.can("operator"):
        return []
    jumped = (one for one in found.numbers if one.released or any(each.reason == ABOVE for each in one.set_aside))
    return [(one.metric, page.words(METRICS.get(one.metric, one.metric))) for one in jumped]


@router.post("/{campaign_id}/contents/{content_id}/release", dependencies=[needs("operator")])
async def release(page: Page, campaign_id: Id, content_id: Id, form: Filled) -> Response:
    own = f"/performance/{campaign_id}/contents/{content_id}"

    async def act() -> Response:
        metric, count, reason = form.needed("metric"), form.whole("count"), form.needed("reason")
        form.check()
        if metric not in METRICS:
            raise Problem("invalid", "request.invalid", {}, {"metric": mark("Please choose one of the list.")})
        if not is_sure(form):
            return confirm(page, form, _question(page, metric, count, reason, own))
        body = {"count": count, "reason": reason}
        receipt = await page.send("metrics", "POST", f"/contents/{content_id}/payable/{metric}/release", form, body)
        return page.done(own, receipt, mark("Released: it is payable from now on."))

    return await page.submit(lambda typed, problem: _shown(page, content_id, typed, problem), form, act)


def _question(page: SignedIn, metric: str, count: int, reason: str, own: str) -> Question:
    pairs = [
        (page.words(mark("Number")), page.words(METRICS[metric])),
        (page.words(mark("Payable of what was set aside, in all")), page.formats.number(count)),
        (page.words(mark("Reason")), page.words(REASONS.get(reason, reason))),
    ]
    said = page.words(mark("Both sides read it, with the reason. Said anew it is another number; 0 takes it back."))
    return Question(page.words(mark("Release this number?")), pairs, said, page.words(mark("Release it")), own, True)
