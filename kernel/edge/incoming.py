"""Incoming requests: finds the client's address behind trusted proxies, and answers HEAD as GET without the body."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Network = IPv4Network | IPv6Network
HOPS_LIMIT = 20
"""Proxies that one request is followed back through."""
IPV6_PREFIX = 64
"""Prefix length of one visitor's network: a provider gives a customer at least a /64, and all of its addresses."""


class TrustedProxies:
    """ASGI middleware: sets `client` to the address that called the outermost trusted proxy.

    `X-Forwarded-For` is read from its end, where the nearest proxy wrote. An entry counts only if a trusted proxy wrote it, so
    an entry that a client invented stands behind the client's own address and is never read.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self.app, self._trusted = app, trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client") and self._trusted:
            host, port = scope["client"]
            found = client_address(host, Headers(scope=scope).getlist("x-forwarded-for"), self._trusted)
            scope = {**scope, "client": (found, port if found == host else 0)}
        await self.app(scope, receive, send)


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of the first caller, from the server outwards, that is no trusted proxy; a malformed entry ends the walk."""
    address = peer
    for entry in _from_the_end(forwarded):
        if not is_trusted(address, trusted):
            break
        before = _plain(entry)
        if not before:
            break
        address = before
    return address


def _from_the_end(forwarded: Sequence[str]) -> Iterator[str]:
    """The entries of all header lines, the nearest proxy's first; bounded."""
    entries = ",".join(forwarded).rsplit(",", HOPS_LIMIT)
    return reversed(entries[-HOPS_LIMIT:])


def _plain(entry: str) -> str:
    """The address of an entry, which may come with brackets and a port; "" for what is no address (`unknown`, `_hidden`)."""
    text = entry.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """True for the address of a trusted proxy; an IPv4 address counts the same when it is written as IPv6."""
    try:
        known = ip_address(address)
    except ValueError:
        return False
    mapped = known.ipv4_mapped if isinstance(known, IPv6Address) else None
    return any((mapped or known) in network for network in trusted)


def principal_of(address: str) -> str:
    """Principal of the rate limit for an address: the IPv4 address itself, or the network of an IPv6 address."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address):
        return str(known.ipv4_mapped or ip_network((known, IPV6_PREFIX), strict=False))
    return str(known)


class HeadAsGet:
    """ASGI middleware: HEAD is answered by the GET route, without the body; `request.state.head` is true there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})["head"] = True

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, without_body)
