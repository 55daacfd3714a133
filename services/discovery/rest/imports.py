"""`POST /imports`: a CSV file or an XLSX sheet of creators (columns: domain/csv_columns.py). Good rows
are kept, bad ones reported.

Rows go through the writer's group commit in parts, each row one command under the request's key, so that the same file
sent again changes nothing, and one sent again after a lost connection finishes what was begun.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from email.message import Message
from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request
from pydantic import BaseModel

from kernel.core.canonical import canonical, without_defaults
from kernel.core.events import Receipt
from kernel.core.faults import Fault
from kernel.core.ids import stream_id
from kernel.edge.http import CommandRequest
from kernel.eventlog.commands import QueuedCommand
from kernel.eventlog.writer import Writer
from services.discovery.documents.sheets import XLSX, rows_of
from services.discovery.domain.creator_csv import ROWS_LIMIT, Parsed, Problem, Record, parse, read_records
from services.discovery.domain.csv.reasons import column_of, sentence
from services.discovery.domain.csv_columns import COLUMNS, REQUIRED, CreatorRow
from services.discovery.rest.known import KnownAccounts
from services.discovery.rest.sealing import Sealer, seal

ROWS_AT_ONCE = 1_000
ROUNDS = 5
"""So often rows are tried whose handle another row has set free meanwhile."""
RETRIED = frozenset({"unavailable", "exhausted"})
TAKEN = "creator.handle_taken"


class RowText(BaseModel):
    """What a row's fingerprint covers."""

    row: str


def _covered(row: CreatorRow) -> tuple[RowText, Callable[[], RowText]]:
    """What the fingerprint of a row covers, and what it covered in 0.1.0."""
    return RowText(row=canonical(without_defaults(row)).decode()), lambda: RowText(row=canonical(row).decode())


class ProblemAnswer(BaseModel):
    """Line (from 1), column ("" for the whole row), rule and reason."""

    line: int
    column: str
    rule: str
    reason: str


class RowAnswer(BaseModel):
    """What became of a good row; `refused` ones stand among the problems too."""

    line: int
    creator_id: str
    outcome: Literal["registered", "changed", "unchanged", "refused"]
    version: int


class ImportAnswer(BaseModel):
    """`token` is that of the last write: give it to a query as `at_least`; "" when nothing was written."""

    read_rows: int
    registered: int
    changed: int
    unchanged: int
    bad_rows: int
    rows: list[RowAnswer]
    problems: list[ProblemAnswer]
    token: str


def routes(writer: Writer, sealer: Sealer) -> APIRouter:
    """The import."""
    router = APIRouter(tags=["imports"])
    columns = ", ".join(f"{name}{' (required)' if name in REQUIRED else ''}" for name in COLUMNS)
    said = {"schema": {"type": "string", "description": columns}}
    binary = {"schema": {"type": "string", "format": "binary", "description": columns}}
    body = {"required": True, "content": {"text/csv": said, XLSX: binary}}

    @router.post("/imports", openapi_extra={"requestBody": body})
    async def import_creators(request: CommandRequest) -> ImportAnswer:
        """Operators only: registers the creators of a CSV file or of an XLSX workbook's first sheet, or brings them up to date.
        At most 20,000 rows, 8 MiB."""
        request.actor.require("operator")
        parsed = await asyncio.to_thread(_parsed, await request.http.body(), request.http)
        importing = _Import(writer, sealer, request)
        await importing.take_all(parsed.rows)
        return importing.answer(parsed.read_rows, parsed.bad_rows, parsed.problems)

    return router


def _parsed(data: bytes, request: Request) -> Parsed:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != XLSX:
        return parse(data, _charset(request))
    return read_records(Record(line, cells) for line, cells in rows_of(data, ROWS_LIMIT + 1))


def _charset(request: Request) -> str:
    """The charset that the Content-Type names; "" where it names none."""
    told = Message()
    told["Content-Type"] = request.headers.get("content-type", "text/csv")
    return str(told.get_param("charset", ""))


class _Import:
    """One import under way."""

    def __init__(self, writer: Writer, sealer: Sealer, request: CommandRequest) -> None:
        self._writer, self._sealer, self._sender = writer, sealer, request
        self._known = KnownAccounts(sealer.database)
        self._rows: dict[int, RowAnswer] = {}
        self._problems: dict[int, Problem] = {}
        self._last: Receipt | None = None

    async def take_all(self, rows: Sequence[CreatorRow]) -> None:
        """Executes the rows. One whose handle is taken is tried again after the others, as long as that lets any in: its holder
        may be renamed by a row further down."""
        for _ in range(ROUNDS):
            blocked: list[CreatorRow] = []
            for start in range(0, len(rows), ROWS_AT_ONCE):
                blocked += await self._take(rows[start : start + ROWS_AT_ONCE])
            if not blocked or len(blocked) == len(rows):
                return
            rows = blocked

    async def _take(self, filed: Sequence[CreatorRow]) -> list[CreatorRow]:
        """Executes a part of the rows, notes what became of each, and returns those whose handle is taken; raises what may be
        tried again as a whole."""
        rows = await self._known.told(filed)
        keys = await self._sealer.keys([row.creator_id for row in rows])
        items = []
        for row in rows:
            texts = {"display_name": row.display_name, "bio": row.bio, "contact": row.contact}
            sealed = seal(keys[row.creator_id], texts)
            stream, command = stream_id("creator", row.creator_id), row.command(sealed.revisions)
            meta = self._sender.meta(stream, command, *_covered(replace(row, line=0)))
            items.append(QueuedCommand(stream, command, meta, sealed.sealed, key=sealed.key))
        before = await self._versions([item.stream for item in items])
        answers = await self._writer.execute_many(items)
        for row, item, answer in zip(rows, items, answers, strict=True):
            self._note(row, before.get(item.stream, 0), answer)
        return [row for row, answer in zip(filed, answers, strict=True) if getattr(answer, "code", "") == TAKEN]

    async def _versions(self, streams: Sequence[str]) -> dict[str, int]:
        events = self._sealer.database.metadata.tables["log_events"]
        newest = sa.select(events.c.stream, sa.func.max(events.c.version)).where(events.c.stream.in_(streams))
        async with self._sealer.database.reading() as connection:
            return {row[0]: row[1] for row in await connection.execute(newest.group_by(events.c.stream))}

    def _note(self, row: CreatorRow, before: int, answer: Receipt | BaseException) -> None:
        """The last outcome of the row: another try's answer takes the place of an earlier one's."""
        self._problems.pop(row.line, None)
        if isinstance(answer, Receipt):
            outcome: Literal["registered", "changed", "unchanged", "refused"] = "unchanged"
            if answer.version > before:
                outcome = "changed" if before else "registered"
                self._last = answer
            version = answer.version
        elif isinstance(answer, Fault) and answer.kind not in RETRIED:
            outcome, version = "refused", before
            self._problems[row.line] = Problem(row.line, column_of(answer), answer.code, sentence(answer))
        else:
            raise answer
        told = RowAnswer(line=row.line, creator_id=row.creator_id, outcome=outcome, version=version)
        self._rows[row.line] = told

    def answer(self, read_rows: int, bad_rows: int, problems: Sequence[Problem]) -> ImportAnswer:
        counts = {
            name: sum(row.outcome == name for row in self._rows.values())
            for name in ("registered", "changed", "unchanged")
        }
        found = sorted([*problems, *self._problems.values()], key=lambda problem: problem.line)
        return ImportAnswer(
            read_rows=read_rows,
            bad_rows=bad_rows + len(self._problems),
            rows=[self._rows[line] for line in sorted(self._rows)],
            problems=[ProblemAnswer(**asdict(problem)) for problem in found],
            token=self._last.token if self._last else "",
            **counts,
        )
