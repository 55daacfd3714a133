"""The first sheet of an XLSX workbook as texts, and rows as an XLSX workbook."""

import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO

import python_calamine as calamine
import xlsxwriter

from kernel.core.faults import Invalid

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARTS_LIMIT, UNPACKED_LIMIT_BYTES = 1_000, 128 * 1024 * 1024
"""A workbook is a ZIP file: more than these is no list of creators but meant to fill the memory."""
COLUMNS_LIMIT = 200
BROKEN = (calamine.CalamineError, zipfile.BadZipFile, NotImplementedError)
Row = tuple[int, tuple[str, ...]]
"""The row's number in the sheet, from 1, and its cells as texts."""


def rows_of(data: bytes, rows_limit: int) -> Iterator[Row]:
    """Rows of the first sheet that say something, formulas as the values they had when the file was saved.

    Raises Invalid `sheet.unreadable` for what is no such workbook, `sheet.too_large` for more rows or columns than the limits.
    """
    try:
        _check_size(data)
        sheet = calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0)
    except BROKEN as error:
        raise Invalid("sheet.unreadable", expected="an XLSX workbook without a password") from error
    last_row, last_column = sheet.end or (0, 0)
    if last_row >= rows_limit or last_column >= COLUMNS_LIMIT:
        raise Invalid("sheet.too_large", rows_limit=rows_limit, columns_limit=COLUMNS_LIMIT)
    for at, cells in enumerate(sheet.to_python(skip_empty_area=False), 1):
        texts = tuple(map(_text, cells))
        if any(texts):
            yield at, texts


def _check_size(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        infos = parts.infolist()
    if len(infos) > PARTS_LIMIT or sum(one.file_size for one in infos) > UNPACKED_LIMIT_BYTES:
        raise Invalid("sheet.too_large", parts_limit=PARTS_LIMIT, unpacked_limit_bytes=UNPACKED_LIMIT_BYTES)


def _text(cell: Any) -> str:
    """As a CSV file would have it: whole numbers without a point, days as YYYY-MM-DD, true and false."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else format(cell, ".12g")
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()


class SheetFile:
    """An XLSX workbook of one sheet that is written row by row, in a temporary file: memory stays the same."""

    def __init__(self, header: Sequence[str]) -> None:
        self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # whoever sends it closes it
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(self.file, options)
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._rows = 0
        self._sheet.write_row(0, 0, header, self._book.add_format({"bold": True}))

    def add_all(self, rows: Sequence[Sequence[str | int]]) -> None:
        for row in rows:
            self._rows += 1
            self._sheet.write_row(self._rows, 0, row)

    def close(self) -> BinaryIO:
        """The finished file, at its beginning."""
        self._book.close()
        self.file.seek(0)
        return self.file
