"""Names of hosts: which may be claimed, and which claim covers the host of an address."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from kernel.core.faults import Invalid

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_HOST = re.compile(r"[a-z0-9._-]{1,253}")
MAX_LABELS = 10
RULE = "a name of the public DNS in lower case, such as shop.example.com; a name in other letters in its xn-- form"


def is_address(host: str) -> bool:
    """Whether the name is an IP address, in any form that a library or browser reads as one."""
    last = host.rpartition(".")[2]
    try:
        ip_address(host)
    except ValueError:
        return last.isdigit() or last.startswith("0x")
    return True


def checked_host(text: str) -> str:
    """The name as it is kept; raises Invalid `site.host_malformed`."""
    host = text.lower().removesuffix(".")
    labels = host.split(".")
    named = 2 <= len(labels) <= MAX_LABELS and all(_LABEL.fullmatch(label) for label in labels)
    if not named or len(host) > 253 or is_address(host):
        raise Invalid("site.host_malformed", rule=RULE)
    return host


def checked_target_host(host: str | None) -> str:
    """The host of an address; raises Invalid `link.url_not_allowed` for one that browsers and this library may read apart."""
    found = (host or "").lower().removesuffix(".")
    if not _HOST.fullmatch(found):
        raise Invalid("link.url_not_allowed", rule=RULE)
    return found


def above(host: str) -> Iterator[str]:
    """The host itself, then the names above it, down to two labels: a claim of any of them may cover it."""
    labels = host.split(".")[-MAX_LABELS:]
    if host.count(".") < MAX_LABELS:
        yield from (".".join(labels[start:]) for start in range(len(labels) - 1))
