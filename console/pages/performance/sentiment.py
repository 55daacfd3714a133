"""How people speak of a campaign's contents: scored comments by content and day, and a text of one's own scored at once."""

import asyncio
from collections.abc import Sequence

from dandelion.metrics.v1.queries_pb2 import GetCampaignRoiRequest, GetSentimentRequest, ScoreTextsRequest, Sentiment
from fastapi import APIRouter
from fastapi.responses import Response

from console.calls.problems import Problem
from console.forms import EMPTY, Filled, Form
from console.look.charts import Chart, Series, lines
from console.look.menu import BRANDS, CREATORS, STAFF
from console.page import Id, Page, SignedIn, needs
from console.words import mark

router = APIRouter(prefix="/performance", dependencies=[needs(*BRANDS, *CREATORS, *STAFF)])
SHOWN = 100
LABELS = {"negative": mark("negative"), "neutral": mark("neutral"), "positive": mark("positive")}
LANGUAGES = {"zh": mark("in Chinese"), "en": mark("in English")}


@router.get("/{campaign_id}/sentiment")
async def sentiment(page: Page, campaign_id: Id) -> Response:
    return await _shown(page, campaign_id)


@router.post("/{campaign_id}/sentiment")
async def attempt(page: Page, campaign_id: Id, form: Filled) -> Response:
    """Scores the texts that were typed, one in a line; nothing is kept."""

    async def act() -> Response:
        texts = form.many("texts")
        if not texts:
            form.needed("texts")
        form.check()
        told = await page.ask(page.services.metrics.ScoreTexts, ScoreTextsRequest(texts=texts))
        return await _shown(page, campaign_id, form, None, list(zip(texts, told.scores, strict=True)))

    async def again(typed: Form, problem: Problem) -> Response:
        return await _shown(page, campaign_id, typed, problem)

    return await page.submit(again, form, act)


async def _shown(
    page: SignedIn, campaign_id: str, form: Form = EMPTY, problem: Problem | None = None, scores: object = ()
) -> Response:
    """Whoever may not see how the campaign does is told that it is not there, and not its title over sums of nothing."""
    metrics = page.services.metrics
    _, found, titles = await asyncio.gather(
        page.ask(metrics.GetCampaignRoi, GetCampaignRoiRequest(campaign_id=campaign_id)),
        page.ask(metrics.GetSentiment, GetSentimentRequest(campaign_id=campaign_id)),
        page.titles([campaign_id]),
    )
    return page.show(
        "performance/sentiment.html",
        problem.status if problem else 200,
        campaign_id=campaign_id,
        title=titles.get(campaign_id, campaign_id[:8]),
        found=found,
        days=list(found.days)[:SHOWN],
        drawn=_drawn(page, found.days),
        scores=scores,
        labels=LABELS,
        languages=LANGUAGES,
        shown=SHOWN,
        form=form,
        problem=problem,
    )


def _drawn(page: SignedIn, days: Sequence[Sentiment]) -> Chart | None:
    """Good and bad comments by day; one day is no line."""
    if len(days) < 2:
        return None
    old_first = list(days)[::-1]
    series = [
        Series(page.words(mark("positive")), [float(one.positives) for one in old_first]),
        Series(page.words(mark("negative")), [float(one.negatives) for one in old_first]),
    ]
    title, axis, unit = page.words(mark("Comments by day")), page.words(mark("Day")), page.words(mark("comments"))
    return lines(title, axis, [one.key for one in old_first], series, unit)
