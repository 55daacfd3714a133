"""A provider's settlement file, booked line by line; what cannot be booked is listed, and the sums say so."""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from kernel.core.decider import Actor, Meta
from kernel.core.events import Receipt
from kernel.core.faults import Fault, Unavailable
from kernel.core.ids import derived_id, new_id
from kernel.eventlog.commands import QueuedCommand
from kernel.host.app import App
from kernel.processors.processes import SYSTEM
from services.ledger.domain.accounts import PLATFORM
from services.ledger.domain.commands import Command, ConfirmDeposit, ConfirmTransfer, stream_of
from services.ledger.domain.discrepancies import (
    BOOKED,
    Claim,
    NoteDiscrepancy,
    Origin,
    ResolveDiscrepancy,
    discrepancy_stream,
)
from services.ledger.domain.events import TransferKind
from services.ledger.domain.lines import SettleLine
from services.ledger.domain.reversals import ReturnTransfer
from services.ledger.domain.rows import Transfer, TransferStatus
from services.ledger.domain.settlements import UNMATCHED
from services.ledger.ports.settlements import Numbered, SettlementLine, charged, occurrences
from services.ledger.reads.rows import discrepancies_of, transfers_of

SETTLEMENT_CHUNK = 500
PROBLEMS_LIMIT = 100
TWICE = "the line stands in this file before, under the same batch and number"


class LineProblem(BaseModel):
    """A line that was not booked, and why; the first 100."""

    line: int
    problem: str


class SettlementSum(BaseModel):
    """The lines of one currency that could be read: `net_minor` = gross - fee = `bank_minor` + `before_minor` + `listed_minor`.

    By `bank_minor` this upload changed the bank; `before_minor` the books had moved already (lines of an earlier upload,
    refunds and payouts taken from the bank when they were confirmed); `listed_minor` is of lines that are not booked."""

    currency: str
    gross_minor: int = 0
    fee_minor: int = 0
    net_minor: int = 0
    bank_minor: int = 0
    before_minor: int = 0
    listed_minor: int = 0


class SettlementAnswer(BaseModel):
    """`settled` lines stand in the journal (also those of an earlier upload); `unmatched` of them are in suspense; `listed`
    lines could be read and are not booked: each stands in the work list, with `unmatched` ones, but for exact repeats of a
    line of the same file. Nothing is booked while the file waits for another person: then `proposal_id` names its proposal."""

    settled: int
    unmatched: int
    listed: int
    problems: list[LineProblem]
    sums: list[SettlementSum]
    proposal_id: str = ""


class Desk:
    """What a file is booked with: the ledger's writer and the rows as last committed."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def position(self) -> int:
        return (await self._app.log.head()).position

    async def transfers(self, ids: Collection[str]) -> Mapping[str, Transfer]:
        return await transfers_of(self._app.database, ids)

    async def listed(self, ids: Collection[str]) -> Collection[str]:
        return await discrepancies_of(self._app.database, ids)

    async def execute(self, items: Sequence[QueuedCommand]) -> Sequence[Receipt | BaseException]:
        """The answers; a receipt of position 0 where another upload, or an earlier one, did it."""
        answers = await self._app.writer.execute_many(items)
        own = await self._app.log.find_commands([one.stream_and_id for one in items])
        done = zip(items, answers, strict=True)
        return [replace(r, position=0) if isinstance(r, Receipt) and i.stream_and_id not in own else r for i, r in done]


@dataclass(slots=True)
class _File:
    """A file while it is booked. `upload_id` is part of every command's id: another upload of the file asks under ids of its own.
    `charged` is what the whole file settles of each transfer, `said` how often a batch has said the same by each line; `moved`
    by how much the file's words on payouts and refunds have changed the bank, as far as no line has accounted for it."""

    desk: Desk
    by: Actor
    begun_at: int
    said: Mapping[tuple[str, int], int]
    charged: Mapping[tuple[str, str], int]
    answer: SettlementAnswer
    sums: dict[str, SettlementSum] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    upload_id: str = field(default_factory=new_id)

    def read(self, line: SettlementLine) -> None:
        total = self.sums.setdefault(line.currency, SettlementSum(currency=line.currency))
        total.gross_minor += line.gross_minor
        total.fee_minor += line.fee_minor
        total.net_minor += line.net_minor

    def booked(self, line: SettlementLine, bank_minor: int) -> None:
        self.answer.settled += 1
        self.sums[line.currency].bank_minor += bank_minor
        self.sums[line.currency].before_minor += line.net_minor - bank_minor

    def listed(self, number: int, line: SettlementLine, why: str, bank_minor: int = 0) -> None:
        self.answer.listed += 1
        self.sums[line.currency].bank_minor += bank_minor
        self.sums[line.currency].listed_minor += line.net_minor - bank_minor
        self.problem(number, why)

    def told(self, line: SettlementLine) -> int:
        """The line's share of what the words of this file have moved at the bank already."""
        left_minor = self.moved.get(line.reference, 0)
        low, high = sorted((0, left_minor))
        share_minor = min(max(line.gross_minor, low), high)
        self.moved[line.reference] = left_minor - share_minor
        return share_minor

    def problem(self, number: int, why: str) -> None:
        if len(self.answer.problems) < PROBLEMS_LIMIT:
            self.answer.problems.append(LineProblem(line=number, problem=why))

    def item(self, stream: str, command: object, cause: str) -> QueuedCommand:
        id_ = derived_id("settlement", self.upload_id, cause)
        return QueuedCommand(stream, command, Meta(id_, self.by, repr(command)[:500]))


async def settle(desk: Desk, numbered: Sequence[Numbered], person: str) -> SettlementAnswer:
    """What became of each line of a file that the provider gave, or that two people approved."""
    once = dict[str, tuple[int, SettlementLine]]()
    for number, line in numbered:
        if isinstance(line, SettlementLine):
            once.setdefault(_name(line), (number, line))
    chosen = list(once.values())
    by = Actor(person, PLATFORM, SYSTEM)
    answer = SettlementAnswer(settled=0, unmatched=0, listed=0, problems=[], sums=[])
    of_all = [line for _, line in chosen]
    file = _File(desk, by, await desk.position(), occurrences(of_all), charged(of_all), answer)
    await _read(file, numbered, once)
    for start in range(0, len(chosen), SETTLEMENT_CHUNK):
        await _settle_chunk(file, chosen[start : start + SETTLEMENT_CHUNK])
    answer.sums = [file.sums[currency] for currency in sorted(file.sums)]
    answer.problems.sort(key=lambda one: one.line)
    return answer


async def _read(file: _File, numbered: Sequence[Numbered], once: Mapping[str, tuple[int, SettlementLine]]) -> None:
    """Sums the lines up and lists those whose number stands in the file before. One that says something else than the first
    of its number is somebody's money all the same: it goes to the work list under a name of its own."""
    others = dict[str, NoteDiscrepancy]()
    for number, line in numbered:
        if isinstance(line, str):
            file.problem(number, line)
            continue
        file.read(line)
        first_number, first = once[_name(line)]
        if number == first_number:
            continue
        file.listed(number, line, TWICE)
        if line != first:
            word = f"{_name(line)} {line.reference} {line.currency} {line.gross_minor} {line.fee_minor}"
            claim = replace(_claim(line, None, {line.reference}), word=word, code="settlement.number_twice")
            others[claim.id] = NoteDiscrepancy(claim)
    noted = list(others.values())
    for start in range(0, len(noted), SETTLEMENT_CHUNK):
        await _note(file, noted[start : start + SETTLEMENT_CHUNK])


async def _settle_chunk(file: _File, chunk: Sequence[tuple[int, SettlementLine]]) -> None:
    """A settled charge is a confirmed one: where the webhook was lost, the file confirms the transfer first."""
    known = await file.desk.transfers({line.reference for _, line in chunk})
    told = [item for item in (_telling(file, line, known.get(line.reference)) for _, line in chunk) if item]
    for one, done in zip(told, _answered(await file.desk.execute(told)), strict=True):
        if _now(file, done):
            _move(file, one.command, known)
    lines = [_settling(file, line, known.get(line.reference)) for _, line in chunk]
    outcomes = _answered(await file.desk.execute([file.item(stream_of(one), one, one.chain_id) for one in lines]))
    for (number, line), command, outcome in zip(chunk, lines, outcomes, strict=True):
        if isinstance(outcome, Fault):
            file.listed(number, line, str(outcome), file.told(line))
            continue
        file.answer.unmatched += not _is_ours(line, known) and line.gross_minor > 0
        file.booked(line, _bank_minor(file, line, command, outcome))
    await _keep(file, chunk, outcomes, known)


def _answered(outcomes: Sequence[Receipt | BaseException]) -> Sequence[Receipt | Fault]:
    """The answers to commands; raises what is none, so that the file is uploaded again."""
    for outcome in outcomes:
        if isinstance(outcome, Unavailable) or (isinstance(outcome, BaseException) and not isinstance(outcome, Fault)):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Receipt | Fault)]


def _now(file: _File, outcome: Receipt | Fault) -> bool:
    return isinstance(outcome, Receipt) and outcome.position > file.begun_at


def _move(file: _File, command: object, known: Mapping[str, Transfer]) -> None:
    """A payout or refund that the file confirms leaves the bank, one that it returns comes back."""
    if isinstance(command, ConfirmTransfer | ReturnTransfer):
        way = -1 if isinstance(command, ConfirmTransfer) else 1
        file.moved[command.transfer_id] = way * known[command.transfer_id].amount_minor


def _bank_minor(file: _File, line: SettlementLine, command: SettleLine, outcome: Receipt) -> int:
    """By how much this upload changed the bank for the line: what was sent out or came back has moved the bank before,
    unless it is this file that told so."""
    if not _now(file, outcome):
        return 0
    return line.net_minor if command.kind is TransferKind.DEPOSIT else file.told(line) - line.fee_minor


async def _keep(
    file: _File,
    chunk: Sequence[tuple[int, SettlementLine]],
    outcomes: Sequence[object],
    known: Mapping[str, Transfer],
) -> None:
    """Lines that are not booked, and money of nobody, go to the work list; a line that is booked at last leaves it."""
    claims = [_claim(line, outcome, known) for (_, line), outcome in zip(chunk, outcomes, strict=True)]
    noted = [NoteDiscrepancy(one) for one in claims if one.code]
    open_ = await file.desk.listed([one.id for one in claims if not one.code])
    items = [_noting(file, one) for one in noted]
    items += [
        file.item(discrepancy_stream(id_), ResolveDiscrepancy(id_, BOOKED), f"resolved:{id_}") for id_ in sorted(open_)
    ]
    _answered(await file.desk.execute(items))


async def _note(file: _File, noted: Sequence[NoteDiscrepancy]) -> None:
    _answered(await file.desk.execute([_noting(file, one) for one in noted]))


def _noting(file: _File, one: NoteDiscrepancy) -> QueuedCommand:
    return file.item(discrepancy_stream(one.claim.id), one, f"noted:{one.claim.id}")


def _claim(line: SettlementLine, outcome: object, known: Container[str]) -> Claim:
    """Without a code where nothing is left to do."""
    code = outcome.code if isinstance(outcome, Fault) else ""
    if not code and not _is_ours(line, known) and line.gross_minor > 0:
        code = f"settlement.{UNMATCHED}"
    return Claim(
        Origin.SETTLEMENT, _name(line), line.reference, line.currency, line.gross_minor, line.fee_minor,
        line.provider_ref, code,
    )  # fmt: skip


def _is_ours(line: SettlementLine, known: Container[str]) -> bool:
    return line.reference in known


def _name(line: SettlementLine) -> str:
    return f"{line.batch}:{line.line}"


def _telling(file: _File, line: SettlementLine, row: Transfer | None) -> QueuedCommand | None:
    """What the line tells of its transfer that no webhook has told: only of all of it, never of a part."""
    if row is None or row.currency != line.currency:
        return None
    command: Command | None = None
    if row.kind == TransferKind.DEPOSIT:
        settled = {line.gross_minor, file.charged.get((line.reference, line.currency))}
        if (
            row.amount_minor in settled
            and line.gross_minor > 0
            and row.status in (TransferStatus.PENDING, TransferStatus.FAILED)
        ):
            command = ConfirmDeposit(line.reference, line.currency, row.amount_minor, line.provider_ref)
    elif line.gross_minor == -row.amount_minor and row.status == TransferStatus.PENDING:
        command = ConfirmTransfer(TransferKind(row.kind), line.reference, line.provider_ref, line.fee_minor)
    elif line.gross_minor == row.amount_minor and row.status == TransferStatus.CONFIRMED:
        command = ReturnTransfer(TransferKind(row.kind), line.reference, "provider.settlement")
    return file.item(stream_of(command), command, command.chain_id) if command else None


def _settling(file: _File, line: SettlementLine, row: Transfer | None) -> SettleLine:
    return SettleLine(
        line.batch, str(line.line), line.reference, line.currency, line.gross_minor, line.fee_minor,
        TransferKind(row.kind) if row else TransferKind.DEPOSIT, line.provider_ref, file.said[line.batch, line.line],
    )  # fmt: skip
