"""A saved search from its first look to its news: who comes to match is told once, to its owner and in public."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from dandelion.discovery.v1 import events_pb2 as events
from dandelion.discovery.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from kernel.verify.invariants import broken
from kernel.verify.read_models import compare_rebuild
from services.discovery.domain.criteria import Criteria
from services.discovery.projections import SAVED_SEARCHES_PROJECTION
from services.discovery.reads import CreatorReads
from services.discovery.rpc.saved_searches import criteria_from
from services.discovery.search.following.answers import listed as listed_by_index
from services.discovery.search.following.keeper import Index
from services.discovery.watching import looks, saved
from services.discovery.watching.looks import Looks
from tests.integration.discovery.client import BRAND, OPERATOR, Discovery, running
from tests.integration.discovery.test_commands import PROFILE, itself, registered
from tests.kit.quiet import until_quiet
from tests.kit.until import until

RIVAL = ("rita", "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4ef1", "brand")
ASKED = {"categories": ["出行"], "followers_min": 5_000}


async def save(discovery: Discovery, search_id: str = "", who: tuple[str, ...] = BRAND, **more: Any) -> str:
    search_id = search_id or new_id()
    body = {"name": "出行 KOC", "search": ASKED, "view": "categories=出行"} | more
    await discovery.done("PUT", f"/saved-searches/{search_id}", body, who)
    return search_id


async def listed(discovery: Discovery, *who: str) -> dict[str, pb.SavedSearch]:
    async with discovery.queries(*(who or BRAND)) as queries:
        answer: pb.ListSavedSearchesResponse = await queries.ListSavedSearches(pb.ListSavedSearchesRequest())
        return {one.search_id: one for one in answer.searches}


async def matches(discovery: Discovery, search_id: str, *who: str, **more: Any) -> pb.ListSavedSearchMatchesResponse:
    async with discovery.queries(*(who or BRAND)) as queries:
        request = pb.ListSavedSearchMatchesRequest(search_id=search_id, **more)
        answer: pb.ListSavedSearchMatchesResponse = await queries.ListSavedSearchMatches(request)
        return answer


async def looked(discovery: Discovery, search_id: str) -> None:
    async def is_looked() -> bool:
        found = (await listed(discovery)).get(search_id)
        return found is not None and found.HasField("matched_first")

    await until(is_looked, 60)


async def traveller(discovery: Discovery, handle: str, followers: int) -> str:
    creator_id = await registered(discovery, handle, categories=["出行"])
    await follow(discovery, creator_id, followers)
    return creator_id


async def follow(discovery: Discovery, creator_id: str, followers: int, day: int = 1) -> None:
    at = f"2026-03-{day:02}T00:00:00Z"
    body = {"platform": "xiaohongshu", "count": followers, "provenance": "manual", "observed_at": at}
    await discovery.done("POST", f"/creators/{creator_id}/followers", body, itself(creator_id))


async def told(discovery: Discovery, search_id: str, count: int) -> pb.ListSavedSearchMatchesResponse:
    async def is_told() -> bool:
        return (await listed(discovery))[search_id].matches >= count

    await until(is_told, 60)
    return await matches(discovery, search_id)


async def test_who_comes_to_match_is_told_once_and_seen(discovery: Discovery) -> None:
    before = await traveller(discovery, "walks.before", 9_000)
    small = await traveller(discovery, "walks.small", 100)
    await discovery.get(small)
    search_id = await save(discovery)
    await looked(discovery, search_id)
    mine = (await listed(discovery))[search_id]
    assert (mine.name, mine.view, mine.watched, mine.matches, mine.unseen) == (
        "出行 KOC", "categories=出行", True, 0, 0,
    )  # fmt: skip
    assert mine.matched_first >= 1
    assert mine.search == pb.SearchCreatorsRequest(**ASKED)  # type: ignore[arg-type]

    await follow(discovery, small, 6_000, day=2)
    found = await told(discovery, search_id, 1)
    assert [(one.number, one.creator.creator_id, one.unseen) for one in found.matches] == [(1, small, True)]
    late = await traveller(discovery, "walks.late", 7_000)
    found = await told(discovery, search_id, 2)
    assert [one.creator.creator_id for one in found.matches] == [late, small]
    assert before not in {one.creator.creator_id for one in found.matches}

    await follow(discovery, late, 10, day=3)
    await follow(discovery, late, 8_000, day=4)
    await discovery.done("POST", f"/saved-searches/{search_id}/seen", {"number": 1}, BRAND)
    third = await traveller(discovery, "walks.third", 7_500)
    found = await told(discovery, search_id, 3)
    assert [(one.creator.creator_id, one.unseen) for one in found.matches] == [
        (third, True), (late, True), (small, False),
    ]  # fmt: skip
    assert found.search.unseen == 2
    published = await discovery.messages("discovery.events.v1", events.SavedSearchMatched)
    ours = [one for one in published if one.search_id == search_id]
    assert [(one.first_number, list(one.creator_ids), one.owner_id) for one in ours] == [
        (1, [small], BRAND[1]), (2, [late], BRAND[1]), (3, [third], BRAND[1]),
    ]  # fmt: skip


async def test_pages_of_matches_neither_repeat_nor_skip(discovery: Discovery) -> None:
    asked = {"text": "paging-walker", "followers_min": 5_000}
    search_id = await save(discovery, search=asked)
    await looked(discovery, search_id)
    ids = [await registered(discovery, f"pages.{at}", display_name=f"paging-walker {at}") for at in range(3)]
    for creator_id in ids:
        await follow(discovery, creator_id, 6_000)
    whole = await told(discovery, search_id, 3)
    first = await matches(discovery, search_id, page_size=2)
    rest = await matches(discovery, search_id, page_size=2, page_token=first.page.next_page_token)
    assert [*first.matches, *rest.matches] == list(whole.matches)
    assert {one.creator.creator_id for one in whole.matches} == set(ids)


async def test_other_criteria_begin_anew_and_another_name_does_not(discovery: Discovery) -> None:
    search_id = await save(discovery, search={"text": "renamed-search"})
    await looked(discovery, search_id)
    await registered(discovery, "renamed.one", display_name="renamed-search one")
    await told(discovery, search_id, 1)
    await save(discovery, search_id, name="new name", search={"text": "renamed-search"})

    async def is_renamed() -> bool:
        return (await listed(discovery))[search_id].name == "new name"

    await until(is_renamed, 60)
    assert (await listed(discovery))[search_id].matches == 1
    await save(discovery, search_id, search={"text": "renamed-search", "followers_max": 100})

    async def is_anew() -> bool:
        found = (await listed(discovery))[search_id]
        return found.search.followers_max == 100 and found.matches == 0

    await until(is_anew, 60)


@pytest.mark.parametrize(
    ("search", "code"),
    [
        ({"nothing": 1}, "saved_search.criteria_malformed"),
        ({"followers_min": "many"}, "saved_search.criteria_malformed"),
        ({"price_max_minor": 100}, "search.price_incomplete"),
        ({"filters": [{"field": "engagement_rate", "ratios": {"min": 35}}]}, "search.ratio_out_of_range"),
    ],
)
async def test_what_is_no_search_is_refused(discovery: Discovery, search: dict[str, Any], code: str) -> None:
    answer = await discovery.send("PUT", f"/saved-searches/{new_id()}", {"name": "x", "search": search}, BRAND)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_nobody_else_sees_changes_or_ends_a_search(discovery: Discovery) -> None:
    search_id = await save(discovery)
    await looked(discovery, search_id)
    for who in (RIVAL, OPERATOR):
        assert search_id not in await listed(discovery, *who)
        with pytest.raises(grpc.RpcError) as refused:
            await matches(discovery, search_id, *who)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        path = f"/saved-searches/{search_id}"
        for method, end, body, told in (
            ("PUT", "", {"name": "x", "search": {}}, (403, "saved_search.not_yours")),
            ("POST", "/delete", None, (409, "saved_search.unknown")),
            ("POST", "/seen", {"number": 1}, (409, "saved_search.unknown")),
        ):
            answer = await discovery.send(method, path + end, body, who)
            assert (answer.status_code, answer.json()["code"]) == told, (who, end)


async def test_a_deleted_search_is_gone_and_one_too_many_is_refused(
    discovery: Discovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = ("many", new_id(), "brand")
    first = await save(discovery, who=who)

    async def count(expected: int) -> None:
        async def is_so() -> bool:
            return len(await listed(discovery, *who)) == expected

        await until(is_so, 60)

    await count(1)
    monkeypatch.setattr("services.discovery.rest.saved_searches.SEARCHES_LIMIT", 1)
    answer = await discovery.send("PUT", f"/saved-searches/{new_id()}", {"name": "x", "search": {}}, who)
    assert (answer.status_code, answer.json()["code"]) == (409, "saved_search.too_many")
    await save(discovery, first, who, name="changed all the same")
    await discovery.done("POST", f"/saved-searches/{first}/delete", None, who)
    await count(0)
    assert await saved.told(discovery.app.database, first) == frozenset()


async def test_a_search_that_fails_stops_no_other(discovery: Discovery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor the process: it is left out until it is saved anew."""

    async def failing(connection: Any, snapshot: Any, criteria: Criteria, *more: Any) -> Any:
        if criteria.text == "failing-search":
            raise ZeroDivisionError
        return await listed_by_index(connection, snapshot, criteria, *more)

    monkeypatch.setattr(looks, "listed", failing)
    first = await save(discovery, search={"text": "failing-search"})
    second = await save(discovery, search={"text": "sound-search"})
    await looked(discovery, second)
    assert not (await listed(discovery))[first].HasField("matched_first")
    monkeypatch.undo()
    await save(discovery, first, search={"text": "failing-search", "followers_min": 1})
    await looked(discovery, first)


async def test_a_rebuild_gives_the_same_rows(discovery: Discovery) -> None:
    search_id = await save(discovery, search={"text": "rebuilt-search"})
    await looked(discovery, search_id)
    await registered(discovery, "rebuilt.one", display_name="rebuilt-search one")
    await told(discovery, search_id, 1)
    await until_quiet(discovery.app)
    found = await compare_rebuild(discovery.app, SAVED_SEARCHES_PROJECTION)
    assert broken([found]) == []
    assert found.checked


class Counted(Looks):
    """Looks that say which searches everybody was asked for."""

    def __init__(self, discovery: Discovery) -> None:
        database, personal = discovery.app.database, discovery.app.personal
        self.index, self.asked_for = Index(database, personal), list[str]()
        super().__init__(discovery.app, CreatorReads(database, personal, self.index), criteria_from)

    async def _looked(self, one: Any, snapshot: Any) -> Any:
        self.asked_for.append(one.row.search_id)
        return await super()._looked(one, snapshot)

    async def round(self) -> set[str]:
        """The searches of one round."""
        self.asked_for.clear()
        await self.once()
        return set(self.asked_for)


async def test_only_searches_with_news_are_asked_of_everybody(
    discovery: Discovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    walks, runs = [await save(discovery, search={"text": f"only-{word}"}) for word in ("walks", "runs")]
    for one in (walks, runs):
        await looked(discovery, one)
    looks = Counted(discovery)
    assert await looks.round() == set(), "the index is not loaded yet"
    await looks.index.refresh()
    assert await looks.round() >= {walks, runs}, "nobody was asked yet by this process"
    assert await looks.round() == set()
    await registered(discovery, "only.nobody", display_name="somebody else")
    first = await registered(discovery, "only.walks", display_name="only-walks")
    await until_quiet(discovery.app)
    assert await looks.round() == {walks}
    assert [one.creator.creator_id for one in (await told(discovery, walks, 1)).matches] == [first]
    await discovery.done(
        "POST", f"/creators/{first}/profile", PROFILE | {"display_name": "only-walks again"}, itself(first)
    )
    await until_quiet(discovery.app)
    assert await looks.round() == set(), "whoever was told is no news"
    monkeypatch.setattr("services.discovery.watching.looks.ALL_AGAIN_S", 0.0)
    assert await looks.round() >= {walks, runs}


@pytest.fixture(scope="module")
async def discovery(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Discovery]:
    """A discovery of its own: looks go over all searches."""
    async with running(tmp_path_factory.mktemp("saved")) as made:
        yield made
