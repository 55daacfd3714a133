"""`POST /exports`: who a search finds, as a file that an import can read back: CSV page by page, or an XLSX workbook."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from kernel.core.clock import system_clock
from kernel.core.decider import Actor
from kernel.core.faults import Refused
from kernel.edge.http import Caller
from kernel.host.app import App
from services.discovery.documents.sheets import XLSX, SheetFile
from services.discovery.domain.creator_csv import ROWS_LIMIT
from services.discovery.domain.criteria import Criteria
from services.discovery.domain.csv.formulas import harmless
from services.discovery.domain.csv_rows import HEADER, Cell, row
from services.discovery.reads import CreatorReads, reads_of
from services.discovery.rest.saved_searches import CriteriaText

CriteriaFrom = Callable[[str], Criteria]
"""The criteria of a search's canonical JSON."""
PAGE = 500
CHUNK_BYTES = 64 * 1024
AT_ONCE = 2
"""Workbooks that are made at the same time."""
CALLERS = ("brand", "agency", "operator")


class ExportBody(BaseModel):
    """`search` is what `POST /creators/match` takes under that name: the filters of a search and its order."""

    search: Annotated[dict[str, Any], Field(default_factory=dict)]
    format: Literal["csv", "xlsx"] = "csv"


class Exports:
    """Files of what searches find, as the caller."""

    def __init__(self, reads: CreatorReads) -> None:
        self._reads, self._slots = reads, asyncio.Semaphore(AT_ONCE)

    async def rows(self, criteria: Criteria, actor: Actor) -> AsyncIterator[Sequence[Sequence[Cell]]]:
        """Rows page by page; raises Refused `export.too_many` before the first."""
        at, after, is_first = system_clock(), None, True
        while is_first or after:
            page = await self._reads.search(criteria, at, after, PAGE, actor)
            if is_first and page.total > ROWS_LIMIT:
                raise Refused("export.too_many", limit=ROWS_LIMIT, total=page.total, do="narrow the search")
            yield [made for card in page.cards if (made := _row(card, at))]
            after, is_first = page.after, False

    async def csv(self, pages: AsyncIterator[Sequence[Sequence[Cell]]]) -> AsyncIterator[bytes]:
        """With a byte order mark, by which spreadsheets know UTF-8."""
        yield b"\xef\xbb\xbf" + _lines([HEADER])
        async for rows in pages:
            yield _lines(rows)

    async def xlsx(self, pages: AsyncIterator[Sequence[Sequence[Cell]]]) -> BinaryIO:
        async with self._slots:
            made = SheetFile(HEADER)
            async for rows in pages:
                await asyncio.to_thread(made.add_all, rows)
            return await asyncio.to_thread(made.close)


def routes(app: App, criteria_text: CriteriaText, criteria_from: CriteriaFrom) -> APIRouter:
    """The export."""
    router = APIRouter(tags=["exports"])
    exports = Exports(reads_of(app))

    @router.post("/exports", response_class=StreamingResponse)
    async def export_creators(body: ExportBody, caller: Caller) -> StreamingResponse:
        """Brands, agencies and operators: whom a search finds, at most 20,000, without contacts."""
        caller.require(*CALLERS)
        pages = exports.rows(criteria_from(criteria_text(body.search)), caller)
        first = await anext(pages)
        whole = _from(first, pages)
        if body.format == "csv":
            return _file(exports.csv(whole), "text/csv; charset=utf-8", "csv")
        return _file(_chunks(await exports.xlsx(whole)), XLSX, "xlsx")

    return router


def _row(card: Any, at: datetime) -> list[Cell] | None:
    return row(card.state, card.display_name, card.bio, card.creator_id, at)


async def _from(
    first: Sequence[Sequence[Cell]], pages: AsyncIterator[Sequence[Sequence[Cell]]]
) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    """The first page, which was read to know that there is a file, and the others."""
    yield first
    async for rows in pages:
        yield rows


def _lines(rows: Sequence[Sequence[Cell]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([harmless(str(cell)) for cell in one] for one in rows)
    return out.getvalue().encode()


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while data := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield data


def _file(body: AsyncIterator[bytes], media: str, ending: str) -> StreamingResponse:
    named = {"Content-Disposition": f'attachment; filename="creators.{ending}"', "Cache-Control": "no-store"}
    return StreamingResponse(body, media_type=media, headers=named)
