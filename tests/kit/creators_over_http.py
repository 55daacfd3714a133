"""A query service of made-up creators, served over HTTP by the transcoder, for tests of the transcoder itself."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1.queries_pb2_grpc import CreatorQueryServiceServicer

from kernel.core.faults import Invalid, NotFound
from kernel.edge.admission import Admission, AdmissionLimits, caller
from kernel.edge.grpc import RpcService
from kernel.edge.http import create_api
from kernel.edge.limits import Share
from kernel.edge.transcoding.routes import add_queries
from tests.kit.issuing import ACME, issuer_at, verifier_at
from tests.kit.notes import ENDLESS

SERVICE = pb.DESCRIPTOR.services_by_name["CreatorQueryService"]


class Creators(CreatorQueryServiceServicer):
    """Tells what it was asked; GetCreator refuses by id; WatchCreator counts versions, then fails, ends or waits."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.version = 1

    async def SearchCreators(self, request: Any, context: Any) -> Any:  # noqa: N802
        self.asked.append(request)
        if request.text == "slow":
            await asyncio.Event().wait()
        page = common.PageInfo(next_page_token=str(random.random()), as_of=[f"discovery:{self.version}:"])
        hit = pb.CreatorHit(creator=pb.Creator(creator_id=caller().id, followers=2**60), reasons=["text"])
        return pb.SearchCreatorsResponse(hits=[hit, hit], page=page, total=2).SerializeToString()

    async def GetCreator(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.creator_id == "nobody":
            raise NotFound("creator.unknown", creator_id=request.creator_id)
        return pb.GetCreatorResponse(creator=pb.Creator(creator_id=request.creator_id, version=self.version))

    async def WatchCreator(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        self.asked.append(request)
        if request.creator_id == "nobody":
            raise NotFound("creator.unknown")
        for version in (1, 2):
            yield pb.WatchCreatorResponse(creator=pb.Creator(creator_id=caller().id, version=version))
        if request.creator_id == "fails":
            raise Invalid("creator.gone", field="creator_id")
        if request.creator_id == "breaks":
            raise ZeroDivisionError("a secret")
        if request.creator_id == "waits":
            await asyncio.Event().wait()

    async def CountCreators(self, request: Any, context: Any) -> Any:  # noqa: N802
        return pb.CountCreatorsResponse()

    async def BatchGetCreators(self, request: Any, context: Any) -> Any:  # noqa: N802
        return pb.BatchGetCreatorsResponse()

    async def ListContestedHandles(self, request: Any, context: Any) -> Any:  # noqa: N802
        return pb.ListContestedHandlesResponse()


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[httpx.AsyncClient, Creators, Admission]]:
    """A client with ann's token, the servicer, and who is let in: one request, two calls and one stream at once."""
    issuer, creators = issuer_at(folder), Creators()  # type: ignore[abstract]  # queries that no test asks answer UNIMPLEMENTED
    limits = AdmissionLimits(ENDLESS, ENDLESS, calls=Share(2, 2, 2), streams=Share(1, 1, 1))
    admission = Admission(verifier_at(folder), limits)
    api = create_api("Creators", admission, fingerprint_key=b"k" * 32, live_requests=1)
    add_queries(api, [RpcService(SERVICE.full_name, lambda _: None, SERVICE, creators)])
    headers = {"Authorization": f"Bearer {issuer.issue('ann', ACME, 'brand')}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api), base_url="http://a.test", headers=headers
    ) as client:
        yield client, creators, admission
