"""A rebuilt read model equals the live one byte for byte; on PostgreSQL its owner rebuilds, not the writer."""

from kernel.adapters.opening import database_at
from kernel.processors.generations import Rebuild
from kernel.processors.projector import Projection
from services.compliance.codec import CODEC
from services.compliance.ports import Seen
from services.compliance.projections import LOOKS_PROJECTION, REVIEWS_PROJECTION
from services.compliance.subscribe import decode
from tests.integration.compliance.client import Compliance
from tests.integration.compliance.submissions import Deal
from tests.integration.compliance.test_looks import TEXT, published
from tests.kit.generations import dump


async def rebuilt(compliance: Compliance, projection: Projection) -> int:
    """How many rows a rebuild gives, which are those of before."""
    app = compliance.app
    owner = database_at(app.settings.database_url, app.metadata)
    try:
        rebuild = Rebuild(projection, owner, app.log, CODEC, "compliance", app.bus, decode)
        generation = await rebuild.run()
        before = await dump(owner, projection, generation - 1)
        after = await dump(owner, projection, generation)
    finally:
        await owner.close()
    assert before == after
    return len(after)


async def test_a_rebuild_gives_the_same_rows(compliance: Compliance) -> None:
    for text in ("广告 周末妆容", "这是首选的粉底", "全网最低价"):
        deal = Deal()
        await compliance.ask(deal.stream, deal.submitted(text), deal.stream)
        review = await compliance.reviewed(deal.submission_id)
        if text == "这是首选的粉底":
            path = f"/reviews/{review.review_id}/decide"
            token = (await compliance.post(path, {"approved": True, "reason": "有依据"})).json()["token"]
            await compliance.review(review.review_id, at_least=token)
    assert await rebuilt(compliance, REVIEWS_PROJECTION) > 3


async def test_a_rebuild_gives_the_same_looks(compliance: Compliance) -> None:
    deal = await published(compliance, Seen(TEXT))
    (told,) = await compliance.published(deal.deliverable_id, "ContentLookedAt")
    await compliance.app.at_least(told.token, LOOKS_PROJECTION.name)
    assert await rebuilt(compliance, LOOKS_PROJECTION) > 0
