"""A payment provider: charges, payouts and refunds, idempotent by key, decided asynchronously, told by signed webhooks."""

import asyncio
import csv
import hmac
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from sandbox.bounded import Bounded
from sandbox.chance import Chance
from sandbox.settings import SandboxSettings
from sandbox.store import Store
from sandbox.webhooks import Sender

Kinds = Literal["charges", "payouts", "refunds"]
KIND = {"charges": "deposit", "payouts": "payout", "refunds": "refund"}
NOUN = {"deposit": "charge", "payout": "payout", "refund": "refund"}
COLUMNS = (
    "batch",
    "line",
    "reference",
    "currency",
    "gross_minor",
    "fee_minor",
    "net_minor",
    "provider_ref",
    "settled_at",
)
BATCH_LINES = 10_000
FILES = 1_000
CHARGEBACK_FEE_MINOR = 1_500


class Asked(BaseModel):
    """`reference` is the caller's id of the transfer; `instrument` a token of card or account."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reference: Annotated[str, Field(min_length=1, max_length=100)]
    amount_minor: Annotated[int, Field(gt=0, le=10**15)]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    instrument: Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer as the provider sees it; `status` is pending, succeeded, failed or returned. `case` is the dispute over it,
    `settled` which of its lines a batch holds: its arrival, its return, its dispute."""

    reference: str
    kind: str
    status: str
    amount_minor: int
    currency: str
    instrument: str
    fee_minor: int
    provider_ref: str
    reason: str = ""
    case: str = ""
    settled: tuple[str, ...] = ()


def _transfer(saved: dict[str, Any]) -> Transfer:
    return Transfer(**{**saved, "settled": tuple(saved["settled"])})


class Psp:
    """The provider's books, bounded, and kept in the store."""

    def __init__(self, settings: SandboxSettings, sender: Sender, store: Store) -> None:
        self._settings, self._sender, self._chance = settings, sender, Chance(settings.seed)
        self._transfers: Bounded[Transfer] = Bounded(shelf=store.shelf("transfer", asdict, _transfer))
        self._called: Bounded[bool] = Bounded(shelf=store.shelf("called", bool, bool))
        self._files: Bounded[str] = Bounded(FILES, store.shelf("file", str, str))
        self._deciding: set[asyncio.Task[None]] = set()
        self._batches = int(self._files.newest_key().rpartition("-")[2] or 0)

    def resume(self) -> None:
        """Decides what an earlier process had accepted and not decided. Webhooks that it had not sent yet are lost."""
        for transfer in self._transfers.values():
            if transfer.status == "pending":
                self._decide_later(transfer)

    def find(self, kind: str, reference: str) -> Transfer | None:
        return self._transfers.get(f"{kind}/{reference}")

    def ask(self, kind: str, asked: Asked) -> Transfer:
        """Accepts a transfer once; the same again gives what became of it. HTTP 409 for the same key with another body."""
        known = self.find(kind, asked.reference)
        if known is not None:
            if (known.amount_minor, known.currency, known.instrument) != (
                asked.amount_minor, asked.currency, asked.instrument,
            ):  # fmt: skip
                raise HTTPException(409, "idempotency key reused with another body")
            return known
        charge = kind == "deposit"
        fee_minor = asked.amount_minor * self._settings.fee_bps // 10_000 if charge else self._settings.payout_fee_minor
        number = self._chance.draw(asked.reference, f"{kind} number", 10**12)
        made = Transfer(
            asked.reference, kind, "pending", asked.amount_minor, asked.currency, asked.instrument, fee_minor,
            f"{NOUN[kind][:2]}_{number:012d}",
        )  # fmt: skip
        self._keep(made)
        self._decide_later(made)
        return made

    def first_call(self, kind: str, reference: str) -> bool:
        """Whether this is the first time that anybody asks for it."""
        key = f"{kind}/{reference}"
        first = self._called.get(key) is None
        self._called.put(key, True)
        return first

    def chance(self, transfer: str, question: str, bps: int) -> bool:
        return self._chance.hits(transfer, question, bps)

    def _keep(self, transfer: Transfer) -> None:
        self._transfers.put(f"{transfer.kind}/{transfer.reference}", transfer)

    def _decide_later(self, transfer: Transfer) -> None:
        task = asyncio.create_task(self._decide(transfer))
        self._deciding.add(task)
        task.add_done_callback(self._deciding.discard)

    async def _decide(self, transfer: Transfer) -> None:
        """The outcome and its webhooks: some twice, some before the pending one, some never."""
        delay_s = self._delay_s(transfer.reference, "decide")
        await asyncio.sleep(delay_s)
        declined = transfer.instrument.startswith("tok_declined")
        declined = declined or self.chance(transfer.reference, "declined", self._settings.declined_bps)
        status, reason = ("failed", "declined") if declined else ("succeeded", "")
        decided = replace(transfer, status=status, reason=reason)
        self._keep(decided)
        self._tell(transfer, decided)
        if status == "succeeded":
            self._take_back(decided)

    def _take_back(self, arrived: Transfer) -> None:
        """What comes back after it had arrived: instruments that begin with `tok_returned` always do, and payers of those
        that begin with `tok_disputed` dispute the charge."""
        late_s = 3 * self._settings.delay_ms / 1_000
        if arrived.instrument.startswith("tok_returned"):
            returned = replace(arrived, status="returned", reason="account_closed")
            self._keep(returned)
            self._sender.later(late_s, f"msg_{arrived.reference}_returned", _payload(returned))
        if arrived.kind == "deposit" and arrived.instrument.startswith("tok_disputed"):
            disputed = replace(arrived, case=f"cb_{arrived.provider_ref.removeprefix('ch_')}")
            self._keep(disputed)
            self._sender.later(late_s, f"msg_{arrived.reference}_disputed", _chargeback(disputed))

    def _tell(self, pending: Transfer, decided: Transfer) -> None:
        reference = decided.reference
        if self.chance(reference, "lost webhook", self._settings.lost_webhook_bps):
            return
        early = self.chance(reference, "early", self._settings.early_bps)
        first, second = self._delay_s(reference, "first"), self._delay_s(reference, "second")
        soon, late = min(first, second), max(first, second)
        self._sender.later(late if early else soon, f"msg_{reference}_pending", _payload(pending))
        self._sender.later(soon if early else late, f"msg_{reference}_{decided.status}", _payload(decided))
        if self.chance(reference, "duplicated", self._settings.duplicated_bps):
            self._sender.later(late + first, f"msg_{reference}_{decided.status}", _payload(decided))

    def _delay_s(self, reference: str, question: str) -> float:
        return self._chance.draw(reference, question, self._settings.delay_ms + 1) / 1_000

    def close_batch(self) -> str:
        """Settles every word that no batch holds yet: charges that arrived, payouts and refunds that went out, what came back
        or is disputed, each with its fee; returns the batch's name."""
        self._batches += 1
        batch = f"{self._settings.seed}-{self._batches:06d}"
        lines = [line for one in self._transfers.values() for line in _lines(one)][:BATCH_LINES]
        for line in lines:
            one = self._transfers.get(f"{line.transfer.kind}/{line.transfer.reference}") or line.transfer
            self._keep(replace(one, settled=(*one.settled, line.word)))
        self._files.put(batch, _file(batch, lines))
        return batch

    def file(self, batch: str) -> str | None:
        return self._files.get(batch)

    async def decided(self) -> None:
        """Waits until every accepted transfer is decided."""
        while self._deciding:
            await asyncio.gather(*self._deciding)

    async def close(self) -> None:
        for task in self._deciding:
            task.cancel()
        await asyncio.gather(*self._deciding, return_exceptions=True)


def _payload(transfer: Transfer) -> dict[str, Any]:
    return {
        "type": f"{NOUN[transfer.kind]}.{transfer.status}",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": shown(transfer),
    }


def _chargeback(charge: Transfer) -> dict[str, Any]:
    """A dispute of the whole charge: its own id as `provider_ref`, its own fee."""
    opened = replace(charge, status="opened", reason="fraudulent", fee_minor=CHARGEBACK_FEE_MINOR)
    return {**_payload(opened), "type": "chargeback.opened", "data": {**shown(opened), "provider_ref": charge.case}}


def shown(transfer: Transfer) -> dict[str, Any]:
    """What the API and the webhooks say of a transfer."""
    return {name: value for name, value in asdict(transfer).items() if name not in ("instrument", "case", "settled")}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the settlement file; `gross_minor` is paid to the platform, or kept from it when negative."""

    transfer: Transfer
    word: str
    gross_minor: int
    fee_minor: int
    provider_ref: str


def _lines(one: Transfer) -> Iterator[Line]:
    """The lines of a transfer that no batch holds yet: what comes in is paid out, what goes out is kept, what came back goes
    the other way, and a dispute is kept with its fee."""
    if one.status not in ("succeeded", "returned"):
        return
    way = 1 if one.kind == "deposit" else -1
    lines = [Line(one, "arrived", way * one.amount_minor, one.fee_minor, one.provider_ref)]
    if one.status == "returned":
        lines.append(Line(one, "returned", -way * one.amount_minor, 0, one.provider_ref))
    if one.case:
        lines.append(Line(one, "disputed", -one.amount_minor, CHARGEBACK_FEE_MINOR, one.case))
    yield from (line for line in lines if line.word not in one.settled)


def _file(batch: str, lines: list[Line]) -> str:
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    for number, line in enumerate(lines, start=1):
        one, gross, fee = line.transfer, line.gross_minor, line.fee_minor
        rows.writerow((batch, number, one.reference, one.currency, gross, fee, gross - fee, line.provider_ref, at))
    return text.getvalue()


def router(psp: Psp, settings: SandboxSettings) -> APIRouter:
    """`/psp`: POST and GET of charges, payouts and refunds; settlement batches."""

    async def authorised(authorization: Annotated[str, Header()] = "") -> None:
        if not hmac.compare_digest(authorization.encode(), f"Bearer {settings.api_key}".encode()):
            raise HTTPException(401, "wrong API key")

    made = APIRouter(prefix="/psp", tags=["payment provider"], dependencies=[Depends(authorised)])

    @made.post("/settlements", status_code=201)
    async def close_batch() -> dict[str, str]:
        """Closes a batch over all that moved and is not settled yet."""
        return {"batch": psp.close_batch()}

    @made.get("/settlements/{batch}")
    async def settlement(batch: str) -> Response:
        """The settlement file, CSV."""
        text = psp.file(batch)
        if text is None:
            raise HTTPException(404, "no such batch")
        return Response(text, media_type="text/csv")

    @made.post("/{kinds}", status_code=202)
    async def ask(
        kinds: Kinds, asked: Asked, idempotency_key: Annotated[str, Header(min_length=8, max_length=100)]
    ) -> dict[str, Any]:
        """Accepts a transfer; it is decided later and told by webhook. The key is the transfer's reference."""
        kind = KIND[kinds]
        if idempotency_key != asked.reference:
            raise HTTPException(422, "here the idempotency key is the reference")
        first = psp.first_call(kind, asked.reference)
        if first and psp.chance(asked.reference, "busy", settings.busy_bps):
            raise HTTPException(503, "busy, nothing was done")
        transfer = psp.ask(kind, asked)
        if first and psp.chance(asked.reference, "lost answer", settings.lost_answer_bps):
            raise HTTPException(504, "no answer in time")
        return shown(transfer)

    @made.get("/{kinds}/{reference}")
    async def find(kinds: Kinds, reference: str) -> dict[str, Any]:
        """What became of it."""
        transfer = psp.find(KIND[kinds], reference)
        if transfer is None:
            raise HTTPException(404, "never heard of it")
        return shown(transfer)

    return made
