"""Forgetting a person: values that stand nowhere else are planted, the person is erased, and every byte is searched."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa
from dandelion.compliance.v1 import queries_pb2 as compliance_pb
from dandelion.compliance.v1.queries_pb2_grpc import ReviewQueryServiceStub
from dandelion.discovery.v1 import queries_pb2 as discovery_pb
from sqlalchemy.exc import DBAPIError

from kernel.core.check import CheckResult
from kernel.core.events import Recorded
from kernel.core.faults import Poison
from kernel.core.guard import Guard
from kernel.core.ids import new_id
from kernel.host.app import App, run_migrations
from kernel.host.main import run_rebuild
from kernel.streams.parked import Parking, SetAside, reason_of
from kernel.streams.records import PartitionBatch, of_log
from kernel.verify.inline_rows import check_inline_tables
from services.compliance.settings import ComplianceSettings
from services.compliance.wiring import SERVICE as COMPLIANCE
from services.compliance.wiring import open_app as open_compliance
from services.discovery.invariants import creators_agree
from services.discovery.projections import CREATORS_PROJECTION
from services.discovery.settings import DiscoverySettings
from services.discovery.wiring import SERVICE, open_app
from tests.integration.discovery.client import OPERATOR, Discovery
from tests.kit.generations import dump
from tests.kit.running import Running, issuer_in, serving, settings_in
from tests.kit.stored import rows_in, words_in
from tests.kit.until import until

BRAND = ("bella", "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4ee0", "brand")
PLANTED = {
    "handle": "qzhandle", "display_name": "QzName", "bio": "QzBio", "contact": "qz@contact.example", "tags": "qztag",
    "province": "QzProvince", "city": "QzCity", "examples": "https://qz.example/post", "account_id": "QzAccount",
}  # fmt: skip
LATER_PLANTED = ("qzlinked", "qzrenamed", "QzIdentified", "qzverified")
BIRTH_YEAR = 1987


@dataclass
class Both:
    """Discovery, and compliance whose events it hears, on one bus."""

    discovery: Discovery
    compliance: Running
    folder: Path

    async def erased(self, creator_id: str) -> None:
        """By an operator's route, until discovery's read model has heard of it."""
        body = {"reason": "request.subject"}
        await self.compliance.done("POST", f"/subjects/{creator_id}/erase", body, OPERATOR)

        async def gone() -> bool:
            return not (await self.discovery.get(creator_id, *OPERATOR)).profile.personal

        await until(gone)

    def stored(self) -> Iterator[tuple[str, bytes]]:
        """Every table of every database, row by row."""
        return rows_in(self.folder)


@asynccontextmanager
async def both_in(folder: Path) -> AsyncIterator[Both]:
    issuer = issuer_in(folder)
    async with AsyncExitStack() as stack:
        url = f"sqlite+aiosqlite:///{folder}/compliance.db"
        theirs = settings_in(folder, ComplianceSettings, database_url=url)
        await run_migrations(COMPLIANCE, theirs)
        compliance = open_compliance(theirs)
        mine = settings_in(folder, DiscoverySettings)
        await run_migrations(SERVICE, mine)
        discovery = open_app(mine, compliance.bus)
        await stack.enter_async_context(serving(compliance))
        await stack.enter_async_context(serving(discovery))
        yield Both(Discovery(discovery, issuer), Running(compliance, issuer), folder)


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    async with both_in(tmp_path) as made:
        yield made


async def planted(discovery: Discovery) -> str:
    """A creator whose every personal field holds a value that stands nowhere else, after every command that has one."""
    columns = ["platform", "categories", "country", "birth_year", "gender", "observed_on", "followers", *PLANTED]
    values = ["weibo", "美妆", "CN", str(BIRTH_YEAR), "female", "2025-06-30", "5000", *PLANTED.values()]
    answer = await discovery.send("POST", "/imports", f"{','.join(columns)}\n{','.join(values)}".encode())
    assert answer.status_code == 200, answer.text
    creator_id: str = answer.json()["rows"][0]["creator_id"]
    itself = ("ann", creator_id, "creator")
    path = f"/creators/{creator_id}/accounts"
    await discovery.done("POST", path, {"platform": "douyin", "handle": "qzlinked"}, itself)
    body = {"platform": "douyin", "handle": "qzrenamed", "account_id": "QzIdentified"}
    await discovery.done("POST", f"{path}/identify", body)
    await discovery.done("POST", path, {"platform": "bilibili", "handle": "qzverified"}, itself)
    body = {"platform": "bilibili", "handle": "qzverified", "method": "oauth"}
    token = await discovery.done("POST", f"{path}/verify", body)
    await discovery.get(creator_id, at_least=token)
    return creator_id


def found_in(data: bytes) -> list[str]:
    return words_in(data, (*PLANTED.values(), *LATER_PLANTED))


async def test_log_and_topics_never_hold_a_personal_field(both: Both) -> None:
    creator_id = await planted(both.discovery)
    kept = [(place, found_in(row)) for place, row in both.stored()]
    wrong = [
        (place, hits)
        for place, hits in kept
        if hits and place.rpartition("/")[2] in ("log_events", "records", "parked")
    ]
    assert wrong == []
    held = {place.rpartition("/")[2].partition("_g")[0] for place, hits in kept if hits}
    assert "handles" in held, "the search has found nothing at all, so it proves nothing"
    years = [row for place, row in both.stored() if place.endswith("/log_events") and creator_id.encode() in row]
    assert years
    assert not [row for row in years if b'"birth_year":%d' % BIRTH_YEAR in row or b'"gender":"female"' in row]


async def test_a_parked_event_holds_no_personal_field(both: Both) -> None:
    """Nor does the reason for which it is parked, whatever error it met; `dlq retry` reads the event from the log."""
    app = both.discovery.app
    creator_id = await planted(both.discovery)
    consumer, parking = app.consumer("sick", unused, True, ()), Parking(app.database, "sick")
    events = [one for one in await app.log.read(0) if one.stream == f"creator-{creator_id}"]
    part = of_log(SERVICE.name, SERVICE.codec, Guard(), events)
    errors = [await broken_row(app), unreadable(events[0])]
    async with app.database.transaction() as connection:
        await parking.park(connection, [
            SetAside(part, inbound, reason_of(errors[at % 2])) for at, inbound in enumerate(part.admitted.fresh)
        ])  # fmt: skip
    assert [(place, found_in(row)) for place, row in both.stored() if found_in(row) and "parked" in place] == []
    again = [await consumer.redecode(source, one) for _, source, one in await parking.waiting(f"creator-{creator_id}")]
    assert again == [one.incoming for one in part.admitted.fresh]


async def unused(_parts: Sequence[PartitionBatch]) -> None: ...


async def broken_row(app: App) -> Exception:
    with pytest.raises(DBAPIError) as broken:
        async with app.database.transaction() as connection:
            await connection.execute(sa.text("INSERT INTO nowhere VALUES (:handle)"), {"handle": PLANTED["handle"]})
    return broken.value


def unreadable(event: Recorded) -> Exception:
    """Of a version that another release wrote: a field has another form."""
    data = orjson.dumps({name: [PLANTED["handle"]] for name in orjson.loads(event.data)})
    with pytest.raises(Poison) as refused:
        SERVICE.codec.decode(event.name, data)
    return refused.value


async def test_others_see_an_age_class_and_never_a_birth_year(both: Both) -> None:
    creator_id = await planted(both.discovery)
    adult = discovery_pb.AGE_CLASS_ADULT
    for who in (BRAND, ("anna", "platform", "auditor"), ("mallory", BRAND[1], "creator")):
        creator = await both.discovery.get(creator_id, *who)
        assert (creator.profile.birth_year, creator.age_class, creator.contact) == (0, adult, "")
    for who in (OPERATOR, ("ann", creator_id, "creator")):
        assert (await both.discovery.get(creator_id, *who)).profile.birth_year == BIRTH_YEAR
    (hit,) = (await both.discovery.search(*OPERATOR, locations=["CN/QzProvince/QzCity"])).hits
    assert (hit.creator.profile.birth_year, hit.creator.age_class) == (0, adult)


async def test_of_who_is_erased_no_byte_is_left(tmp_path: Path) -> None:
    async with both_in(tmp_path) as both:
        creator_id = await planted(both.discovery)
        assert (await both.discovery.search(*BRAND, text="qzverified")).total == 1
        await both.erased(creator_id)
        creator = await both.discovery.get(creator_id, *OPERATOR)
        assert not found_in(creator.SerializeToString())
        assert (creator.profile.birth_year, creator.followers, list(creator.accounts)) == (0, 5_000, [])
        for text in ("qzhandle", "QzCity", "QzName", "qztag"):
            assert (await both.discovery.search(*BRAND, text=text)).total == 0
        left = [(place, found_in(row)) for place, row in both.stored() if found_in(row)]
        assert left == []
        await checked(both)
    files = files_in(tmp_path)
    assert len(files) > 4
    assert [(path.name, found_in(path.read_bytes())) for path in files if found_in(path.read_bytes())] == []


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def checked(both: Both) -> None:
    """What the log says still is what is kept: inline tables, read models, a rebuild."""
    app = both.discovery.app
    results: list[CheckResult] = [*await check_inline_tables(app), *await creators_agree(app)]
    assert [one for one in results if one.problems] == []
    live = await dump(app.database, CREATORS_PROJECTION, 1)
    await run_rebuild(SERVICE, app.settings, [CREATORS_PROJECTION.name])
    assert await dump(app.database, CREATORS_PROJECTION, 2) == live


async def test_the_store_keeps_no_copy_while_it_runs(both: Both) -> None:
    creator_id = await planted(both.discovery)
    await both.erased(creator_id)

    async def clean() -> bool:
        return not [path for path in both.folder.glob("service.db*") if found_in(path.read_bytes())]

    await until(clean)


async def test_who_was_erased_comes_back_by_itself_only_and_its_handle_is_free(both: Both) -> None:
    creator_id = await planted(both.discovery)
    await both.erased(creator_id)
    account = {"platform": "douyin", "handle": "qzrenamed", "account_id": "QzIdentified"}
    path = f"/creators/{creator_id}"
    code = await both.discovery.refused("POST", f"{path}/accounts/identify", account, OPERATOR)
    assert code == "creator.asked_to_be_forgotten"
    profile = {"display_name": "Back", "categories": ["美妆"], "country": "CN", "city": "QzCity"}
    itself = ("ann", creator_id, "creator")
    assert await both.discovery.refused("POST", f"{path}/profile", profile, OPERATOR) == "creator.asked_to_be_forgotten"
    await both.discovery.done("POST", f"{path}/profile", profile, itself)
    token = await both.discovery.done("POST", f"{path}/accounts", {"platform": "weibo", "handle": "qzhandle"}, itself)
    creator = await both.discovery.get(creator_id, *BRAND, at_least=token)
    assert [one.account.handle for one in creator.accounts] == ["qzhandle"]
    assert creator.profile.location.city == "QzCity"
    await checked(both)


async def test_who_registers_anew_under_a_new_id_has_its_handle_and_its_account_again(both: Both) -> None:
    await both.erased(await planted(both.discovery))
    creator_id = new_id()
    itself, path = ("ann", creator_id, "creator"), f"/creators/{creator_id}"
    profile = {"display_name": "Back", "categories": ["美妆"], "country": "CN"}
    await both.discovery.done("PUT", path, {"profile": profile}, itself)
    account = {"platform": "bilibili", "handle": "qzverified"}
    await both.discovery.done("POST", f"{path}/accounts", account, itself)
    token = await both.discovery.done("POST", f"{path}/accounts/verify", {**account, "method": "oauth"})
    creator = await both.discovery.get(creator_id, *BRAND, at_least=token)
    assert [(one.account.handle, one.verified) for one in creator.accounts] == [("qzverified", True)]
    await checked(both)


async def test_who_was_erased_is_not_brought_back_by_a_file_that_names_its_account(both: Both) -> None:
    """The same row again, with the platform's own id and without: the person is known neither by its handle nor by its id."""
    header = "platform,handle,display_name,categories,observed_on,followers,account_id"
    rows = ["weibo,qzfirst,Qz,美妆,2025-06-30,5000,", "weibo,qzsecond,Qz,美妆,2025-06-30,5000,id-2"]

    async def imported(*rows: str) -> list[tuple[str, str]]:
        answer = (await both.discovery.send("POST", "/imports", "\n".join([header, *rows]).encode())).json()
        await both.discovery.seen(answer["token"])
        return [(one["creator_id"], one["outcome"]) for one in answer["rows"]]

    first = await imported(*rows)
    for creator_id, _ in first:
        await both.erased(creator_id)
    refused = [(creator_id, "refused") for creator_id, _ in first]
    assert await imported(*rows) == refused
    assert await imported(f"{rows[0]}id-1", rows[1].removesuffix("id-2")) == refused
    await checked(both)


async def test_a_person_asks_for_itself_and_sees_where_that_stands(both: Both) -> None:
    creator_id = await planted(both.discovery)
    itself, path = ("ann", creator_id, "creator"), f"/subjects/{creator_id}/request-erasure"
    assert await both.compliance.refused("POST", path, {}, BRAND) == "erasure.not_yours"
    assert await both.compliance.refused("POST", f"/subjects/{creator_id}/erase", {"reason": "x"}, itself) == (
        "actor.role_missing"
    )
    token = (await both.compliance.done("POST", path, {}, itself))["token"]
    for who in (itself, OPERATOR):
        async with both.compliance.channel(who) as channel:
            queries = ReviewQueryServiceStub(channel)
            request = compliance_pb.GetErasureRequest(subject_id=creator_id, at_least=token)
            assert (await queries.GetErasure(request)).erasure.step == compliance_pb.ERASURE_STEP_REQUESTED
    async with both.compliance.channel(OPERATOR) as channel:
        asked = compliance_pb.ListErasuresRequest(step=compliance_pb.ERASURE_STEP_REQUESTED)
        (waiting,) = (await ReviewQueryServiceStub(channel).ListErasures(asked)).erasures
        assert waiting.subject_id == creator_id
    await both.erased(creator_id)
