"""A provider's settlement file, booked line by line; what cannot be booked is listed, and the sums say so."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kernel.core.decider import Actor, Meta
from kernel.core.events import Receipt
from kernel.core.faults import Fault, Unavailable
from kernel.core.ids import derived_id
from kernel.eventlog.commands import QueuedCommand
from kernel.host.app import App
from services.ledger.domain.commands import Command, ConfirmDeposit, ConfirmTransfer, SettleLine, stream_of
from services.ledger.domain.discrepancies import (
    BOOKED,
    Claim,
    NoteDiscrepancy,
    Origin,
    ResolveDiscrepancy,
    discrepancy_stream,
)
from services.ledger.domain.events import TransferKind
from services.ledger.domain.reversals import ReturnTransfer
from services.ledger.domain.rows import Transfer, TransferStatus
from services.ledger.domain.settlements import UNMATCHED
from services.ledger.ports.settlements import SettlementLine, charged, read_settlement
from services.ledger.reads.rows import discrepancies_of, transfers_of
from services.ledger.rest.bodies import LineProblem, SettlementAnswer, SettlementSum

SETTLEMENT_BYTES = 4 * 1024 * 1024
SETTLEMENT_CHUNK = 500
PROBLEMS_LIMIT = 100
TWICE = "the line stands in this file before, under the same batch and number"


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
        return await self._app.writer.execute_many(items)


@dataclass(slots=True)
class _File:
    """A file while it is booked. `charged` is what the whole file settles of each transfer."""

    desk: Desk
    by: Actor
    begun_at: int
    charged: Mapping[tuple[str, str], int]
    answer: SettlementAnswer
    sums: dict[str, SettlementSum] = field(default_factory=dict)

    def read(self, line: SettlementLine) -> None:
        total = self.sums.setdefault(line.currency, SettlementSum(currency=line.currency))
        total.gross_minor += line.gross_minor
        total.fee_minor += line.fee_minor
        total.net_minor += line.net_minor

    def booked(self, line: SettlementLine, bank_minor: int) -> None:
        self.answer.settled += 1
        self.sums[line.currency].bank_minor += bank_minor
        self.sums[line.currency].before_minor += line.net_minor - bank_minor

    def listed(self, number: int, line: SettlementLine, why: str) -> None:
        self.answer.listed += 1
        self.sums[line.currency].listed_minor += line.net_minor
        self.problem(number, why)

    def problem(self, number: int, why: str) -> None:
        if len(self.answer.problems) < PROBLEMS_LIMIT:
            self.answer.problems.append(LineProblem(line=number, problem=why))

    def item(self, stream: str, command: object, cause: str) -> QueuedCommand:
        return QueuedCommand(stream, command, Meta(derived_id("settlement", cause), self.by, repr(command)[:500]))


async def settle(desk: Desk, content: bytes, actor: Actor) -> SettlementAnswer:
    """What became of each line; Invalid when it is no such file."""
    numbered = read_settlement(content)
    lines = [line for _, line in numbered if isinstance(line, SettlementLine)]
    by = Actor(actor.id, actor.tenant, actor.roles | {"system"})
    answer = SettlementAnswer(settled=0, unmatched=0, listed=0, problems=[], sums=[])
    file = _File(desk, by, await desk.position(), charged(lines), answer)
    once = dict[str, tuple[int, SettlementLine]]()
    for number, line in numbered:
        if isinstance(line, str):
            file.problem(number, line)
            continue
        file.read(line)
        if once.setdefault(_name(line), (number, line))[0] != number:
            file.listed(number, line, TWICE)
    chosen = list(once.values())
    for start in range(0, len(chosen), SETTLEMENT_CHUNK):
        await _settle_chunk(file, chosen[start : start + SETTLEMENT_CHUNK])
    answer.sums = [file.sums[currency] for currency in sorted(file.sums)]
    answer.problems.sort(key=lambda one: one.line)
    return answer


async def _settle_chunk(file: _File, chunk: Sequence[tuple[int, SettlementLine]]) -> None:
    """A settled charge is a confirmed one: where the webhook was lost, the file confirms the transfer first."""
    known = await file.desk.transfers({line.reference for _, line in chunk})
    told = [item for item in (_telling(file, line, known.get(line.reference)) for _, line in chunk) if item]
    moved = {one.stream for one, done in zip(told, await file.desk.execute(told), strict=True) if _now(file, done)}
    lines = [_settling(line, known.get(line.reference)) for _, line in chunk]
    outcomes = await file.desk.execute([file.item(stream_of(one), one, one.chain_id) for one in lines])
    for (number, line), command, outcome in zip(chunk, lines, outcomes, strict=True):
        if isinstance(outcome, Unavailable) or (isinstance(outcome, BaseException) and not isinstance(outcome, Fault)):
            raise outcome
        if isinstance(outcome, Fault):
            file.listed(number, line, str(outcome))
            continue
        file.answer.unmatched += not _is_ours(line, known) and line.gross_minor > 0
        file.booked(line, _bank_minor(file, line, command, outcome, moved))
    await _keep(file, chunk, outcomes, known)


def _now(file: _File, outcome: Receipt | BaseException) -> bool:
    return isinstance(outcome, Receipt) and outcome.position > file.begun_at


def _bank_minor(
    file: _File, line: SettlementLine, command: SettleLine, outcome: Receipt, moved: Collection[str]
) -> int:
    """By how much this upload changed the bank for the line: what was sent out or came back has moved the bank before,
    unless it is this file that told so."""
    if not _now(file, outcome):
        return 0
    if command.kind is TransferKind.DEPOSIT or f"{command.kind}-{line.reference}" in moved:
        return line.net_minor
    return -line.fee_minor


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
    items = [file.item(discrepancy_stream(one.claim.id), one, f"noted:{one.claim.id}") for one in noted]
    items += [
        file.item(discrepancy_stream(id_), ResolveDiscrepancy(id_, BOOKED), f"resolved:{id_}") for id_ in sorted(open_)
    ]
    for outcome in await file.desk.execute(items):
        if isinstance(outcome, Unavailable) or (isinstance(outcome, BaseException) and not isinstance(outcome, Fault)):
            raise outcome


def _claim(line: SettlementLine, outcome: object, known: Mapping[str, Transfer]) -> Claim:
    """Without a code where nothing is left to do."""
    code = outcome.code if isinstance(outcome, Fault) else ""
    if not code and not _is_ours(line, known) and line.gross_minor > 0:
        code = f"settlement.{UNMATCHED}"
    return Claim(
        Origin.SETTLEMENT, _name(line), line.reference, line.currency, line.gross_minor, line.fee_minor,
        line.provider_ref, code,
    )  # fmt: skip


def _is_ours(line: SettlementLine, known: Mapping[str, Transfer]) -> bool:
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


def _settling(line: SettlementLine, row: Transfer | None) -> SettleLine:
    return SettleLine(
        line.batch, str(line.line), line.reference, line.currency, line.gross_minor, line.fee_minor,
        TransferKind(row.kind) if row else TransferKind.DEPOSIT, line.provider_ref,
    )  # fmt: skip
