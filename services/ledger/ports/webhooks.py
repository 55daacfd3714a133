"""The provider's webhooks: signed by Standard Webhooks; the type says what happened, the data to which transfer."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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
    data: Any = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """`verdict` is None for a type that says nothing of a transfer. `reference` names the transfer, as far as it is named."""

    type: str
    reference: str
    verdict: Verdict | None = None

    @property
    def contradicts_itself(self) -> bool:
        """Whether the data says something else than the type."""
        return self.verdict is not None and TYPES[self.type] != (self.verdict.kind, self.verdict.status)


def read_webhook(body: bytes) -> Webhook:
    """The type decides what the data must be; Invalid `webhook.malformed`."""
    try:
        read = _Envelope.model_validate_json(body)
        data = read.data if isinstance(read.data, dict) else {}
        if read.type not in TYPES:
            given = data.get("reference")
            return Webhook(read.type, given[:100] if isinstance(given, str) else "")
        kind, word = TYPES[read.type]
        verdict = Verdict.model_validate({"kind": kind, "status": word, **data})
    except ValidationError as error:
        raise Invalid("webhook.malformed", errors=error.error_count()) from error
    return Webhook(read.type, verdict.reference, verdict)
