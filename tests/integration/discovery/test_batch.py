"""BatchGetCreators: those that are there, in the order asked, as a list shows them."""

import grpc
import pytest
from dandelion.discovery.v1 import queries_pb2 as pb

from kernel.core.ids import derived_id
from tests.integration.discovery.client import Discovery
from tests.integration.discovery.test_search import shipped

__all__ = ["shipped"]
NOBODY = derived_id("nobody", "nowhere")


async def batch(discovery: Discovery, ids: list[str]) -> list[pb.Creator]:
    async with discovery.queries() as queries:
        answer = await queries.BatchGetCreators(pb.BatchGetCreatorsRequest(creator_ids=ids))
        return list(answer.creators)


async def test_creators_come_in_the_order_asked_and_once(shipped: Discovery) -> None:
    hits = [hit.creator for hit in (await shipped.search(page_size=3)).hits]
    asked = [hits[2].creator_id, NOBODY, hits[0].creator_id, hits[2].creator_id]
    found = await batch(shipped, asked)
    assert [one.creator_id for one in found] == [hits[2].creator_id, hits[0].creator_id]
    assert [one.display_name for one in found] == [hits[2].display_name, hits[0].display_name]
    assert not any(one.audience or one.contact for one in found)
    assert await batch(shipped, []) == []


@pytest.mark.parametrize(
    ("ids", "code"), [([NOBODY] * 201, "filter.too_many_values"), (["not-an-id"], "id.malformed")], ids=["many", "id"]
)
async def test_what_cannot_be_asked_is_refused(shipped: Discovery, ids: list[str], code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await batch(shipped, ids)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert code in str(refused.value.details())
