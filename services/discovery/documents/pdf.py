"""A media kit as PDF: one column of A4, an embedded Chinese font, every number with its date and where it comes from."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from pylopdf_fonts_zh_cn import sans_path

from kernel.core.money import DIGITS
from services.discovery.documents.words import word

AT_ONCE = 2
"""Documents made at the same time; each takes half a second of a processor."""
MICROS = 1_000_000
GREY, BLACK = (110, 110, 105), (31, 30, 26)


class Pdfs:
    """Makes documents in threads, AT_ONCE at a time."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def made(self, kit: Mapping[str, Any], lang: str) -> bytes:
        async with self._slots:
            return await asyncio.to_thread(pdf_of, kit, lang)


def pdf_of(kit: Mapping[str, Any], lang: str) -> bytes:
    """`kit` as rest/media_kits.py answers it; `lang` is `zh-CN`, or anything else for English."""
    page = _Page(lang)
    page.heading(kit["display_name"] or word("A creator", lang))
    page.line(
        f"{word('Media kit', lang)} · {word('version', lang)} {kit['version']} · {_day(kit['published_at'])}", GREY
    )
    if kit["bio"]:
        page.line(kit["bio"])
    if kit["categories"]:
        page.line(" · ".join(kit["categories"]), GREY)
    if kit["accounts"]:
        page.section("accounts")
        for account in kit["accounts"]:
            page.line(account)
    for section in kit["sections"]:
        figures = [one for one in kit["figures"] if one["section"] == section]
        if figures:
            page.section(section)
            page.table(figures)
    if kit["jobs_settled"] is not None:
        page.section("record")
        page.line(f"{word('Jobs settled on this platform', lang)}: {kit['jobs_settled']}")
    if kit["examples"]:
        page.section("examples")
        for link in kit["examples"]:
            page.line(link)
    return bytes(page.pdf.output())


def _day(at: datetime | None) -> str:
    return at.date().isoformat() if at else "–"


class _Page:
    """The document under way."""

    def __init__(self, lang: str) -> None:
        self._lang, self.pdf = lang, FPDF(format="A4")
        self.pdf.set_title(word("Media kit", lang))
        self.pdf.set_lang("zh-CN" if lang.startswith("zh") else "en")
        for style in ("", "B"):
            self.pdf.add_font("Noto", style, str(sans_path()))
        self.pdf.set_auto_page_break(True, 18)
        self.pdf.add_page()

    def heading(self, text: str) -> None:
        self._write(text, 20, BLACK, 11)

    def section(self, name: str) -> None:
        self.pdf.ln(4)
        self._write(word(name, self._lang), 13, BLACK, 8)

    def line(self, text: str, colour: tuple[int, int, int] = BLACK) -> None:
        self._write(text, 10, colour, 6)

    def _write(self, text: str, size: int, colour: tuple[int, int, int], height: float) -> None:
        self.pdf.set_font("Noto", "", size)
        self.pdf.set_text_color(*colour)
        self.pdf.multi_cell(0, height, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def table(self, figures: Sequence[Mapping[str, Any]]) -> None:
        self.pdf.set_font("Noto", "", 9)
        self.pdf.set_text_color(*BLACK)
        heads = [word(one, self._lang) for one in ("Figure", "Value", "Read on", "Where it comes from")]
        with self.pdf.table(col_widths=(40, 25, 15, 20), line_height=6) as table:
            for cells in (heads, *(self._cells(one) for one in figures)):
                row = table.row()
                for cell in cells:
                    row.cell(cell)

    def _cells(self, figure: Mapping[str, Any]) -> list[str]:
        parts = figure["name"].split(".")[1:]
        name = " · ".join(word(part, self._lang) for part in parts)
        return [name, _value(figure), _day(figure["observed_at"]), word(figure["provenance"], self._lang)]


def _value(figure: Mapping[str, Any]) -> str:
    value, unit = figure["value"], figure["unit"]
    if unit == "micros":
        return f"{value * 100 / MICROS:.1f} %"
    if unit == "money":
        digits = DIGITS[figure["currency"]]
        return f"{figure['currency']} {value / 10**digits:,.{digits}f}"
    return f"{value:,}"
