"""Page tokens of lists (AIP-158): bounded page sizes, and signed cursors that are valid for one query and one caller only."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message
from itsdangerous import BadData, URLSafeSerializer

from kernel.core.faults import Invalid

PAGE_DEFAULT = 50
PAGE_LIMIT = 200
TOKEN_LIMIT = 2_000
FREE_FIELDS = ("page_token", "page_size", "at_least")
"""Fields that may differ between two pages of one query; every other field is part of the signature."""

Cursor = tuple[str | int | None, ...]


def page_size(asked: int, default: int = PAGE_DEFAULT, limit: int = PAGE_LIMIT) -> int:
    """Page size: 0 means the default, and a size above the limit means the limit; raises Invalid `page_size.negative`."""
    if asked < 0:
        raise Invalid("page_size.negative", field="page_size")
    return min(asked or default, limit)


@dataclass(frozen=True, slots=True)
class PageTokens:
    """Signs cursors: the sort key of a page's last row becomes a token with an HMAC over cursor, query and caller."""

    key: bytes = field(repr=False)
    """Secret, the same in every replica."""

    def seal(self, query: Message, cursor: Sequence[str | int | None], caller: str = "") -> str:
        """The `next_page_token` after `cursor`; `caller` (a tenant) is signed with it."""
        token = self._serializer(query, caller).dumps(list(cursor))
        return token if isinstance(token, str) else token.decode()

    def open(self, query: Message, token: str, caller: str = "") -> Cursor | None:
        """The cursor to continue after, None for the first page; raises Invalid `page_token.mismatch` for any other token."""
        if not token:
            return None
        try:
            if len(token) <= TOKEN_LIMIT:
                return tuple(self._serializer(query, caller).loads(token))
        except (BadData, UnicodeEncodeError):
            pass
        raise Invalid("page_token.mismatch", field="page_token")

    def _serializer(self, query: Message, caller: str) -> URLSafeSerializer:
        """Serializer whose signing key is derived from the query and the caller, so no other query accepts its tokens."""
        bound = type(query)()
        bound.CopyFrom(query)
        for name in FREE_FIELDS:
            if name in query.DESCRIPTOR.fields_by_name:
                bound.ClearField(name)
        scope = json.dumps([query.DESCRIPTOR.full_name, caller]).encode()
        salt = len(scope).to_bytes(4, "big") + scope + bound.SerializeToString(deterministic=True)
        signing = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return URLSafeSerializer(self.key, salt, signer_kwargs=signing)
