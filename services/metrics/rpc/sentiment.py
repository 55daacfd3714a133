"""How people speak of contents: sums of scored comments, and scores of texts that are given here and not kept."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

from dandelion.metrics.v1 import queries_pb2 as pb
from dandelion.metrics.v1 import queries_pb2_grpc as grpc_pb

from kernel.core.faults import Invalid
from kernel.core.ids import checked_id
from kernel.edge.grpc import caller
from kernel.host.app import App
from services.metrics.projections.sentiment import SENTIMENT_SUMS
from services.metrics.reads.sentiment import Asked, Feeling, sentiment
from services.metrics.sentiment.models import version
from services.metrics.sentiment.scores import Score, scored

TEXTS_LIMIT, TEXT_CHARS = 500, 2_000
AT_ONCE = 1
"""Requests that are scored at a time: one uses a whole processor."""
DAY = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
ROLES = ("brand", "agency", "creator", "operator", "reviewer", "auditor", "finance", "system")


class SentimentQueries(grpc_pb.RoiQueryServiceServicer):
    """A brand sees its contents, a creator its own, staff all."""

    _app: App
    _slots = asyncio.Semaphore(AT_ONCE)

    async def GetSentiment(self, request: pb.GetSentimentRequest, context: Any) -> pb.GetSentimentResponse:  # noqa: N802
        actor = caller()
        campaign_id, content_id = (checked_id(one) if one else "" for one in (request.campaign_id, request.content_id))
        days = _day("from_day", request.from_day), _day("until_day", request.until_day)
        asked = Asked(campaign_id, content_id, *days)
        await self._app.at_least(request.at_least, SENTIMENT_SUMS.name)
        whole, parts, models = await sentiment(self._app.database, asked, actor)
        return pb.GetSentimentResponse(
            all=_wire(whole),
            contents=_wires(parts["content_id"]),
            days=_wires(parts["day"]),
            languages=_wires(parts["language"]),
            models=models,
        )

    async def ScoreTexts(self, request: pb.ScoreTextsRequest, context: Any) -> pb.ScoreTextsResponse:  # noqa: N802
        caller().require(*ROLES)
        if not 1 <= len(request.texts) <= TEXTS_LIMIT:
            raise Invalid("texts.too_many", field="texts", limit=TEXTS_LIMIT)
        if any(len(one) > TEXT_CHARS for one in request.texts):
            raise Invalid("text.too_long", field="texts", limit=TEXT_CHARS)
        async with self._slots:
            found = await asyncio.to_thread(scored, list(request.texts))
        return pb.ScoreTextsResponse(scores=map(_score, found), model=version())


def _day(field: str, text: str) -> str:
    if text and not DAY.match(text):
        raise Invalid("day.malformed", field=field, value=text[:40], expected="YYYY-MM-DD")
    return text


def _score(one: Score) -> pb.TextScore:
    return pb.TextScore(
        language=one.language, label=one.label, negative=one.negative, neutral=one.neutral, positive=one.positive
    )


def _wires(found: Iterable[Feeling]) -> Iterable[pb.Sentiment]:
    return map(_wire, found)


def _wire(one: Feeling) -> pb.Sentiment:
    return pb.Sentiment(
        key=one.key, mentions=one.mentions, negatives=one.negatives, neutrals=one.neutrals, positives=one.positives,
        net=one.net, net_low=one.low, net_high=one.high,
    )  # fmt: skip
