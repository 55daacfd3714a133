"""Seals what a browser keeps for the console (AES-256-GCM): nobody reads it, changes it, or uses it for something else."""

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES, NONCE_BYTES = 32, 12
KEYS_LIMIT = 8


class Seal:
    """Keys by id, the newest first: it seals with the first and opens with any, so a key is changed without ending sessions."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        if not 0 < len(keys) <= KEYS_LIMIT or len({name for name, _ in keys}) != len(keys):
            raise ValueError(f"1 to {KEYS_LIMIT} keys are needed, each with an id of its own")
        if any(len(key) != KEY_BYTES for _, key in keys):
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._newest = keys[0][0]
        self._keys = {name: AESGCM(key) for name, key in keys}

    @classmethod
    def of(cls, file: Path | None) -> "Seal":
        """The keys of a file: a line for each, `<id> <32 bytes in base64>`, the newest first; without a file a key that ends
        with the process. Raises ValueError, OSError."""
        if file is None:
            return cls([("once", os.urandom(KEY_BYTES))])
        lines = [line.split() for line in file.read_text().splitlines() if line.strip()]
        if not all(len(line) == 2 and line[0].isascii() and line[0].isalnum() for line in lines):
            raise ValueError(f"{file}: a line is `<id> <32 bytes in base64>`")
        try:
            return cls([(name, base64.b64decode(key, validate=True)) for name, key in lines])
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error

    def seal(self, purpose: str, plain: bytes) -> str:
        """Text for a cookie, which `open` of the same purpose reads."""
        nonce, about = os.urandom(NONCE_BYTES), f"{purpose} {self._newest}".encode()
        sealed = nonce + self._keys[self._newest].encrypt(nonce, plain, about)
        return f"{self._newest}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    def open(self, purpose: str, text: str) -> bytes | None:
        """What was sealed for this purpose; None for any other text."""
        name, _, body = text.partition(".")
        try:
            sealed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
            return self._keys[name].decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], f"{purpose} {name}".encode())
        except (KeyError, binascii.Error, ValueError, InvalidTag):
            return None
