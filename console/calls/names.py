"""Names of creators and titles of campaigns for a page that has their ids: asked for together, remembered for a minute."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping

from dandelion.campaigns.v1.queries_pb2 import GetCampaignRequest
from dandelion.discovery.v1.queries_pb2 import GetCreatorRequest

from console.calls.clients import Services
from console.calls.problems import Problem

KEPT_S = 60.0
KEPT = 10_000
AT_ONCE = 20


class Names:
    """Names by kind, tenant of the reader, and id: what one organisation may see tells nothing to another."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._services, self._clock = services, clock
        self._kept: OrderedDict[tuple[str, str, str], tuple[str, float]] = OrderedDict()

    async def creators(self, ids: Iterable[str], tenant: str, token: str) -> Mapping[str, str]:
        """Display name by creator id; the id's beginning where the reader may not see the creator, or its name is erased."""

        async def ask(id_: str) -> str:
            answer = await self._services.ask(
                self._services.discovery.GetCreator, GetCreatorRequest(creator_id=id_), token
            )
            return answer.creator.display_name

        return await self._told("creator", ids, tenant, ask)

    async def campaigns(self, ids: Iterable[str], tenant: str, token: str) -> Mapping[str, str]:
        """Title by campaign id."""

        async def ask(id_: str) -> str:
            answer = await self._services.ask(
                self._services.campaigns.GetCampaign, GetCampaignRequest(campaign_id=id_), token
            )
            return answer.campaign.brief.title

        return await self._told("campaign", ids, tenant, ask)

    async def _told(
        self, kind: str, ids: Iterable[str], tenant: str, ask: Callable[[str], Awaitable[str]]
    ) -> Mapping[str, str]:
        places, now = asyncio.Semaphore(AT_ONCE), self._clock()

        async def name(id_: str) -> str:
            known = self._kept.get((kind, tenant, id_))
            if known is not None and known[1] > now:
                return known[0]
            async with places:
                return self._keep((kind, tenant, id_), await _or_id(ask, id_), now)

        wanted = list(dict.fromkeys(one for one in ids if one))
        return dict(zip(wanted, await asyncio.gather(*map(name, wanted)), strict=True))

    def _keep(self, key: tuple[str, str, str], name: str, now: float) -> str:
        self._kept[key] = name, now + KEPT_S
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return name


async def _or_id(ask: Callable[[str], Awaitable[str]], id_: str) -> str:
    try:
        return await ask(id_) or id_[:8]
    except Problem as problem:
        if problem.kind not in ("not_found", "forbidden"):
            raise
        return id_[:8]
