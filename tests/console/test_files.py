"""Files of creators on pages: an operator's import with what is wrong, and what a search finds as CSV and XLSX."""

import csv
import io
from uuid import uuid4

import pytest

from tests.kit.console import OpenConsole
from tests.kit.pages import Shown, opened

HERE = "/creators/import"
TEXT = """platform,handle,display_name,categories,observed_on,followers
douyin,page.import.one,林梅,美妆,2025-06-30,12000
myspace,page.import.two,林梅,美妆,2025-06-30,12000
"""


async def uploaded(
    console: OpenConsole, data: bytes, lang: str = "en", name: str = "c.csv", charset: str = "utf-8"
) -> Shown:
    async with console.visitor("operator", lang) as operator:
        form = (await opened(operator, HERE)).form(HERE)
        fields = {**{key: value[0] for key, value in form.fields.items()}, "charset": charset, "_key": str(uuid4())}
        files = {"file": (name, data)} if data else None
        answer = await operator.post(HERE, data=fields, files=files, headers={"sec-fetch-site": "same-origin"})
        return Shown(answer)


async def test_an_operator_imports_a_file_and_reads_what_is_wrong(console: OpenConsole) -> None:
    shown = await uploaded(console, TEXT.encode())
    assert "1 row was left out." in shown.text
    assert "1 creators are new" in shown.text
    assert "this value is none of the column's (value: myspace" in shown.text
    again = await uploaded(console, TEXT.encode("gb18030"), "zh-CN", charset="gb18030")
    assert "1 行未导入" in again.text


async def test_what_is_no_file_is_said(console: OpenConsole) -> None:
    assert "Please choose a file." in (await uploaded(console, b"")).text
    wrong = await uploaded(console, b"nothing", name="c.xlsx")
    assert wrong.answer.status_code == 422
    assert "XLSX" in wrong.text


async def test_a_search_is_taken_along_as_a_file(console: OpenConsole) -> None:
    async with console.visitor("brand") as brand:
        page = await opened(brand, "/creators?tiers=TIER_HEAD")
        link = next(one for one in page.links if one.startswith("/creators/export.csv"))
        answer = await brand.get(link)
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert f"{len(rows)} creators" in page.text
        assert answer.headers["content-disposition"] == 'attachment; filename="creators.csv"'
        sheet = await brand.get(link.replace(".csv", ".xlsx"))
        assert sheet.content.startswith(b"PK")


@pytest.mark.parametrize(
    ("name", "importing", "exporting"),
    [("operator", 200, 200), ("brand", 403, 200), ("creator", 403, 403), ("reviewer", 403, 403), ("auditor", 403, 403)],
)
async def test_who_has_files(console: OpenConsole, name: str, importing: int, exporting: int) -> None:
    async with console.visitor(name) as visitor:
        assert (await visitor.get(HERE)).status_code == importing
        assert (await visitor.get("/creators/export.csv")).status_code == exporting
        assert (await visitor.get("/creators/export.pdf")).status_code in (403, 404, 422)
