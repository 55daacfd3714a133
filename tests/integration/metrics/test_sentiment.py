"""Comments on a content from the edge that scores them to the sums that its parties read, over gRPC and HTTP."""

from typing import Any

import pytest
from dandelion.metrics.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from kernel.verify.invariants import broken
from kernel.verify.read_models import compare_rebuild
from services.metrics.projections.sentiment import SENTIMENT_SUMS
from services.metrics.sentiment.models import version
from tests.integration.metrics.client import OPERATOR, Deal, Metrics, Who
from tests.kit.quiet import until_quiet
from tests.kit.until import until
from tests.unit.metrics.test_sentiment import BAD, GOOD, NEUTRAL

DAY = "2026-01-05"


def comment(source_id: str, text: str, day: str = DAY) -> dict[str, str]:
    return {"source_id": source_id, "text": text, "published_at": f"{day}T08:00:00Z"}


async def sent(metrics: Metrics, content_id: str, *comments: dict[str, str], who: Who = OPERATOR) -> None:
    await metrics.done("POST", f"/contents/{content_id}/mentions", {"mentions": comments}, who)


async def asked(metrics: Metrics, who: Who, **request: Any) -> pb.GetSentimentResponse:
    async with metrics.queries(who) as queries:
        answer: pb.GetSentimentResponse = await queries.GetSentiment(pb.GetSentimentRequest(**request))
        return answer


async def counted(metrics: Metrics, deal: Deal, count: int) -> pb.GetSentimentResponse:
    async def is_counted() -> bool:
        return (await asked(metrics, deal.brand, campaign_id=deal.campaign_id)).all.mentions == count

    await until(is_counted)
    return await asked(metrics, deal.brand, campaign_id=deal.campaign_id)


async def test_comments_are_scored_counted_once_and_summed(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    content = deal.contents[0]
    comments = [comment(f"c{at}", text) for at, text in enumerate((*GOOD, *BAD))]
    await sent(metrics, content, *comments, comment("n", NEUTRAL[0], "2026-01-06"))
    await sent(metrics, content, *comments[:3], who=deal.brand)
    await sent(metrics, content, comment("c9", GOOD[0]), comment("jp", "とても良い"), who=deal.creator)
    found = await counted(metrics, deal, 8)
    assert (found.all.positives, found.all.neutrals, found.all.negatives) == (4, 1, 3)
    assert [(one.key, one.mentions) for one in found.contents] == [(content, 8)]
    assert [(one.key, one.mentions) for one in found.days] == [("2026-01-06", 1), (DAY, 7)]
    assert [(one.key, one.mentions) for one in found.languages] == [("zh", 5), ("en", 3)]
    assert found.all.net_low < found.all.net < found.all.net_high
    assert list(found.models) == [version()]
    one_day = await asked(metrics, deal.brand, content_id=content, from_day="2026-01-06", until_day="2026-01-06")
    assert (one_day.all.mentions, one_day.all.neutrals) == (1, 1)
    over_http = (await metrics.send("GET", f"/sentiment?campaign_id={deal.campaign_id}", None, deal.brand)).json()
    assert (int(over_http["all"]["mentions"]), over_http["all"]["net"]) == (8, pytest.approx(found.all.net))


async def test_only_the_parties_of_a_content_send_and_read(metrics: Metrics) -> None:
    deal, other = await metrics.contracted(), await metrics.contracted()
    content = deal.contents[0]
    await sent(metrics, content, comment("a", GOOD[0]))
    await counted(metrics, deal, 1)
    body = {"mentions": [comment("b", BAD[0])]}
    for who in (other.brand, other.creator):
        assert await metrics.refused("POST", f"/contents/{content}/mentions", body, who) == "content.not_found"
        assert (await asked(metrics, who, content_id=content)).all.mentions == 0
        assert not (await asked(metrics, who, content_id=content)).all.HasField("net")
    assert (await asked(metrics, deal.creator, content_id=content)).all.mentions == 1
    assert (await asked(metrics, OPERATOR, content_id=content)).all.mentions == 1
    reviewer = ("rita", "platform", "reviewer")
    assert await metrics.refused("POST", f"/contents/{content}/mentions", body, reviewer) == "actor.role_missing"


async def test_texts_are_not_kept(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    await sent(metrics, deal.contents[0], comment("secret-source", "独一无二的句子很好用非常满意"))
    await counted(metrics, deal, 1)
    found = await metrics.app.log.read(0, 5_000)
    stored = [one for one in found if one.stream == f"mentions-{deal.contents[0]}"]
    assert stored
    assert "独一无二" not in repr(stored)
    assert "secret-source" not in repr(stored)


async def test_what_cannot_be_scored_is_refused(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    path = f"/contents/{deal.contents[0]}/mentions"
    japanese = {"mentions": [comment("a", "とても良い")]}
    assert await metrics.refused("POST", path, japanese, deal.brand) == "mentions.language_unknown"
    late = {"mentions": [comment("a", GOOD[0], "2999-01-01")]}
    assert await metrics.refused("POST", path, late, deal.brand) == "mentions.time_out_of_range"
    many = {"mentions": [comment(new_id(), "好") for _ in range(501)]}
    assert await metrics.refused("POST", path, many, deal.brand) == "request.invalid"


async def test_texts_are_scored_for_whoever_asks(metrics: Metrics) -> None:
    deal = Deal()
    async with metrics.queries(deal.brand) as queries:
        found = await queries.ScoreTexts(pb.ScoreTextsRequest(texts=[GOOD[0], BAD[2], "とても良い"]))
    assert [(one.language, one.label) for one in found.scores] == [("zh", "positive"), ("en", "negative"), ("", "")]
    over_http = await metrics.send("POST", "/sentiment/scores", {"texts": [GOOD[0]]}, deal.brand)
    assert over_http.json()["scores"][0]["label"] == "positive"
    assert await metrics.refused("POST", "/sentiment/scores", {"texts": []}, deal.brand) == "texts.too_many"
    assert await metrics.refused("POST", "/sentiment/scores", {"texts": ["x" * 2_001]}, deal.brand) == "text.too_long"


async def test_a_rebuild_gives_the_same_sums(metrics: Metrics) -> None:
    deal = await metrics.contracted()
    await sent(metrics, deal.contents[0], comment("a", GOOD[0]), comment("b", BAD[0]))
    await counted(metrics, deal, 2)
    await until_quiet(metrics.app)
    found = await compare_rebuild(metrics.app, SENTIMENT_SUMS)
    assert broken([found]) == []
    assert found.checked
