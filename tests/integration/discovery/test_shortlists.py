"""Shortlists from their beginning to their end: who is on each, what was noted, and nothing of it for anybody else."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from dandelion.compliance.v1 import events_pb2 as compliance
from dandelion.discovery.v1 import queries_pb2 as pb

from kernel.core.ids import new_id
from kernel.verify.invariants import broken
from kernel.verify.read_models import compare_rebuild
from services.discovery.projections import SHORTLISTS_PROJECTION
from tests.integration.discovery.client import BRAND, OPERATOR, Discovery, running
from tests.integration.discovery.test_commands import registered
from tests.kit.quiet import until_quiet
from tests.kit.until import until

RIVAL = ("rita", "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4ef1", "brand")


async def begun(discovery: Discovery, name: str = "Spring", who: tuple[str, ...] = BRAND) -> str:
    shortlist_id = new_id()
    await discovery.done("PUT", f"/shortlists/{shortlist_id}", {"name": name}, who)
    return shortlist_id


async def done(discovery: Discovery, shortlist_id: str, verb: str, body: Any = None) -> str:
    return await discovery.done("POST", f"/shortlists/{shortlist_id}/{verb}", body, BRAND)


async def known(discovery: Discovery, *handles: str) -> list[str]:
    """Creators that searches see."""
    ids = [await registered(discovery, handle) for handle in handles]
    for one in ids:
        await until_seen(discovery, one)
    return ids


async def until_seen(discovery: Discovery, creator_id: str) -> None:
    async def is_seen() -> bool:
        try:
            return bool((await discovery.get(creator_id)).creator_id)
        except grpc.RpcError:
            return False

    await until(is_seen, 60)


async def listed(discovery: Discovery, *who: str, **asked: Any) -> list[pb.Shortlist]:
    async with discovery.queries(*(who or BRAND)) as queries:
        answer: pb.ListShortlistsResponse = await queries.ListShortlists(pb.ListShortlistsRequest(**asked))
        return list(answer.shortlists)


async def on(discovery: Discovery, shortlist_id: str, *who: str, **asked: Any) -> pb.ListShortlistCreatorsResponse:
    async with discovery.queries(*(who or BRAND)) as queries:
        request = pb.ListShortlistCreatorsRequest(shortlist_id=shortlist_id, **asked)
        answer: pb.ListShortlistCreatorsResponse = await queries.ListShortlistCreators(request)
        return answer


def ids_of(answer: pb.ListShortlistCreatorsResponse) -> set[str]:
    return {one.creator.creator_id for one in answer.creators}


async def test_creators_come_onto_a_list_with_notes_and_go(discovery: Discovery) -> None:
    mei, lan, qiu = await known(discovery, "short.mei", "short.lan", "short.qiu")
    shortlist_id = await begun(discovery)
    await done(discovery, shortlist_id, "add", {"creator_ids": [mei, lan]})
    await done(discovery, shortlist_id, "add", {"creator_ids": [lan, qiu]})
    token = await done(discovery, shortlist_id, "note", {"creator_id": mei, "note": " answers fast\nasks for samples "})
    found = await on(discovery, shortlist_id, at_least=token)
    assert ids_of(found) == {mei, lan, qiu}
    notes = {one.creator.creator_id: one.note for one in found.creators if one.HasField("noted_at")}
    assert notes == {mei: "answers fast\nasks for samples"}
    assert found.creators[0].creator.creator_id == qiu, "the newest first"
    assert (found.shortlist.name, found.shortlist.creators) == ("Spring", 3)
    token = await done(discovery, shortlist_id, "remove", {"creator_ids": [mei, qiu]})
    assert ids_of(await on(discovery, shortlist_id, at_least=token)) == {lan}
    token = await done(discovery, shortlist_id, "add", {"creator_ids": [mei]})
    again = await on(discovery, shortlist_id, at_least=token)
    assert {one.creator.creator_id: one.note for one in again.creators} == {lan: "", mei: ""}


async def test_lists_say_how_many_are_on_them_and_who(discovery: Discovery) -> None:
    mei, lan = await known(discovery, "lists.mei", "lists.lan")
    first, second = await begun(discovery, "b first"), await begun(discovery, "a second")
    await done(discovery, first, "add", {"creator_ids": [mei]})
    token = await done(discovery, second, "add", {"creator_ids": [lan]})
    ours = [
        one for one in await listed(discovery, at_least=token, creator_id=mei) if one.shortlist_id in (first, second)
    ]
    assert [(one.shortlist_id, one.creators, one.has_creator) for one in ours] == [(second, 1, False), (first, 1, True)]
    by_name = [one.shortlist_id for one in await listed(discovery, order_by="name", page_size=200)]
    assert by_name.index(second) < by_name.index(first)
    token = await discovery.done("PUT", f"/shortlists/{second}", {"name": "renamed"}, BRAND)
    assert (await on(discovery, second, at_least=token)).shortlist.name == "renamed"


async def test_pages_neither_repeat_nor_skip(discovery: Discovery) -> None:
    ids = await known(discovery, *(f"pages.short.{at}" for at in range(5)))
    shortlist_id = await begun(discovery)
    token = await done(discovery, shortlist_id, "add", {"creator_ids": ids})
    first = await on(discovery, shortlist_id, at_least=token, page_size=2)
    second = await on(discovery, shortlist_id, page_size=2, page_token=first.page.next_page_token, at_least=token)
    third = await on(discovery, shortlist_id, page_size=2, page_token=second.page.next_page_token, at_least=token)
    assert [len(one.creators) for one in (first, second, third)] == [2, 2, 1]
    assert ids_of(first) | ids_of(second) | ids_of(third) == set(ids)
    assert not third.page.next_page_token


async def test_http_answers_as_grpc_does(discovery: Discovery) -> None:
    (mei,) = await known(discovery, "http.mei")
    shortlist_id = await begun(discovery)
    token = await done(discovery, shortlist_id, "add", {"creator_ids": [mei]})
    path = f"/shortlists/{shortlist_id}/creators?at_least={token}"
    said = (await discovery.send("GET", path, None, BRAND)).json()
    assert [one["creator"]["creator_id"] for one in said["creators"]] == [mei]
    assert said["shortlist"]["creators"] == 1


@pytest.mark.parametrize(
    ("verb", "body", "status", "code"),
    [
        ("add", {"creator_ids": []}, 422, "request.invalid"),
        ("add", {"creator_ids": [new_id()]}, 404, "creator.not_found"),
        ("note", {"creator_id": new_id(), "note": "x"}, 404, "shortlist.creator_not_on_it"),
        ("remove", {"creator_ids": ["nobody"]}, 422, "request.invalid"),
    ],
)
async def test_who_is_not_there_comes_onto_no_list(
    discovery: Discovery, verb: str, body: Any, status: int, code: str
) -> None:
    shortlist_id = await begun(discovery)
    answer = await discovery.send("POST", f"/shortlists/{shortlist_id}/{verb}", body, BRAND)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_nobody_else_sees_changes_or_ends_a_list(discovery: Discovery) -> None:
    (mei,) = await known(discovery, "strange.mei")
    shortlist_id = await begun(discovery)
    token = await done(discovery, shortlist_id, "add", {"creator_ids": [mei]})
    for who in (RIVAL, OPERATOR):
        assert shortlist_id not in {one.shortlist_id for one in await listed(discovery, *who, at_least=token)}
        with pytest.raises(grpc.RpcError) as refused:
            await on(discovery, shortlist_id, *who)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
        for verb, body in (
            ("add", {"creator_ids": [mei]}), ("remove", {"creator_ids": [mei]}),
            ("note", {"creator_id": mei, "note": "x"}), ("delete", None),
        ):  # fmt: skip
            answer = await discovery.send("POST", f"/shortlists/{shortlist_id}/{verb}", body, who)
            assert (answer.status_code, answer.json()["code"]) == (404, "shortlist.not_found"), (who, verb)


async def test_a_deleted_list_is_gone(discovery: Discovery) -> None:
    (mei,) = await known(discovery, "gone.mei")
    shortlist_id = await begun(discovery)
    await done(discovery, shortlist_id, "add", {"creator_ids": [mei]})
    token = await done(discovery, shortlist_id, "delete")
    assert shortlist_id not in {one.shortlist_id for one in await listed(discovery, at_least=token)}
    answer = await discovery.send("PUT", f"/shortlists/{shortlist_id}", {"name": "again"}, BRAND)
    assert (answer.status_code, answer.json()["code"]) == (409, "shortlist.id_taken")


async def test_a_rebuild_gives_the_same_rows(discovery: Discovery) -> None:
    mei, lan = await known(discovery, "rebuilt.mei", "rebuilt.lan")
    shortlist_id = await begun(discovery)
    await done(discovery, shortlist_id, "add", {"creator_ids": [mei, lan]})
    await done(discovery, shortlist_id, "note", {"creator_id": mei, "note": "fast"})
    await done(discovery, shortlist_id, "remove", {"creator_ids": [lan]})
    await until_quiet(discovery.app)
    found = await compare_rebuild(discovery.app, SHORTLISTS_PROJECTION)
    assert broken([found]) == []
    assert found.checked


async def test_who_is_forgotten_is_on_no_list_and_the_note_is_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as discovery:
        marker = "PlantedNote"
        mei, lan = await known(discovery, "forget.mei", "forget.lan")
        shortlist_id = await begun(discovery)
        await done(discovery, shortlist_id, "add", {"creator_ids": [mei, lan]})
        token = await done(discovery, shortlist_id, "note", {"creator_id": mei, "note": marker})
        assert marker in str(await on(discovery, shortlist_id, at_least=token))
        await discovery.tell(f"subject-{mei}", compliance.SubjectErased(subject_id=mei))

        async def is_forgotten() -> bool:
            return ids_of(await on(discovery, shortlist_id)) == {lan}

        await until(is_forgotten, 60)
        assert [one.creators for one in await listed(discovery)] == [1]
        again = {"creator_id": mei, "note": marker}
        refused = await discovery.send("POST", f"/shortlists/{shortlist_id}/note", again, BRAND)
        assert (refused.status_code, refused.json()["code"]) == (409, "creator.asked_to_be_forgotten")
        await until_quiet(discovery.app)
        found = await compare_rebuild(discovery.app, SHORTLISTS_PROJECTION)
        assert broken([found]) == []
        await discovery.app.database.scrub()
    assert not [file for file in files_in(tmp_path) if marker.encode() in file.read_bytes()]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
