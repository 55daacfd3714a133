"""Ids. Streams are `<category>-<uuid>`; the uuid is a UUIDv7 chosen by the caller or derived from the business fact."""

import os
import re
import time
from struct import unpack_from
from uuid import UUID, uuid5

from kernel.core.faults import Invalid

NAMESPACE = UUID("6f1d4ab0-0c51-5b7a-9f7e-6d1a5d0e9c11")


_spare: list[bytes] = []
os.register_at_fork(after_in_child=_spare.clear)


def _ten_random_bytes() -> bytes:
    """Of the system's generator, none given twice, to whatever thread or child process.

    Many are fetched at once: a call to the system costs as much as the rest of an id.
    """
    try:
        return _spare.pop()
    except IndexError:
        block = os.urandom(2_000)
        _spare.extend(block[at : at + 10] for at in range(10, len(block), 10))
        return block[:10]


def new_id() -> str:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits; indexes over it grow at their end."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(_ten_random_bytes(), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    text = f"{value & ~(0x3 << 62) | 0x2 << 62:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def derived_id(*parts: str) -> str:
    """The same parts give the same UUIDv5; parts are joined by a unit separator, so ("a", "bc") is not ("ab", "c")."""
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))


def command_id(tenant: str, actor: str, stream: str, key: str) -> str:
    """The id of a command from its client's idempotency key."""
    return derived_id("command", tenant, actor, stream, key)


def stream_id(category: str, key: str) -> str:
    """`<category>-<uuid>`; raises Invalid `id.malformed` unless `key` is a UUID in canonical text."""
    return f"{category}-{checked_id(key)}"


_CANONICAL = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def checked_id(value: str) -> str:
    if _CANONICAL(value) is None:
        raise Invalid("id.malformed", expected="a lower-case UUID with hyphens")
    return value


def split_stream(stream: str) -> tuple[str, str]:
    """`("campaign", "<uuid>")` of `campaign-<uuid>`."""
    category, _, key = stream.partition("-")
    return category, key


def partition_of(key: str, partitions: int) -> int:
    """Kafka's default partitioner: murmur2 of the key's UTF-8 bytes, made positive, modulo the partition count."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2, 32 bits, seed 0x9747b28c, as org.apache.kafka.common.utils.Utils.murmur2 computes it."""
    mask, m, words = 0xFFFFFFFF, 0x5BD1E995, len(data) >> 2
    h = 0x9747B28C ^ len(data)
    for k in unpack_from(f"<{words}I", data):
        k = k * m & mask
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    rest = data[4 * words :]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15
