"""Names of creators and titles of campaigns for a page that has their ids: asked for together, remembered for a minute."""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from dandelion.campaigns.v1.queries_pb2 import BatchGetCampaignsRequest
from dandelion.discovery.v1.queries_pb2 import BatchGetCreatorsRequest

from console.calls.clients import Services

KEPT_S = 60.0
KEPT = 10_000
BATCH = 200
"""So many names in one question."""
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Names:
    """Names by kind, tenant of the reader, and id: what one organisation may see tells nothing to another."""

    def __init__(self, services: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._services, self._clock = services, clock
        self._kept: OrderedDict[tuple[str, str, str], tuple[str, float]] = OrderedDict()

    async def creators(self, ids: Iterable[str], tenant: str, token: str) -> Mapping[str, str]:
        """Display name by creator id; the id's beginning where the reader may not see the creator, or its name is erased."""

        async def ask(wanted: Sequence[str]) -> Mapping[str, str]:
            request = BatchGetCreatorsRequest(creator_ids=wanted)
            answer = await self._services.ask(self._services.discovery.BatchGetCreators, request, token)
            return {one.creator_id: one.display_name for one in answer.creators}

        return await self._told("creator", ids, tenant, ask)

    async def campaigns(self, ids: Iterable[str], tenant: str, token: str) -> Mapping[str, str]:
        """Title by campaign id."""

        async def ask(wanted: Sequence[str]) -> Mapping[str, str]:
            request = BatchGetCampaignsRequest(campaign_ids=wanted)
            answer = await self._services.ask(self._services.campaigns.BatchGetCampaigns, request, token)
            return {one.campaign_id: one.brief.title for one in answer.campaigns}

        return await self._told("campaign", ids, tenant, ask)

    async def _told(
        self, kind: str, ids: Iterable[str], tenant: str, ask: Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
    ) -> Mapping[str, str]:
        wanted, now = list(dict.fromkeys(one for one in ids if one)), self._clock()
        kept = {id_: self._kept.get((kind, tenant, id_), ("", 0.0)) for id_ in wanted}
        known = {id_: name for id_, (name, until) in kept.items() if until > now}
        left = [id_ for id_ in wanted if id_ not in known and ID.fullmatch(id_)]
        for told in await asyncio.gather(*(ask(left[at : at + BATCH]) for at in range(0, len(left), BATCH))):
            known |= {id_: self._keep((kind, tenant, id_), name, now) for id_, name in told.items() if name}
        return {id_: known.get(id_, id_[:8]) for id_ in wanted}

    def _keep(self, key: tuple[str, str, str], name: str, now: float) -> str:
        self._kept[key] = name, now + KEPT_S
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return name
