"""A provider's settlement file, booked line by line."""

from kernel.core.decider import Actor, Meta
from kernel.core.faults import Fault, Unavailable
from kernel.core.ids import derived_id
from kernel.eventlog.commands import QueuedCommand
from kernel.host.app import App
from services.ledger.domain.commands import Command, ConfirmDeposit, SettleLine, is_id, stream_of
from services.ledger.domain.events import TransferKind
from services.ledger.ports import SettlementLine, read_settlement
from services.ledger.reads.rows import transfer_of
from services.ledger.rest.bodies import LineProblem, SettlementAnswer

SETTLEMENT_BYTES = 4 * 1024 * 1024
SETTLEMENT_CHUNK = 500
PROBLEMS_LIMIT = 100


async def settle(app: App, content: bytes, actor: Actor) -> SettlementAnswer:
    """What became of each line; Invalid when it is no such file."""
    answer = SettlementAnswer(settled=0, unmatched=0, problems=[])
    chunk: list[tuple[int, SettlementLine]] = []
    for number, line in list(read_settlement(content)):
        if isinstance(line, str):
            _problem(answer, number, line)
            continue
        chunk.append((number, line))
        if len(chunk) == SETTLEMENT_CHUNK:
            await _settle_chunk(app, chunk, actor, answer)
            chunk = []
    await _settle_chunk(app, chunk, actor, answer)
    return answer


async def _settle_chunk(
    app: App, chunk: list[tuple[int, SettlementLine]], actor: Actor, answer: SettlementAnswer
) -> None:
    """A settled charge is a confirmed one: where the webhook was lost, the file confirms the deposit first."""
    by = Actor(actor.id, actor.tenant, actor.roles | {"system"})
    await app.writer.execute_many([_confirming(line, by) for _, line in chunk if is_id(line.reference)])
    answers = await app.writer.execute_many([_settling(line, by) for _, line in chunk])
    for (number, line), outcome in zip(chunk, answers, strict=True):
        if isinstance(outcome, Unavailable) or (isinstance(outcome, BaseException) and not isinstance(outcome, Fault)):
            raise outcome
        if isinstance(outcome, Fault):
            _problem(answer, number, str(outcome))
        else:
            answer.settled += 1
            known = is_id(line.reference) and await transfer_of(app.database, line.reference)
            answer.unmatched += not (known and known.kind == TransferKind.DEPOSIT)


def _confirming(line: SettlementLine, by: Actor) -> QueuedCommand:
    command = ConfirmDeposit(line.reference, line.currency, line.gross_minor, line.provider_ref)
    return _item(command, f"confirm:{line.reference}", by)


def _settling(line: SettlementLine, by: Actor) -> QueuedCommand:
    command = SettleLine(line.batch, str(line.line), line.reference, line.currency, line.gross_minor, line.fee_minor)
    return _item(command, command.chain_id, by)


def _item(command: Command, cause: str, by: Actor) -> QueuedCommand:
    return QueuedCommand(stream_of(command), command, Meta(derived_id("settlement", cause), by, repr(command)[:500]))


def _problem(answer: SettlementAnswer, line: int, problem: str) -> None:
    if len(answer.problems) < PROBLEMS_LIMIT:
        answer.problems.append(LineProblem(line=line, problem=problem))
