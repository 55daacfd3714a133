"""`POST /imports`: the shipped file, bad rows in between, and the same file again."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kernel.core.ids import derived_id
from tests.integration.discovery.client import BRAND, OPERATOR, Discovery, running
from tools.make_creators import TARGET

SHIPPED = TARGET.read_bytes()
HEADER = "platform,handle,display_name,categories,observed_on,followers"


async def test_the_shipped_file_is_imported_once(tmp_path: Path) -> None:
    async with running(tmp_path) as discovery:
        first = (await discovery.send("POST", "/imports", SHIPPED)).json()
        rows = first.pop("rows")
        assert {name: first[name] for name in ("read_rows", "registered", "changed", "unchanged", "bad_rows")} == {
            "read_rows": 640, "registered": 640, "changed": 0, "unchanged": 0, "bad_rows": 0,
        }  # fmt: skip
        assert {row["outcome"] for row in rows} == {"registered"}
        head = (await discovery.app.log.head()).position
        again = (await discovery.send("POST", "/imports", SHIPPED)).json()
        assert (again["unchanged"], again["token"]) == (640, "")
        assert (await discovery.app.log.head()).position == head
        found = await discovery.search(at_least=first["token"], page_size=1)
        assert found.total == 640


async def test_good_rows_are_kept_and_bad_ones_reported(discovery: Discovery) -> None:
    text = "\r\n".join([
        HEADER,
        "douyin,import.one,林梅,美妆,2025-06-30,12000",
        "myspace,import.two,林梅,美妆,2025-06-30,12000",
        "douyin,import.three,林梅,美妆,2999-06-30,12000",
        "douyin,@Import.One,林梅,美妆,2025-06-30,12000",
    ])  # fmt: skip
    answer = (await discovery.send("POST", "/imports", text.encode())).json()
    assert (answer["read_rows"], answer["registered"], answer["bad_rows"]) == (4, 1, 3)
    assert [(one["line"], one["column"], one["rule"]) for one in answer["problems"]] == [
        (3, "platform", "value.unknown"),
        (4, "observed_on", "time.in_the_future"),
        (5, "handle", "csv.duplicate_row"),
    ]
    assert [(row["line"], row["outcome"]) for row in answer["rows"]] == [(2, "registered"), (4, "refused")]
    creator = await discovery.get(derived_id("creator", "douyin", "import.one"), at_least=answer["token"])
    assert (creator.display_name, creator.followers) == ("林梅", 12_000)


async def test_a_changed_row_changes_its_creator_only(discovery: Discovery) -> None:
    def file(followers: int, day: str) -> bytes:
        rows = [f"douyin,row.{number},林梅,美妆,{day},{followers if number else 5}" for number in range(3)]
        return "\n".join([HEADER, *rows]).encode()

    assert (await discovery.send("POST", "/imports", file(1_000, "2025-06-30"))).json()["registered"] == 3
    answer = (await discovery.send("POST", "/imports", file(2_000, "2025-06-30"))).json()
    assert (answer["changed"], answer["unchanged"]) == (2, 1)
    stale = (await discovery.send("POST", "/imports", file(3_000, "2025-05-31"))).json()
    assert {one["rule"] for one in stale["problems"]} == {"creator.report_out_of_date"}


async def test_the_same_key_with_another_file_is_refused_row_by_row(discovery: Discovery) -> None:
    def file(name: str) -> bytes:
        return f"{HEADER}\ndouyin,keyed,{name},美妆,2025-06-30,12000".encode()

    await discovery.send("POST", "/imports", file("one"), key="import-key-1")
    again = (await discovery.send("POST", "/imports", file("one"), key="import-key-1")).json()
    other = (await discovery.send("POST", "/imports", file("two"), key="import-key-1")).json()
    assert (again["unchanged"], again["bad_rows"]) == (1, 0)
    assert [one["rule"] for one in other["problems"]] == ["command.id_reused"]


async def test_a_handle_that_somebody_was_verified_for_is_refused_in_its_row(discovery: Discovery) -> None:
    creator = "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4eff"
    account = {"platform": "weibo", "handle": "taken"}
    await discovery.done("PUT", f"/creators/{creator}", {"profile": {"display_name": "x"}, "accounts": [account]})
    await discovery.done("POST", f"/creators/{creator}/accounts/verify", account | {"method": "oauth"})
    answer = (await discovery.send("POST", "/imports", f"{HEADER}\nweibo,taken,林梅,美妆,2025-06-30,1".encode())).json()
    assert [one["rule"] for one in answer["problems"]] == ["creator.handle_taken"]


async def test_imports_are_for_operators_and_files_as_a_whole_can_be_wrong(discovery: Discovery) -> None:
    brand = await discovery.send("POST", "/imports", SHIPPED, BRAND)
    assert (brand.status_code, brand.json()["code"]) == (403, "actor.role_missing")
    unknown = await discovery.send("POST", "/imports", f"{HEADER},password\n".encode(), OPERATOR)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "csv.column_unknown")
    large = await discovery.send("POST", "/imports", b"x" * (8 * 1024 * 1024 + 1), OPERATOR)
    assert large.status_code == 413


async def test_today_where_the_day_begins_first_is_taken_and_said_once(discovery: Discovery) -> None:
    """UTC+14: the file of a day that has begun there; the same file again changes nothing, tomorrow's is refused."""
    ahead = (await discovery.app.log.now()) + timedelta(hours=13, minutes=59)

    def file(handle: str, day: datetime, **more: str) -> bytes:
        columns = HEADER + "".join(f",{name}" for name in more)
        return f"{columns}\ndouyin,{handle},林梅,美妆,{day:%Y-%m-%d},12000{''.join(f',{v}' for v in more.values())}".encode()

    shares = {"audience_sample": "100", "audience_gender": "male=0.4;female=0.6"}
    first = (await discovery.send("POST", "/imports", file("east", ahead, **shares))).json()
    assert (first["registered"], first["problems"]) == (1, [])
    again = (await discovery.send("POST", "/imports", file("east", ahead, **shares))).json()
    assert (again["unchanged"], again["problems"]) == (1, [])
    late = (await discovery.send("POST", "/imports", file("late", ahead + timedelta(days=1)))).json()
    assert [(one["column"], one["rule"]) for one in late["problems"]] == [("observed_on", "time.in_the_future")]
    assert late["problems"][0]["reason"].startswith("this day has not begun anywhere yet")


async def test_a_charset_that_the_request_names_is_read(discovery: Discovery) -> None:
    data = f"{HEADER}\nweibo,gb.one,林梅,美妆,2025-06-30,1200".encode("gbk")
    headers = {"Idempotency-Key": "charset-key-1", "Content-Type": "application/vnd.ms-excel; charset=GBK"}
    async with discovery.http(*OPERATOR) as client:
        answer = await client.post("/imports", content=data, headers=headers)
        assert (answer.json()["registered"], answer.json()["problems"]) == (1, [])
        plain = await client.post("/imports", content=data * 2, headers={**headers, "Content-Type": "text/csv"})
    assert (plain.status_code, plain.json()["code"]) == (422, "csv.not_utf8")


def filed(*rows: tuple[str, str, str, str]) -> bytes:
    """Rows of (handle, name, day, id)."""
    lines = [f"instagram,{handle},{name},美妆,{day},12000,{id_}" for handle, name, day, id_ in rows]
    return "\n".join([f"{HEADER},account_id", *lines]).encode()


async def test_creators_are_known_by_the_platforms_own_id_and_never_by_a_handle_used_again(
    discovery: Discovery,
) -> None:
    async def imported(*rows: tuple[str, str, str, str]) -> dict[str, Any]:
        answer: dict[str, Any] = (await discovery.send("POST", "/imports", filed(*rows))).json()
        return answer

    first = await imported(("anna", "Anna", "2025-06-01", "u1"), ("ben", "Ben", "2025-06-01", ""))
    anna, ben = (one["creator_id"] for one in first["rows"])
    renamed = await imported(("anna.new", "Anna", "2025-06-02", "u1"))
    assert (renamed["changed"], renamed["rows"][0]["creator_id"], renamed["problems"]) == (1, anna, [])
    card = await discovery.get(anna, at_least=renamed["token"])
    assert [one.account.handle for one in card.accounts] == ["anna.new"]
    stranger = await imported(("anna", "Eve", "2025-06-03", "u9"))
    assert (stranger["registered"], stranger["problems"]) == (1, [])
    assert stranger["rows"][0]["creator_id"] != anna
    assert (await imported(("anna", "Eve", "2025-06-03", "u9")))["unchanged"] == 1
    await discovery.done("POST", f"/creators/{ben}/accounts", {"platform": "instagram", "handle": "ben.new"})
    reused = await imported(("ben", "Mallory", "2025-06-03", ""))
    assert [(one["column"], one["rule"]) for one in reused["problems"]] == [("handle", "creator.handle_reused")]
    body = {"platform": "instagram", "handle": "ben.new", "account_id": "u2"}
    token = await discovery.done("POST", f"/creators/{ben}/accounts/identify", body)
    assert (await discovery.get(ben, at_least=token)).display_name == "Ben"
    decided = await imported(("ben.newest", "Ben", "2025-06-04", "u2"))
    assert (decided["rows"][0]["creator_id"], decided["problems"]) == (ben, [])
    taken = await discovery.send("POST", f"/creators/{anna}/accounts/identify", {**body, "handle": "anna.new"})
    assert (taken.status_code, taken.json()["code"]) == (409, "creator.account_id_taken")


async def test_a_handle_that_a_row_further_down_sets_free_is_taken(discovery: Discovery) -> None:
    """The platform's ids tell it, in whatever order the rows stand; a handle that stays taken stays a problem."""

    async def imported(*rows: tuple[str, str, str, str]) -> dict[str, Any]:
        answer: dict[str, Any] = (await discovery.send("POST", "/imports", filed(*rows))).json()
        return answer

    day, next_day = "2025-06-01", "2025-06-02"
    await imported(*((f"chain.{n}", f"C{n}", day, f"c{n}") for n in range(4)))
    moved = await imported(*((f"chain.{n + 1}", f"C{n}", next_day, f"c{n}") for n in range(4)))
    assert (moved["changed"], moved["bad_rows"], moved["problems"]) == (4, 0, [])
    assert [(one["line"], one["outcome"]) for one in moved["rows"]] == [(n, "changed") for n in (2, 3, 4, 5)]
    held = {"platform": "instagram", "handle": "chain.2", "method": "oauth"}
    await discovery.done("POST", f"/creators/{moved['rows'][1]['creator_id']}/accounts/verify", held)
    stuck = await imported(("chain.9", "C0", "2025-06-03", "c0"), ("chain.2", "New", next_day, "c9"))
    assert [(one["line"], one["rule"]) for one in stuck["problems"]] == [(3, "creator.handle_taken")]
    assert (stuck["changed"], stuck["bad_rows"], [one["outcome"] for one in stuck["rows"]]) == (
        1,
        1,
        ["changed", "refused"],
    )
