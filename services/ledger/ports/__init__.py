"""The world outside the ledger: the payment provider and the anchors of seals; beside it webhooks and settlement files.

What comes from outside is checked like any stranger's input. A call is never repeated under a new id: the transfer's own
id is the idempotency key, and what is not answered stays unknown until the provider is asked again.
"""

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Protocol

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from kernel.core.faults import Internal, Invalid, NotFound, Poison, Unavailable
from kernel.core.ids import path_segment
from kernel.core.money import LIMIT_MINOR
from kernel.runtime.settings import Settings
from services.ledger.domain.events import TransferKind, Transferred
from services.ledger.ports.settlements import SETTLEMENT_BYTES
from services.ledger.settings import LedgerSettings

CONNECT_S, ANSWER_S, CALL_S = 2.0, 10.0, 15.0
ANSWER_LIMIT_BYTES = 65_536
PATHS = {TransferKind.DEPOSIT: "charges", TransferKind.PAYOUT: "payouts", TransferKind.REFUND: "refunds"}
TRANSIENT = frozenset({401, 403, 408, 425, 429})
"""Answers that say nothing about the transfer: our key, our pace or their clock."""


class Word(StrEnum):
    """What the provider says of a transfer. `returned`: it had arrived and came back; `opened`, `won` and `lost` are said of
    a chargeback. `unknown`: it has never heard of it."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RETURNED = "returned"
    OPENED = "opened"
    WON = "won"
    LOST = "lost"
    UNKNOWN = "unknown"


Said = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A text of the provider's without control characters, which no store has to take."""


class Verdict(BaseModel):
    """The provider's word on one transfer, as its API and its webhooks have it; amounts in minor units. `said_at` is when it
    happened, as the message around it says."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    reference: Annotated[Said, Field(min_length=1)]
    kind: Annotated[TransferKind, Field(strict=False)]
    status: Annotated[Word, Field(strict=False)]
    amount_minor: Annotated[int, Field(ge=0, le=LIMIT_MINOR)] = 0
    currency: Annotated[Said, Field(max_length=3)] = ""
    fee_minor: Annotated[int, Field(ge=0, le=LIMIT_MINOR)] = 0
    provider_ref: Said = ""
    reason: Said = ""
    said_at: AwareDatetime | None = None


class Provider(Protocol):
    """The payment provider. Unavailable means the outcome is not known; the same call may be made again.

    Poison means that it has answered for good, and nobody can tell what from it: a person has to look.
    """

    async def submit(self, transfer: Transferred) -> Verdict: ...

    async def find(self, kind: TransferKind, transfer_id: str) -> Verdict: ...

    async def settlement(self, batch: str) -> bytes:
        """The settlement file of a batch; NotFound `settlement.no_such_batch`, Invalid when it is too large."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Bearer(httpx.Auth):
    """Asks for the key at every call: it may have been rotated."""

    key: Callable[[], str]

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self.key()}"
        yield request


class HttpProvider:
    """The provider over HTTP. `key` gives the API key of now."""

    def __init__(self, url: str, key: Callable[[], str], transport: httpx.AsyncBaseTransport | None = None) -> None:
        timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        self._client = httpx.AsyncClient(
            base_url=url, auth=_Bearer(key), timeout=timeout, follow_redirects=False, transport=transport
        )

    async def submit(self, transfer: Transferred) -> Verdict:
        """Asks for the transfer under its own id; a refusal of the request is the verdict `failed`."""
        body = {
            "reference": transfer.transfer_id, "amount_minor": transfer.amount_minor, "currency": transfer.currency,
            "instrument": transfer.instrument,
        }  # fmt: skip
        headers = {"Idempotency-Key": transfer.transfer_id}
        status, content = await self._call("POST", f"/psp/{PATHS[transfer.kind]}", json=body, headers=headers)
        if 400 <= status < 500:
            return Verdict(
                reference=transfer.transfer_id, kind=transfer.kind, status=Word.FAILED, reason=f"refused_{status}",
                amount_minor=transfer.amount_minor, currency=transfer.currency,
            )  # fmt: skip
        return _verdict(content, transfer.kind, transfer.transfer_id)

    async def find(self, kind: TransferKind, transfer_id: str) -> Verdict:
        status, content = await self._call("GET", f"/psp/{PATHS[kind]}/{path_segment(transfer_id)}")
        if status == 404:
            return Verdict(reference=transfer_id, kind=kind, status=Word.UNKNOWN)
        if status != 200:
            raise Poison("provider.refused", status=status)
        return _verdict(content, kind, transfer_id)

    async def settlement(self, batch: str) -> bytes:
        path = f"/psp/settlements/{path_segment(batch)}"
        status, content = await self._call("GET", path, limit_bytes=SETTLEMENT_BYTES)
        if status != 200:
            raise NotFound("settlement.no_such_batch", status=status)
        if len(content) > SETTLEMENT_BYTES:
            raise Invalid("settlement.too_large", limit_bytes=SETTLEMENT_BYTES)
        return content

    async def _call(
        self, method: str, path: str, limit_bytes: int = ANSWER_LIMIT_BYTES, **given: Any
    ) -> tuple[int, bytes]:
        """Status and body, of which no more than the limit is read."""
        headers = {"Accept-Encoding": "identity", **given.pop("headers", {})}
        try:
            async with asyncio.timeout(CALL_S), self._client.stream(method, path, headers=headers, **given) as answer:
                status, content = answer.status_code, bytearray()
                if status >= 500 or 300 <= status < 400 or status in TRANSIENT:
                    raise Unavailable("provider.unavailable", status=status)
                if answer.headers.get("content-encoding", "identity") != "identity":
                    return status, b""  # only "identity" was asked for: a packed body may be huge unpacked
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > limit_bytes:
                        break
                return status, bytes(content)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise Unavailable("provider.unavailable", why=type(error).__name__) from error

    async def close(self) -> None:
        await self._client.aclose()


def _verdict(content: bytes, kind: TransferKind, transfer_id: str) -> Verdict:
    """Poison `provider.nonsense` unless it is a verdict on exactly this transfer."""
    try:
        if len(content) > ANSWER_LIMIT_BYTES:
            raise ValueError("too long")
        verdict = Verdict.model_validate_json(content)
    except ValueError as error:
        raise Poison("provider.nonsense", why=type(error).__name__) from error
    if (verdict.kind, verdict.reference) != (kind, transfer_id):
        raise Poison("provider.nonsense", why="another transfer")
    return verdict


def read_key(path: Path) -> str:
    """The provider's API key as the file has it now; raises OSError."""
    return path.read_text().strip()


@dataclass(frozen=True, slots=True)
class Anchors:
    """Seals repeated outside the database, one line each: position, root, and a signature where a key is given."""

    directory: Path | None
    key: Ed25519PrivateKey | None = None

    async def write(self, position: int, root: str) -> None:
        if self.directory is not None:
            await asyncio.to_thread(self._append, position, root)

    def _append(self, position: int, root: str) -> None:
        assert self.directory is not None
        line = f"{position} {root}"
        signature = self.key.sign(line.encode()).hex() if self.key else "-"
        with (self.directory / "ledger.anchors").open("a") as file:
            file.write(f"{line} {signature}\n")

    async def read(self) -> list[tuple[int, str]]:
        """(position, root) of every anchor; Invalid `anchor.forged` when a signature is not ours."""
        return await asyncio.to_thread(self._read) if self.directory is not None else []

    def _read(self) -> list[tuple[int, str]]:
        assert self.directory is not None
        path = self.directory / "ledger.anchors"
        return [self._checked(line.split(" ")) for line in path.read_text().splitlines()] if path.exists() else []

    def _checked(self, parts: list[str]) -> tuple[int, str]:
        position, root, signature = parts
        if self.key is not None and self.key.sign(f"{position} {root}".encode()).hex() != signature:
            raise Invalid("anchor.forged", position=position)
        return int(position), root


def open_anchors(directory: Path | None, key_file: Path | None) -> Anchors:
    key = load_pem_private_key(key_file.read_bytes(), None) if key_file else None
    if key is not None and not isinstance(key, Ed25519PrivateKey):
        raise Internal("anchor.key_not_ed25519")
    return Anchors(directory, key)


def anchors_of(settings: Settings) -> Anchors:
    """The anchors that the ledger's settings name."""
    assert isinstance(settings, LedgerSettings)
    return open_anchors(settings.anchor_dir, settings.anchor_key_file)
