"""A rebuilt read model equals the live one byte for byte; on PostgreSQL its owner rebuilds, not the writer."""

from kernel.adapters.opening import database_at
from kernel.processors.generations import Rebuild
from services.compliance.codec import CODEC
from services.compliance.projections import REVIEWS_PROJECTION
from services.compliance.subscribe import decode
from tests.integration.compliance.client import Compliance
from tests.integration.compliance.submissions import Deal
from tests.kit.generations import dump


async def test_a_rebuild_gives_the_same_rows(compliance: Compliance) -> None:
    for text in ("广告 周末妆容", "这是首选的粉底", "全网最低价"):
        deal = Deal()
        await compliance.ask(deal.stream, deal.submitted(text), deal.stream)
        review = await compliance.reviewed(deal.submission_id)
        if text == "这是首选的粉底":
            path = f"/reviews/{review.review_id}/decide"
            token = (await compliance.post(path, {"approved": True, "reason": "有依据"})).json()["token"]
            await compliance.review(review.review_id, at_least=token)
    app = compliance.app
    owner = database_at(app.settings.database_url, app.metadata)
    try:
        rebuild = Rebuild(REVIEWS_PROJECTION, owner, app.log, CODEC, "compliance", app.bus, decode)
        generation = await rebuild.run()
        before = await dump(owner, REVIEWS_PROJECTION, generation - 1)
        after = await dump(owner, REVIEWS_PROJECTION, generation)
    finally:
        await owner.close()
    assert before == after
    assert len(after) > 3
