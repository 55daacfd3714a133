"""The real web behind proofs of sites: DNS over a real socket, HTTPS to public addresses only, and every fault a verdict."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import dns.asyncresolver
import dns.message
import dns.rcode
import dns.rrset
import httpcore
import httpx
import pytest
from fastapi import FastAPI

from sandbox import web as sandbox
from sandbox.store import Store
from services.metrics.domain.site.events import Outcome
from services.metrics.ports import PAGE_BYTES, Page, Refusal, Silent, look_for
from services.metrics.ports.names import Names, PublicWeb, is_public
from services.metrics.ports.stand_in import StandIn
from tests.kit.web import FakeWeb

PROOF, HOST = "dandelion-site=1", "shop.example"


class Zone(asyncio.DatagramProtocol):
    """A name server on loopback; "" answers nothing at all."""

    def __init__(self, records: Mapping[tuple[str, str], Sequence[str]], silent: bool = False) -> None:
        self._records, self._silent = records, silent

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        if self._silent:
            return
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query)
        if not any(known == name for known, _ in self._records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        for text in self._records.get((name, kind), ()):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, text))
        self._transport.sendto(answer.to_wire(), address)


@asynccontextmanager
async def zone(records: Mapping[tuple[str, str], Sequence[str]], silent: bool = False) -> AsyncIterator[Names]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Zone(records, silent), local_addr=("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], transport.get_extra_info("sockname")[1]
    try:
        yield cast("Names", resolver)
    finally:
        transport.close()


async def test_txt_records_come_whole_and_a_name_that_is_not_there_has_none() -> None:
    records = {
        (f"_dandelion.{HOST}", "TXT"): ['"dandelion-" "site=1"', '"v=spf1 -all"'],
        ("other.example", "A"): ["1.1.1.1"],
    }
    async with zone(records) as names:
        web = PublicWeb(names)
        assert sorted(await web.txt(f"_dandelion.{HOST}")) == [PROOF, "v=spf1 -all"]
        assert list(await web.txt("nowhere.example")) == []
        assert list(await web.txt("other.example")) == []


async def test_a_name_server_that_says_nothing_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.metrics.ports.names.STEP_S", 0.2)
    async with zone({}, silent=True) as names:
        with pytest.raises(Silent):
            await PublicWeb(names).txt(HOST)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b:1::1",
        "2002:7f00:1::1", "2001:0:7f00:1::1", "2001:db8::1",
    ],
)  # fmt: skip
async def test_no_address_but_a_public_one_is_ever_connected_to(address: str) -> None:
    assert not is_public(address)
    kind = "AAAA" if ":" in address else "A"
    connected: list[str] = []

    def connect(one: str) -> httpcore.AsyncNetworkBackend:
        connected.append(one)
        return httpcore.AsyncMockBackend([])

    for beside in ({}, {(HOST, "A"): ["93.184.216.34"]}):
        async with zone({**beside, (HOST, kind): [*beside.get((HOST, kind), ()), address]}) as names:
            with pytest.raises(Refusal, match=r"site\.address_not_public"):
                await PublicWeb(names, connect).page(HOST, "/x")
    assert connected == []


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert ipaddress.ip_address(address)
    assert is_public(address)


class Recorded(httpcore.AsyncMockBackend):
    """Answers from memory, and remembers who was connected to."""

    def __init__(self, answer: bytes) -> None:
        super().__init__([answer])
        self.connected: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        return await super().connect_tcp(host, port, *args, **options)


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def fetched(answer: bytes) -> tuple[Page, Recorded]:
    backend = Recorded(answer)
    async with zone({(HOST, "A"): ["93.184.216.34"]}) as names:
        return await PublicWeb(names, lambda address: backend).page(HOST, "/x"), backend


async def test_a_page_is_read_and_a_redirect_is_not_followed() -> None:
    page, _ = await fetched(http("200 OK", b"dandelion-site=1\n"))
    assert page == Page(200, b"dandelion-site=1\n")
    page, backend = await fetched(http("302 Found", b"", "Location: https://169.254.169.254/"))
    assert (page.status, len(backend.connected)) == (302, 1)


async def test_a_huge_page_is_read_no_further_than_its_bound() -> None:
    with pytest.raises(Refusal, match=r"site\.page_too_large"):
        await fetched(http("200 OK", b"x" * (PAGE_BYTES + 1)))


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", http("200 OK", b"x")[:20]])
async def test_what_is_no_http_is_silence(answer: bytes) -> None:
    with pytest.raises(Silent):
        await fetched(answer)


@pytest.mark.parametrize(
    ("record", "file", "outcome", "why"),
    [
        (PROOF, None, Outcome.DOMAIN, ""),
        ("", Page(200, b" dandelion-site=1\r\n"), Outcome.HOST, ""),
        ("v=spf1", Page(200, PROOF.encode()), Outcome.HOST, ""),
        ("", None, Outcome.ABSENT, "site.no_record"),
        ("v=spf1", None, Outcome.ABSENT, "site.other_record"),
        ("", Page(200, b"dandelion-site=12"), Outcome.ABSENT, "site.other_page"),
        ("", Page(301, b""), Outcome.ABSENT, "site.page_redirects"),
        ("", Page(500, b""), Outcome.UNANSWERED, "site.host_busy"),
        ("", Page(429, b""), Outcome.UNANSWERED, "site.host_busy"),
    ],
)
async def test_what_a_look_finds(record: str, file: Page | None, outcome: Outcome, why: str) -> None:
    web = FakeWeb({HOST: record} if record else {}, {HOST: file} if file else {})
    assert await look_for(web, HOST, PROOF) == (outcome, why)


@pytest.mark.parametrize(
    ("standing", "outcome", "why"),
    [
        ({"record": PROOF}, Outcome.DOMAIN, ""),
        ({"file": PROOF}, Outcome.HOST, ""),
        ({"file": PROOF, "fault": "redirect"}, Outcome.ABSENT, "site.page_redirects"),
        ({"file": PROOF, "fault": "huge"}, Outcome.ABSENT, "site.page_too_large"),
        ({"file": PROOF, "fault": "private"}, Outcome.ABSENT, "site.address_not_public"),
        ({"file": PROOF, "fault": "busy"}, Outcome.UNANSWERED, "site.host_busy"),
        ({"record": PROOF, "fault": "silent"}, Outcome.UNANSWERED, "site.dns_silent"),
        (None, Outcome.ABSENT, "site.no_address"),
    ],
)
async def test_the_sandbox_s_hosts_fail_as_real_ones_do(standing: Any, outcome: Outcome, why: str) -> None:
    app = FastAPI()
    app.include_router(sandbox.router(Store(None)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox.test") as client:
        if standing is not None:
            assert (await client.put(f"/web/hosts/{HOST}", json=standing)).status_code == 204
        assert await look_for(StandIn("", client), HOST, PROOF) == (outcome, why)
