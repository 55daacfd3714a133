"""Page tokens of lists (AIP-158): bounded page sizes, and encrypted cursors that are valid for one query and one tenant only."""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import Message

from kernel.core.faults import Internal, Invalid

PAGE_DEFAULT = 50
PAGE_LIMIT = 200
TOKEN_LIMIT = 2_000
KEY_BYTES, NONCE_BYTES = 32, 12
BLOCK_BYTES = 64
"""A cursor is padded to whole blocks: the length of a token does not say how long the hidden sort key is."""
FREE_FIELDS = ("page_token", "page_size", "at_least")
"""Fields that may differ between two pages of one query; every other field is bound to the token."""
DERIVED = "f"
"""Id of the key that is derived from the fingerprint key, where no file of page keys is mounted."""

Cursor = tuple[str | int | None, ...]


def page_size(asked: int, default: int = PAGE_DEFAULT, limit: int = PAGE_LIMIT) -> int:
    """Page size: 0 means the default, and a size above the limit means the limit; raises Invalid `page_size.negative`."""
    if asked < 0:
        raise Invalid("page_size.negative", field="page_size")
    return min(asked or default, limit)


def page_keys(file: Path | None, fingerprint_key: bytes) -> dict[str, bytes]:
    """Keys of the page tokens by id, the first of which seals: those of the file, else one derived of the fingerprint key.

    The file has lines of `<id> <base64 of 32 bytes>`. A new key is a new first line; the line below it opens the tokens that
    are under way, until it is taken out. Raises Internal `page_keys.malformed`.
    """
    if file is None:
        return {DERIVED: hashlib.blake2b(b"page tokens", key=fingerprint_key, digest_size=KEY_BYTES).digest()}
    try:
        lines = [line.split() for line in file.read_text("ascii").splitlines() if line.strip()]
        keys = {name: base64.b64decode(text, validate=True) for name, text in lines}
    except (ValueError, binascii.Error) as error:
        raise Internal("page_keys.malformed") from error
    if not keys or len(keys) != len(lines) or any(len(key) != KEY_BYTES for key in keys.values()):
        raise Internal("page_keys.malformed")
    return keys


@dataclass(frozen=True, slots=True)
class PageTokens:
    """Seals cursors by AES-256-GCM: nobody reads the sort key of a page's last row, and a token opens for its query only.

    The associated data (AAD) are key id, tenant, the query's name and the query. A token is `<key id>.<base64url>`.
    """

    keys: Mapping[str, bytes] = field(repr=False)
    """Secrets by id, the same in every replica; the first seals, each opens."""

    def seal(self, query: Message, cursor: Sequence[str | int | None], tenant: str) -> str:
        """The `next_page_token` after `cursor`."""
        key_id, key = next(iter(self.keys.items()))
        text = json.dumps(list(cursor), separators=(",", ":")).encode()
        padded = text.ljust(-(-len(text) // BLOCK_BYTES) * BLOCK_BYTES)
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + AESGCM(key).encrypt(nonce, padded, _bound(key_id, query, tenant))
        return f"{key_id}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    def open(self, query: Message, token: str, tenant: str) -> Cursor | None:
        """The cursor to continue after, None for the first page; raises Invalid `page_token.mismatch` for any other token."""
        if not token:
            return None
        key_id, _, text = token.partition(".")
        key = self.keys.get(key_id)
        try:
            if key is not None and len(token) <= TOKEN_LIMIT:
                sealed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
                nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
                return tuple(json.loads(AESGCM(key).decrypt(nonce, ciphertext, _bound(key_id, query, tenant))))
        except (ValueError, InvalidTag):
            pass
        raise Invalid("page_token.mismatch", field="page_token")


def _bound(key_id: str, query: Message, tenant: str) -> bytes:
    """What a token is bound to, the query without its free fields."""
    bound = type(query)()
    bound.CopyFrom(query)
    for name in FREE_FIELDS:
        if name in query.DESCRIPTOR.fields_by_name:
            bound.ClearField(name)
    scope = json.dumps([key_id, query.DESCRIPTOR.full_name, tenant]).encode()
    return len(scope).to_bytes(4, "big") + scope + bound.SerializeToString(deterministic=True)
