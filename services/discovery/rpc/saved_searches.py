"""Saved searches: the caller's own, who came to match each, and the criteria as they are stored."""

from collections.abc import Mapping
from typing import Any

from dandelion.common.v1 import common_pb2 as common
from dandelion.discovery.v1 import queries_pb2 as pb
from dandelion.discovery.v1 import queries_pb2_grpc as grpc_pb
from dandelion_contracts.wire import stamp
from google.protobuf.json_format import Error, MessageToDict, ParseDict
from orjson import loads

from kernel.core.canonical import canonical
from kernel.core.faults import Invalid
from kernel.edge.grpc import caller
from kernel.edge.grpc_errors import RpcContext
from kernel.edge.page_tokens import page_size
from kernel.processors.keyset import chosen
from services.discovery.domain.criteria import Criteria
from services.discovery.domain.saved_search.saved_search import OWNERS
from services.discovery.projections import SAVED_SEARCHES_PROJECTION
from services.discovery.rpc.asked import PAGE_LIMIT, Asked
from services.discovery.rpc.messages import listed
from services.discovery.rpc.search import criteria_of
from services.discovery.search.asked.checking import checked_search
from services.discovery.watching.saved import MATCHES_BY, SEARCHES_BY, matches, search, searches

OF_THE_PAGE = ("page_size", "page_token", "at_least", "creator_fields")
"""Fields of a search that say nothing of who is found."""


def criteria_text(given: Mapping[str, Any]) -> str:
    """What is searched, as canonical JSON; raises Invalid for what is no search or asks for what there is not."""
    try:
        request = ParseDict(dict(given), pb.SearchCreatorsRequest())
    except (Error, RecursionError) as error:
        raise Invalid("saved_search.criteria_malformed", field="search", expected="a SearchCreatorsRequest") from error
    for name in OF_THE_PAGE:
        request.ClearField(name)  # type: ignore[arg-type]
    checked_search(criteria_of(request))
    return canonical(MessageToDict(request, preserving_proto_field_name=True)).decode()


def _request(text: str) -> pb.SearchCreatorsRequest:
    return ParseDict(loads(text), pb.SearchCreatorsRequest())


def criteria_from(text: str) -> Criteria:
    """The criteria of a stored text; raises Invalid where this version cannot read them any more."""
    return checked_search(criteria_of(_request(text)))


class SavedSearchQueries(Asked, grpc_pb.CreatorQueryServiceServicer):
    """Each caller sees the searches of its own tenant."""

    async def ListSavedSearches(  # noqa: N802
        self, request: pb.ListSavedSearchesRequest, context: RpcContext
    ) -> pb.ListSavedSearchesResponse:
        """With how many came to match each."""
        actor, size = caller(), page_size(request.page_size, limit=PAGE_LIMIT)
        actor.require(*OWNERS)
        order = chosen(request.order_by, SEARCHES_BY)
        after = self._tokens.open(request, request.page_token, actor.tenant)
        await self._app.at_least(request.at_least, SAVED_SEARCHES_PROJECTION.name)
        page = await searches(self._app.database, order, after, size, actor)
        token = self._tokens.seal(request, page.next, actor.tenant) if page.next else ""
        return pb.ListSavedSearchesResponse(
            searches=map(_saved, page.rows), page=common.PageInfo(next_page_token=token)
        )

    async def ListSavedSearchMatches(  # noqa: N802
        self, request: pb.ListSavedSearchMatchesRequest, context: RpcContext
    ) -> pb.ListSavedSearchMatchesResponse:
        """Who came to match one, the newest first."""
        actor, size = caller(), page_size(request.page_size, limit=PAGE_LIMIT)
        actor.require(*OWNERS)
        _, falling = chosen(request.order_by, MATCHES_BY)
        after = self._tokens.open(request, request.page_token, actor.tenant)
        await self._app.at_least(request.at_least, SAVED_SEARCHES_PROJECTION.name)
        row = await search(self._app.database, request.search_id, actor)
        page = await matches(self._app.database, request.search_id, falling, after, size, actor)
        cards = await self._reads.get_many([one["creator_id"] for one in page.rows], actor, self._clock())
        shown = {card.creator_id: listed(card) for card in cards}
        return pb.ListSavedSearchMatchesResponse(
            search=_saved(row),
            matches=[
                _match(one, shown[one["creator_id"]], row["seen"]) for one in page.rows if one["creator_id"] in shown
            ],
            page=common.PageInfo(
                next_page_token=self._tokens.seal(request, page.next, actor.tenant) if page.next else ""
            ),
        )


def _saved(row: Any) -> pb.SavedSearch:
    return pb.SavedSearch(
        search_id=row["search_id"],
        name=row["name"],
        search=_request(row["criteria"]),
        view=row["view"],
        watched=row["watched"],
        saved_at=stamp(row["saved_at"]),
        matched_first=row["looked_total"],
        matches=row["matches"],
        unseen=row["matches"] - row["seen"],
    )


def _match(row: Any, creator: pb.Creator, seen: int) -> pb.SavedSearchMatch:
    return pb.SavedSearchMatch(
        number=row["number"], matched_at=stamp(row["matched_at"]), creator=creator, unseen=row["number"] > seen
    )
