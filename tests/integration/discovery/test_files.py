"""Files of creators: XLSX workbooks in, what a search finds out as CSV and XLSX, and an export that is imported again."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

import pytest
import python_calamine as calamine
import xlsxwriter

from kernel.core.ids import new_id
from services.discovery.documents import sheets
from services.discovery.documents.sheets import XLSX
from services.discovery.domain.csv_rows import HEADER
from tests.integration.discovery.client import BRAND, OPERATOR, Discovery, running

COLUMNS = ("platform", "handle", "display_name", "categories", "observed_on", "followers", "audience_active")


@pytest.fixture(scope="module")
async def discovery(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Discovery]:
    """With the shipped creators."""
    async with running(tmp_path_factory.mktemp("files")) as made:
        await made.shipped()
        yield made


def workbook(*rows: Sequence[Any]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for at, row in enumerate(rows):
        sheet.write_row(at, 0, row)
    book.close()
    return out.getvalue()


async def sent(discovery: Discovery, data: bytes) -> Any:
    async with discovery.http(*OPERATOR) as client:
        headers = {"Content-Type": XLSX, "Idempotency-Key": new_id()}
        return await client.post("/imports", content=data, headers=headers)


async def exported(discovery: Discovery, who: Sequence[str] = BRAND, **body: Any) -> Any:
    async with discovery.http(*who) as client:
        return await client.post("/exports", json=body)


async def test_a_workbook_is_imported_and_each_bad_row_is_told_by_its_number(discovery: Discovery) -> None:
    data = workbook(
        COLUMNS,
        ("douyin", "sheet.one", "林梅", "美妆", date(2025, 6, 30), 12000, 0.25),
        (),
        ("douyin", "sheet.two", "林梅", "美妆", "2025-06-30", "many", 0.25),
        ("douyin", "sheet.three", "多行\n文字", "美妆", date(2025, 6, 30), 1.5, ""),
    )
    answer = (await sent(discovery, data)).json()
    assert (answer["read_rows"], answer["registered"], answer["bad_rows"]) == (3, 1, 2)
    assert [(one["line"], one["column"]) for one in answer["problems"]] == [
        (4, "followers"), (5, "display_name"), (5, "followers"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"platform,handle", "sheet.unreadable"),
        (b"PK\x03\x04 nothing", "sheet.unreadable"),
        (workbook(), "csv.empty"),
        (workbook(["x"] * 201), "sheet.too_large"),
        (workbook(("platform", "nothing")), "csv.column_unknown"),
    ],
)
async def test_what_is_no_list_of_creators_is_refused_as_a_whole(discovery: Discovery, data: bytes, code: str) -> None:
    answer = await sent(discovery, data)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_a_workbook_that_unpacks_to_too_much_is_refused(
    discovery: Discovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b"0" * 2_000_000)
    monkeypatch.setattr(sheets, "UNPACKED_LIMIT_BYTES", 1_000_000)
    answer = await sent(discovery, out.getvalue())
    assert (answer.status_code, answer.json()["code"]) == (422, "sheet.too_large")


async def test_an_export_is_what_the_search_finds_and_an_import_reads_it(discovery: Discovery) -> None:
    search = {"categories": ["美妆"], "order_by": "followers"}
    found = await discovery.search(categories=["美妆"], order_by="followers", page_size=200)
    answer = await exported(discovery, search=search)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert tuple(rows[0]) == HEADER
    assert "contact" not in rows[0]
    assert len(rows) - 1 == found.total
    assert [row[-1] for row in rows[1:201]] == [hit.creator.creator_id for hit in found.hits]
    plain = [row[:-1] for row in rows]
    out = io.StringIO()
    csv.writer(out).writerows(plain)
    again = (await discovery.send("POST", "/imports", out.getvalue().encode())).json()
    assert again["bad_rows"] == 0, again["problems"][:3]
    assert (again["registered"], again["read_rows"]) == (0, found.total)


async def test_a_workbook_says_the_same_as_the_csv(discovery: Discovery) -> None:
    search = {"tiers": ["TIER_HEAD"]}
    data = (await exported(discovery, search=search, format="xlsx")).content
    cells = calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    text = (await exported(discovery, search=search)).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert [[sheets._text(cell) for cell in row] for row in cells] == [
        [cell.lstrip("'") for cell in row] for row in rows
    ]
    assert len(rows) > 10


async def test_a_text_that_would_be_a_formula_is_none_in_the_file(discovery: Discovery) -> None:
    row = ("douyin", "sheet.formula", '=HYPERLINK("x")', "美妆", "2025-06-30", "999000001", "")
    answer = (
        await sent(discovery, workbook(COLUMNS, [f"'{one}" if one.startswith("=") else one for one in row]))
    ).json()
    assert answer["registered"] == 1
    await discovery.seen(answer["token"])
    search = {"followers_min": 999_000_000}
    text = (await exported(discovery, search=search)).content.decode("utf-8-sig")
    (found,) = list(csv.DictReader(io.StringIO(text)))
    assert found["display_name"] == '\'=HYPERLINK("x")'
    data = (await exported(discovery, search=search, format="xlsx")).content
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        (("c", "018f3c1e-7a10-7c3e-9b1d-0a1b2c3d4ef7", "creator"), 403, "actor.role_missing"),
        (("f", "platform", "finance"), 403, "actor.role_missing"),
    ],
)
async def test_who_exports_nothing(discovery: Discovery, who: tuple[str, ...], status: int, code: str) -> None:
    answer = await exported(discovery, who)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_more_than_a_file_takes_is_refused_before_it_begins(
    discovery: Discovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.discovery.rest.exports.ROWS_LIMIT", 100)
    answer = await exported(discovery)
    assert (answer.status_code, answer.json()["code"]) == (409, "export.too_many")
