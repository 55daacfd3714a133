"""What follows intents: transfers handed to the provider and asked about, payments that waited made, seals anchored.

Each runs at least once. The provider gets the transfer's id as idempotency key; every resulting command names its chain,
so a repeat decides nothing.
"""

import logging
from contextlib import suppress
from functools import partial
from typing import Any

from kernel.core.codec import adapter
from kernel.core.decider import Actor, Meta
from kernel.core.events import Delivered
from kernel.core.faults import Conflict, Invalid, NotFound, Refused
from kernel.core.ids import derived_id
from kernel.eventlog.commands import QueuedCommand
from kernel.host.app import App
from kernel.processors.processes import SYSTEM, Effect
from services.ledger.domain.commands import CancelEscrow, FailDeposit, ReleasePayment, stream_of
from services.ledger.domain.deposits import EXPIRED
from services.ledger.domain.discrepancies import (
    BOOKED,
    Claim,
    NoteDiscrepancy,
    Origin,
    ResolveDiscrepancy,
    discrepancy_stream,
)
from services.ledger.domain.events import ChainPosted, TransferKind, Transferred
from services.ledger.domain.files import FileAsked, NoteFile
from services.ledger.domain.hashchain import FORMULA
from services.ledger.domain.seals import JournalSealed, SealJournal, WindowClosed
from services.ledger.domain.set_by_hand import ReferenceRateSet, TaxResidenceVerified, TieCleared
from services.ledger.domain.waiting import WaitingPayment
from services.ledger.domain.watches import TransferLookDue
from services.ledger.effects.booking import Desk, settle
from services.ledger.ports import Anchors, HttpProvider, Provider, Verdict, Word, anchors_of, read_key
from services.ledger.ports.settlements import read_settlement
from services.ledger.process import ASKED, PROVIDER, claim, concluded, provider_meta
from services.ledger.reads.rows import chain_to, last_seal, transfer_of, waiting_for
from services.ledger.settings import LedgerSettings

WAITED = Actor("effect:waiting", "platform", SYSTEM)
log = logging.getLogger(__name__)


def effects(app: App, provider: Provider | None = None) -> list[Effect]:
    """Every effect of the ledger; `provider` stands in place of the one that the settings name."""
    outside, seals = provider or _provider(app), Seals(app, anchors_of(app.settings))
    return [
        Effect("transfers", (ChainPosted, TransferLookDue), Transfers(app, outside).perform),
        Effect("files", (FileAsked,), Files(app, outside).perform),
        Effect("waiting", (TaxResidenceVerified, ReferenceRateSet, TieCleared), Waiting(app).perform),
        Effect("seals", (WindowClosed, JournalSealed), seals.perform),
    ]


def _provider(app: App) -> Provider:
    """The provider over HTTP; a key that cannot be read stops the process now."""
    assert isinstance(app.settings, LedgerSettings)
    key = partial(read_key, app.settings.psp_key_file)
    key()
    return HttpProvider(app.settings.psp_url, key)


class Transfers:
    """Hands transfers to the provider and asks about those it has not answered."""

    def __init__(self, app: App, provider: Provider) -> None:
        self._app, self._provider = app, provider

    async def perform(self, incoming: Delivered[Any]) -> None:
        match incoming.event:
            case ChainPosted(transfer=Transferred() as transfer, kind=kind) if kind in ASKED:
                await self._conclude(incoming, transfer, await self._provider.submit(transfer))
            case TransferLookDue():
                await self._look(incoming, incoming.event)
            case _:
                return

    async def _look(self, incoming: Delivered[Any], due: TransferLookDue) -> None:
        """What the provider has never heard of is handed over again, under the same id."""
        row = await transfer_of(self._app.database, due.transfer_id)
        if row is None:
            return
        transfer = Transferred(
            row.transfer_id, due.kind, row.owner, row.currency, row.amount_minor, row.instrument, row.source_id
        )
        verdict = await self._provider.find(due.kind, due.transfer_id)
        if verdict.status is Word.UNKNOWN and not due.overdue:
            verdict = await self._provider.submit(transfer)
        undecided = verdict.status in (Word.UNKNOWN, Word.PENDING)
        if undecided and due.overdue and due.kind is TransferKind.DEPOSIT:
            await self._execute(incoming, FailDeposit(due.transfer_id, EXPIRED))
        else:
            await self._conclude(incoming, transfer, verdict)

    async def _conclude(self, incoming: Delivered[Any], transfer: Transferred, verdict: Verdict) -> None:
        try:
            command = concluded(verdict, transfer.amount_minor, transfer.currency)
            if command is not None:
                await self._execute(incoming, command)
        except (Refused, Conflict, Invalid) as fault:
            said = verdict.status.value
            extra = {"transfer": transfer.transfer_id, "code": fault.code, "verdict": said}
            log.error("provider's answer kept for reconciliation: it does not fit the books", extra=extra)
            kept = claim(Origin.ANSWER, f"{transfer.kind}.{said}", verdict, fault.code)
            meta = provider_meta(f"{incoming.id}:kept", incoming.correlation, incoming.traceparent)
            await self._app.writer.execute(discrepancy_stream(kept.id), NoteDiscrepancy(kept), meta)

    async def _execute(self, incoming: Delivered[Any], command: Any) -> None:
        meta = provider_meta(incoming.id, incoming.correlation, incoming.traceparent)
        await self._app.writer.execute(stream_of(command), command, meta)


class Waiting:
    """Makes the payments that waited for what finance has settled now; what has to wait for something else says so."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def perform(self, incoming: Delivered[Any]) -> None:
        """Every page is read anew: a payment that was made has left it, one that still waits is behind the cursor."""
        after = ""
        while rows := await waiting_for(self._app.database, incoming.event, after):
            answers = await self._app.writer.execute_many([_paying(row, incoming) for row in rows])
            for row, answer in zip(rows, answers, strict=True):
                if isinstance(answer, Refused | Conflict | Invalid):
                    log.error("a payment that waited was refused", extra={"chain": row.chain_id, "code": answer.code})
                elif isinstance(answer, BaseException):
                    raise answer
            after = rows[-1].deliverable_id


def _paying(row: WaitingPayment, incoming: Delivered[Any]) -> QueuedCommand:
    kind: type[ReleasePayment | CancelEscrow] = CancelEscrow if row.cancels else ReleasePayment
    command = adapter(kind).validate_json(row.command)
    meta = Meta(derived_id("waited", incoming.id, row.chain_id), WAITED, "", incoming.correlation, incoming.id)
    return QueuedCommand(stream_of(command), command, meta)


class Files:
    """Fetches the provider's settlement files and books them."""

    def __init__(self, app: App, provider: Provider) -> None:
        self._app, self._provider = app, provider

    async def perform(self, incoming: Delivered[Any]) -> None:
        batch: str = incoming.event.batch
        try:
            numbered = read_settlement(await self._provider.settlement(batch))
            answer = await settle(Desk(self._app), numbered, PROVIDER.id)
            noted = NoteFile(batch, answer.settled, answer.unmatched, answer.listed)
        except (NotFound, Invalid) as fault:
            log.error("settlement file of the provider refused", extra={"stream": incoming.stream, "code": fault.code})
            noted = NoteFile(batch, code=fault.code)
        meta = provider_meta(incoming.id, incoming.correlation, incoming.traceparent)
        await self._app.writer.execute(incoming.stream, noted, meta)
        await self._list(incoming, noted)

    async def _list(self, incoming: Delivered[Any], noted: NoteFile) -> None:
        """A refused file stands in finance's work list, under the batch's name, until the batch is booked after all."""
        kept = Claim(Origin.SETTLEMENT, noted.batch, noted.batch, "", 0, 0, "", noted.code)
        command = NoteDiscrepancy(kept) if noted.code else ResolveDiscrepancy(kept.id, BOOKED)
        meta = provider_meta(f"{incoming.id}:listed", incoming.correlation, incoming.traceparent)
        with suppress(Refused):  # `discrepancy.unknown`: a file that was never refused leaves no list
            await self._app.writer.execute(discrepancy_stream(kept.id), command, meta)


class Seals:
    """Hashes the journal up to a closed window and repeats the seal outside."""

    def __init__(self, app: App, anchors: Anchors) -> None:
        self._app, self._anchors = app, anchors

    async def perform(self, incoming: Delivered[Any]) -> None:
        match incoming.event:
            case WindowClosed(ends_at=ends_at):
                start = await last_seal(self._app.database)
                if start.position >= incoming.position:
                    return
                reached = await chain_to(self._app.log, start, incoming.position)
                command = SealJournal(ends_at, reached.position, reached.hash, FORMULA)
                await self._app.writer.execute(incoming.stream, command, provider_meta(incoming.id))
            case JournalSealed(up_to_position=position, root=root):
                await self._anchors.write(position, root)
            case _:
                return
