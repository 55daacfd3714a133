"""Pages of lists (AIP-158): sizes with bounds, and opaque tokens that fit only the query they were made for."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message

from kernel.core.faults import Invalid

PAGE_DEFAULT = 50
PAGE_LIMIT = 200
MAC_BYTES = 16
TOKEN_LIMIT = 2_000
FREE_FIELDS = ("page_token", "page_size", "at_least")
"""What may differ between the pages of one query."""

Cursor = tuple[str | int | None, ...]


def page_size(asked: int, default: int = PAGE_DEFAULT, limit: int = PAGE_LIMIT) -> int:
    """0 means the default, more than the limit means the limit; negative is Invalid `page_size.negative`."""
    if asked < 0:
        raise Invalid("page_size.negative", field="page_size")
    return min(asked or default, limit)


@dataclass(frozen=True, slots=True)
class PageTokens:
    """Seals where a page ended (the sort key of its last row) into a token; HMAC-bound to query and caller."""

    key: bytes = field(repr=False)
    """Secret, the same in every replica."""

    def seal(self, query: Message, cursor: Sequence[str | int | None], caller: str = "") -> str:
        """The `next_page_token`; `caller` (a tenant) binds it to them as well."""
        text = json.dumps(list(cursor), separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(query, text, caller) + text).decode().rstrip("=")

    def open(self, query: Message, token: str, caller: str = "") -> Cursor | None:
        """Where to go on from, None for the first page; raises Invalid `page_token.mismatch` for any other token."""
        if not token:
            return None
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (binascii.Error, UnicodeEncodeError):
            raw = b""
        mac, text = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if len(token) > TOKEN_LIMIT or not hmac.compare_digest(mac, self._mac(query, text, caller)):
            raise Invalid("page_token.mismatch", field="page_token")
        return tuple(json.loads(text))

    def _mac(self, query: Message, text: bytes, caller: str) -> bytes:
        bound = type(query)()
        bound.CopyFrom(query)
        for name in FREE_FIELDS:
            if name in query.DESCRIPTOR.fields_by_name:
                bound.ClearField(name)
        covered = json.dumps([query.DESCRIPTOR.full_name, caller]).encode()
        parts = (covered, bound.SerializeToString(deterministic=True), text)
        sized = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self.key, sized, hashlib.sha256)[:MAC_BYTES]
