"""The real web: DNS by dnspython, HTTPS by httpcore towards public addresses only.

The address that was checked is the one that is connected to, so a name that answers otherwise the second time (DNS rebinding)
changes nothing; TLS and the Host header still name the host. No redirect is followed, no proxy of the environment is used.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Protocol

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
import httpcore

from services.metrics.ports import ANSWER_S, PAGE_BYTES, RECORDS, Page, Refusal, Silent

HTTPS = 443
STEP_S = 5.0
ADDRESSES = 20
HEADERS = [("User-Agent", "dandelion-site-proof/1"), ("Accept", "text/plain"), ("Accept-Encoding", "identity")]
EMBEDDED = tuple(map(ip_network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
"""IPv6 networks whose last 32 bits are an IPv4 address that a gateway may lead to."""
NEVER = tuple(map(ip_network, ("64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")))
"""Local translation, Teredo, 6to4 and the former site-local network: tunnels to who knows where."""
Connect = Callable[[str], httpcore.AsyncNetworkBackend]


def is_public(text: str) -> bool:
    """Whether an address is on the public Internet, and so is every address inside of it."""
    address: IPv4Address | IPv6Address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if any(address in network for network in NEVER):
            return False
        if any(address in network for network in EMBEDDED):
            return is_public(str(IPv4Address(int(address) & 0xFFFF_FFFF)))
    return address.is_global and not address.is_multicast and not address.is_reserved


class Names(Protocol):
    """A resolver as this adapter uses it."""

    async def resolve(self, qname: Any, rdtype: str, **options: Any) -> Any: ...


class Pinned(httpcore.AsyncNetworkBackend):
    """Connects to one address, whatever host is named."""

    def __init__(self, address: str) -> None:
        self._address, self._inner = address, httpcore.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        if port != HTTPS:
            raise httpcore.ConnectError("another port than that of https")
        return await self._inner.connect_tcp(self._address, port, *args, **options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class PublicWeb:
    """Looks up in the DNS that this machine is configured for, and over HTTPS with the system's authorities."""

    def __init__(self, names: Names | None = None, connect: Connect = Pinned) -> None:
        self._names, self._connect, self._tls = names, connect, ssl.create_default_context()

    async def txt(self, name: str) -> Sequence[str]:
        answers = await self._resolve(name, "TXT")
        return [b"".join(one.strings).decode("ascii", "replace") for one in list(answers)[:RECORDS]]

    async def page(self, host: str, path: str) -> Page:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._fetch(host, path, await self._public_address(host))
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, TimeoutError) as error:
            raise Silent(type(error).__name__) from error
        except (OSError, ssl.SSLError) as error:
            raise Silent(type(error).__name__) from error

    async def _public_address(self, host: str) -> str:
        """One that is public. A host that has any other address besides is refused: nobody with good reasons mixes them."""
        found = [
            str(one.address) for kind in ("A", "AAAA") for one in list(await self._resolve(host, kind))[:ADDRESSES]
        ]
        if not found:
            raise Refusal("site.no_address")
        if not all(map(is_public, found)):
            raise Refusal("site.address_not_public")
        return found[0]

    async def _fetch(self, host: str, path: str, address: str) -> Page:
        times = dict.fromkeys(("connect", "read", "write", "pool"), STEP_S)
        async with (
            httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=self._connect(address)) as pool,
            pool.stream("GET", f"https://{host}{path}", headers=[*HEADERS, ("Host", host)],
                        extensions={"timeout": times}) as answer,
        ):  # fmt: skip
            body = bytearray()
            if answer.status == 200:
                async for piece in answer.aiter_stream():
                    body += piece
                    if len(body) > PAGE_BYTES:
                        raise Refusal("site.page_too_large")
            return Page(answer.status, bytes(body))

    async def _resolve(self, name: str, kind: str) -> Iterable[Any]:
        """The records of a name: none for a name or a kind that is not there."""
        try:
            names = self._names or dns.asyncresolver.Resolver()
            answer: Iterable[Any] = await names.resolve(
                dns.name.from_text(name), kind, search=False, lifetime=STEP_S, raise_on_no_answer=True
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise Silent(type(error).__name__) from error
        return answer
