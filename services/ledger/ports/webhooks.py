"""The provider's webhooks: signed by Standard Webhooks; the type says what happened, the data to which transfer."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kernel.core.faults import Internal, Invalid, Unauthenticated
from services.ledger.domain.events import TransferKind
from services.ledger.ports import Verdict, Word

TOLERANCE_S = 300
NOUNS = {"charge": TransferKind.DEPOSIT, "payout": TransferKind.PAYOUT, "refund": TransferKind.REFUND}
_SAID = (Word.PENDING, Word.SUCCEEDED, Word.FAILED, Word.RETURNED)
TYPES: Mapping[str, tuple[TransferKind, Word]] = {
    **{f"{noun}.{word}": (kind, word) for noun, kind in NOUNS.items() for word in _SAID},
    **{f"chargeback.{word}": (TransferKind.DEPOSIT, word) for word in (Word.OPENED, Word.WON, Word.LOST)},
}
"""What each type says, and of what; `data.reference` of a chargeback is the charge, `data.provider_ref` the case."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` over the raw body. `secrets` gives those of
    now, several while one is rotated; compared in constant time."""

    secrets: Callable[[], Sequence[bytes]]

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The message id; Unauthenticated `webhook.*` when unsigned, forged, or off our clock by more than 5 minutes."""
        id_, stamp, given = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        if not (
            0 < len(id_) <= 100 and stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and 0 < len(given) <= 2_000
        ):
            raise Unauthenticated("webhook.unsigned")
        if abs(int(stamp) - int(now.timestamp())) > TOLERANCE_S:
            raise Unauthenticated("webhook.not_of_now", tolerance_s=TOLERANCE_S)
        expected = [_signature(secret, id_, stamp, body) for secret in self.secrets()]
        found = [part.partition(",")[2] for part in given.split(" ") if part.startswith("v1,")]
        matches = [hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in found]
        if not any(matches):
            raise Unauthenticated("webhook.forged")
        return id_


def _signature(secret: bytes, id_: str, stamp: str, body: bytes) -> str:
    signed = b".".join([id_.encode(), stamp.encode(), body])
    return base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def read_secrets(path: Path) -> list[bytes]:
    """Lines of `whsec_<base64>`; Internal `webhook.secrets_malformed` when none is there or one is not readable."""
    try:
        lines = [line.strip() for line in path.read_text().splitlines() if line.strip()]
        secrets = [base64.b64decode(line.removeprefix("whsec_"), validate=True) for line in lines]
    except (OSError, binascii.Error) as error:
        raise Internal("webhook.secrets_malformed", path=str(path)) from error
    if not secrets or min(map(len, secrets)) < 24:
        raise Internal("webhook.secrets_malformed", path=str(path))
    return secrets


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)
    type: Annotated[str, Field(min_length=1, max_length=100)]
    timestamp: Any = None
    data: Any = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """`verdict` is None for a type that says nothing of a transfer. `reference` names the transfer, as far as it is named.
    `unread` is what could be read of data that is no verdict, though the type asks for one."""

    type: str
    reference: str
    verdict: Verdict | None = None
    unread: Verdict | None = None

    @property
    def contradicts_itself(self) -> bool:
        """Whether the data says something else than the type."""
        return self.verdict is not None and TYPES[self.type] != (self.verdict.kind, self.verdict.status)


def read_webhook(body: bytes) -> Webhook:
    """The type decides what the data must be; Invalid `webhook.malformed` for what is no message at all. Data that cannot be
    read is kept as far as it can be: the provider would send the same again for ever."""
    try:
        read = _Envelope.model_validate_json(body)
        if read.type in TYPES and not isinstance(read.data, dict):
            raise Invalid("webhook.malformed", errors=1)
    except ValidationError as error:
        raise Invalid("webhook.malformed", errors=error.error_count()) from error
    data = read.data if isinstance(read.data, dict) else {}
    if read.type not in TYPES:
        return Webhook(read.type, _named(data))
    kind, word = TYPES[read.type]
    try:
        said = {"kind": kind, "status": word, **data, "said_at": _time_of(read.timestamp)}
        verdict = Verdict.model_validate(said)
    except ValidationError:
        return Webhook(read.type, _named(data), unread=_readable(kind, word, data))
    return Webhook(read.type, verdict.reference, verdict)


def _time_of(stamp: object) -> datetime | None:
    """The message's own time, UTC; None where it tells none that can be read."""
    try:
        told = datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
        return told.astimezone(UTC) if told is not None and told.tzinfo is not None else None
    except (ValueError, OverflowError):  # no time, or one that has no UTC: 0001-01-01T00:00:00+14:00
        return None


def _named(data: Mapping[str, Any]) -> str:
    given = data.get("reference")
    return "".join(filter(str.isprintable, given[:100])) if isinstance(given, str) else ""


def _readable(kind: TransferKind, word: Word, data: Mapping[str, Any]) -> Verdict:
    """The fields of a verdict that are what they have to be, one by one."""
    found = Verdict(reference=_named(data) or "unnamed", kind=kind, status=word)
    for name in Verdict.model_fields.keys() & data.keys() - {"reference", "kind", "status"}:
        try:
            Verdict.model_validate({"reference": "x", "kind": kind, "status": word, name: data[name]})
        except ValidationError:
            continue
        found = found.model_copy(update={name: data[name]})
    return found
