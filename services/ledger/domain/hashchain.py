"""The journal's hash chain: SHA-256 over the stored bytes of each log row, its position, the formula's version and the
hash before it. Nothing is serialised anew, so a change of code cannot change an old hash.

A formula is never altered: a new one gets a new version, and every seal says which it was made with.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

FORMULA = 1
START = "0" * 64


@dataclass(frozen=True, slots=True)
class Link:
    """What is hashed of one log row: everything stored but the recorded time, which the database chooses."""

    position: int
    stream: str
    version: int
    name: str
    data: bytes
    meta: bytes


@dataclass(frozen=True, slots=True)
class Chained:
    """How far the chain has been walked: the last position (0: nothing) and the hash there, 64 hex digits.

    `broken_at` is the first position that was missing or out of order, `detail` says how; 0 when sound."""

    position: int = 0
    hash: str = START
    broken_at: int = 0
    detail: str = ""


def link_hash(link: Link, previous: str, formula: int = FORMULA) -> str:
    """SHA-256 over length-prefixed parts, so no two rows can share one encoding."""
    digest = hashlib.sha256()
    head = (str(formula), str(link.position), previous, link.stream, str(link.version), link.name)
    for part in (*(text.encode() for text in head), link.data, link.meta):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def walk(start: Chained, links: Iterable[Link]) -> Chained:
    """Chains one batch onto `start`; stops at the first hole or disorder. Memory does not grow with the log."""
    at = start
    for link in links:
        if at.broken_at:
            return at
        if link.position != at.position + 1:
            return replace(at, broken_at=at.position + 1, detail=f"found position {link.position}")
        at = Chained(link.position, link_hash(link, at.hash))
    return at


def mismatched(known: Sequence[tuple[int, str]], found: dict[int, str]) -> int:
    """The first position whose known hash (a seal or an outside anchor) differs from the one found or is absent; 0: none."""
    return next((position for position, digest in known if found.get(position) != digest), 0)
