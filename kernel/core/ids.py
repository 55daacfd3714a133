"""Ids: UUIDv7 for new things, UUIDv5 for derived ones, `<category>-<uuid>` for streams; and Kafka's partitioner over them."""

import re
from struct import unpack_from
from urllib.parse import quote
from uuid import UUID, uuid5

from uuid_utils import uuid7

from kernel.core.faults import Invalid

NAMESPACE = UUID("6f1d4ab0-0c51-5b7a-9f7e-6d1a5d0e9c11")


def new_id() -> str:
    """New UUIDv7 (RFC 9562): begins with the time in milliseconds, so an index over such ids grows at its end."""
    return str(uuid7())


def derived_id(*parts: str) -> str:
    """UUIDv5 of the parts: equal parts give equal ids. A unit separator joins the parts, so ("a", "bc") is not ("ab", "c")."""
    return str(uuid5(NAMESPACE, "\x1f".join(parts)))


def command_id(tenant: str, actor: str, stream: str, key: str) -> str:
    """Command id, derived from the client's idempotency key: a repeated request has the same id, whatever process takes it."""
    return derived_id("command", tenant, actor, stream, key)


def stream_id(category: str, key: str) -> str:
    """Stream id `<category>-<uuid>`; raises Invalid `id.malformed` unless `key` is a UUID in canonical text."""
    return f"{category}-{checked_id(key)}"


_CANONICAL = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


def is_id(value: str) -> bool:
    """True for a UUID in canonical text."""
    return _CANONICAL(value) is not None


def checked_id(value: str) -> str:
    """`value` itself; raises Invalid `id.malformed` unless it is a UUID in canonical text."""
    if not is_id(value):
        raise Invalid("id.malformed", expected="a lower-case UUID with hyphens")
    return value


def path_segment(value: str) -> str:
    """`value` as one segment of an address, percent-encoded; raises Invalid `address.malformed` where it would be none.

    A client resolves "." and "..", however they are encoded, so these two would name another address.
    """
    if value in ("", ".", "..") or not value.isprintable():
        raise Invalid("address.malformed", expected="an id that is one segment of an address, and not . or ..")
    return quote(value, safe="")


def split_stream(stream: str) -> tuple[str, str]:
    """Category and key of a stream id: `("campaign", "<uuid>")` of `campaign-<uuid>`."""
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


PUBLIC = "public"
"""Reader that stands for every authenticated caller."""
ROLE = "role:"
SYSTEM_ROLE = "system"
"""Role of the platform's own processes: no token has it."""
_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ROLE = re.compile(r"[a-z][a-z_]{0,31}")


def is_tenant(text: str) -> bool:
    """True for letters and digits of ASCII with `. _ -` between, at most 64: no prefix of a reader, and not `public`."""
    return _TENANT.fullmatch(text) is not None and text.lower() != PUBLIC


def is_role(text: str) -> bool:
    """True for a role's name: small letters of ASCII and `_`, at most 32."""
    return _ROLE.fullmatch(text) is not None


def role_reader(role: str) -> str:
    """The reader that stands for a role; the colon is in no tenant."""
    return f"{ROLE}{role}"
